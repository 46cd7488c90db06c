"""A consistency network from another package: a subclass of ours, checked before training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cmaudio.errors import CmaudioError
from cmaudio.training.networks.consistency import ConsistencyNetwork
from cmaudio.training.plugins import attempt, load_plugin, make_plugin

_VOICES, _BLOCKS = 2, 3
_NEAR = 1e-4


def make_plugin_network(name: str, shape: Mapping[str, Any], settings: Mapping[str, Any]) -> ConsistencyNetwork:
    """Constructed as `Class(**shape, **settings)`, where `shape` is what `ConsistencyNetwork` takes.

    Raises:
        CmaudioError: it does not exist, is not a `ConsistencyNetwork`, or its parts do not fit together.
    """
    part = load_plugin("network", name)
    if not (isinstance(part, type) and issubclass(part, ConsistencyNetwork)):
        raise CmaudioError(
            f"network {name} is not a class derived from cmaudio.training.networks.consistency.ConsistencyNetwork: "
            "derive it, and replace in its constructor the parts that differ"
        )
    if taken := sorted(shape.keys() & settings.keys()):
        raise CmaudioError(f"network.settings has {', '.join(taken)}, which the section network has: set it there")
    network: ConsistencyNetwork = make_plugin("network", name, (), {**shape, **settings})
    _try(f"network {name}", network, shape)
    return network


@torch.no_grad()
def _try(what: str, network: ConsistencyNetwork, shape: Mapping[str, Any]) -> None:
    """Check shapes, and that frames in two parts give the same output as at once, since playing comes in blocks."""
    network.eval()
    k, bands = int(shape["block_frames"]), int(shape["mel_bands"])
    frames = torch.randn(_VOICES, _BLOCKS * k, bands)
    sigma = torch.ones(_VOICES)
    timbre = torch.zeros(_VOICES, _BLOCKS * k, int(shape["timbre_dims"]))
    controls = torch.zeros(_VOICES, _BLOCKS * k, int(shape["controls"]))
    c = attempt(f"{what}: control_encoder", lambda: network.control_encoder(controls, timbre))
    _expect(f"{what}: control_encoder", c, (_VOICES, _BLOCKS * k, network.control_encoder.width))
    encoder = network.context_encoder

    def context(first: int, last: int, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return attempt(
            f"{what}: context_encoder", lambda: encoder(frames[:, first:last], c[:, first:last], sigma, state)
        )

    whole, _ = context(0, _BLOCKS * k, encoder.init_state(_VOICES))
    before, state = context(0, k, encoder.init_state(_VOICES))
    after, _ = context(k, _BLOCKS * k, state)
    _expect(f"{what}: context_encoder", whole, (_VOICES, _BLOCKS * k, whole.shape[-1]))
    if not torch.allclose(torch.cat([before, after], 1), whole, atol=_NEAR):
        raise CmaudioError(
            f"{what}: context_encoder gives a different output for frames that come in two parts, as when playing; "
            "let it read no later frames, and return its whole state"
        )
    block = attempt(f"{what}: head", lambda: network.head(frames[:, :k], sigma, whole[:, -1], c[:, :k]))
    _expect(f"{what}: head", block, (_VOICES, k, bands))
    network.train()


def _expect(what: str, tensor: object, shape: tuple[int, ...]) -> None:
    if not isinstance(tensor, Tensor) or tuple(tensor.shape) != shape:
        found = tuple(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
        raise CmaudioError(f"{what} must return {shape}, not {found}")
