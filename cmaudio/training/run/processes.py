"""Communication between the processes of a run: sums of gradients and metrics, and shared decisions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn


def all_sum(fabric: Fabric, values: Tensor) -> Tensor:
    """The sum over processes; every one of them has to call it with the same shape."""
    if fabric.world_size == 1:
        return values
    summed = fabric.all_reduce(values, reduce_op="sum")
    assert isinstance(summed, Tensor)
    return summed


def any_flag(fabric: Fabric, *flags: bool) -> tuple[bool, ...]:
    """Each flag: whether it is set on any process."""
    if fabric.world_size == 1:
        return flags
    return tuple((all_sum(fabric, torch.tensor(flags, dtype=torch.float32, device=fabric.device)) > 0).tolist())


def sum_gradients(fabric: Fabric, parameters: Sequence[nn.Parameter]) -> None:
    """Replace every gradient by its sum over processes, with a single reduction."""
    if fabric.world_size == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:  # a process without a chunk, or a part that this chunk did not use
            parameter.grad = torch.zeros_like(parameter)
    flat = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    summed = torch.split(all_sum(fabric, flat), [p.numel() for p in parameters])
    for parameter, part in zip(parameters, summed, strict=True):
        parameter.grad = part.view_as(parameter)
