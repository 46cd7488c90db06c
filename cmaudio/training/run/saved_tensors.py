"""Measures the memory of a step's activations: what autograd keeps between the forward and the backward pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType

import torch
from torch import Tensor, nn


class SavedTensors:
    """As a context manager, measures the bytes that are kept at the same time, on any device, without weights."""

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self.peak_bytes = 0
        self._bytes = 0
        self._references: Counter[int] = Counter()
        tensors = (t for module in modules for t in (*module.parameters(), *module.buffers()))
        self._weights = {t.untyped_storage().data_ptr() for t in tensors}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._keep, lambda saved: saved.tensor)

    def __enter__(self) -> SavedTensors:
        self._hooks.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hooks.__exit__(kind, error, trace)

    def _keep(self, tensor: Tensor) -> _SavedTensor:
        storage = tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if place in self._weights:
            size = 0
        elif not self._references[place]:
            self._bytes += size
            self.peak_bytes = max(self.peak_bytes, self._bytes)
        self._references[place] += 1
        return _SavedTensor(self, tensor, place, size)

    def release(self, place: int, size: int) -> None:
        """A tensor is kept by one node fewer; the last one frees its memory."""
        self._references[place] -= 1
        if not self._references[place]:
            self._bytes -= size


class _SavedTensor:
    """A tensor in the graph, released with the node that keeps it."""

    def __init__(self, counter: SavedTensors, tensor: Tensor, place: int, size: int) -> None:
        self.tensor = tensor
        self._counter, self._place, self._size = counter, place, size

    def __del__(self) -> None:
        self._counter.release(self._place, self._size)
