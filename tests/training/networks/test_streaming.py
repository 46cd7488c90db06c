"""Networks: the boundary condition, causality, and chunked equals whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch import Tensor, nn

from cmaudio.training.networks.consistency import BlockHead, ContextEncoder, precondition
from cmaudio.training.networks.layers import (
    CausalConv,
    CausalDepthwiseConv,
    ConvNeXtBlock,
    NoiseLevelEmbedding,
)
from cmaudio.training.networks.vocoder import VocoderNetwork

State = list[Tensor]
Step = Callable[[Tensor, State], tuple[Tensor, State]]
FRAMES = 131


pytestmark = pytest.mark.usefixtures("one_thread")


def randomise(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.7 / parameter.shape[-1] ** 0.5)


# -- the consistency function ----------------------------------------------------------------------------------------


def test_boundary_is_the_identity() -> None:
    torch.manual_seed(0)
    head = BlockHead(16, 4, 24, 2, 20, NoiseLevelEmbedding(20), sigma_min=0.002, sigma_data=1.0)
    randomise(head)
    x, context, c = torch.randn(3, 4, 16), torch.randn(3, 24 + 32), torch.randn(3, 4, 20)
    with torch.no_grad():
        torch.testing.assert_close(head(x, torch.full((3,), 0.002), context, c), x, rtol=0, atol=0)
        assert (head(x, torch.full((3,), 0.1), context, c) - x).abs().max() > 0.01


def test_preconditioning_keeps_unit_variance_at_both_ends() -> None:
    sigma = torch.tensor([0.002, 1.0, 80.0])
    c_skip, c_out, c_in = precondition(sigma, 0.002, 1.0)
    torch.testing.assert_close(c_in * (sigma**2 + 1).sqrt(), torch.ones(3))
    torch.testing.assert_close(c_skip[[0, 2]], torch.tensor([1.0, 1 / (79.998**2 + 1)]))
    torch.testing.assert_close(c_out[[0, 2]], torch.tensor([0.0, 79.998 / (6401**0.5)]))


# -- causal layers ---------------------------------------------------------------------------------------------------


def single(module: nn.Module) -> tuple[Step, Callable[[int], State]]:
    """A layer with one state as one with a list of them."""

    def step(x: Tensor, state: State) -> tuple[Tensor, State]:
        y, after = module(x, state[0])
        return y, [after]

    return step, lambda batch: [module.init_state(batch)]  # type: ignore[operator]


def build(kind: str) -> tuple[Step, Callable[[int], State], int]:
    """A random layer: its step, its `init_state`, and the width of its input."""
    torch.manual_seed(1)
    if kind == "context":
        encoder = ContextEncoder(16, 24, 5, 20, NoiseLevelEmbedding(20))
        randomise(encoder)
        sigma = torch.tensor([0.1, 0.5])
        return lambda x, s: encoder(x[..., :16], x[..., 16:], sigma, s), encoder.init_state, 36
    if kind in ("vocoder", "vocoder of other dilations"):
        dilations = (1, 1, 2, 1, 4) if kind == "vocoder" else (3, 1)
        vocoder = VocoderNetwork(mel_bands=16, bins=9, width=24, depth=8, dilations=dilations)
        randomise(vocoder)
        return lambda x, s: vocoder(x[..., :16], 200 * x[..., 16].relu(), s), vocoder.init_state, 17
    layers: dict[str, nn.Module] = {
        "conv": CausalConv(6, 8, 5),
        "depthwise": CausalDepthwiseConv(6, 5, 1),
        "dilated": CausalDepthwiseConv(6, 5, 8),
        "block": ConvNeXtBlock(6, 7, 4),
    }
    return *single(layers[kind]), 6


LAYERS = ("conv", "depthwise", "dilated", "block", "context", "vocoder", "vocoder of other dilations")


@pytest.mark.parametrize("kind", LAYERS)
def test_more_input_never_changes_earlier_output(kind: str) -> None:
    step, init_state, width = build(kind)
    x = torch.randn(2, FRAMES, width)
    changed = x.clone()
    changed[:, 70:] += 1
    with torch.no_grad():
        y, z = step(x, init_state(2))[0], step(changed, init_state(2))[0]
        prefix = step(x[:, :70], init_state(2))[0]
    torch.testing.assert_close(y[:, :70], z[:, :70], rtol=0, atol=0)
    torch.testing.assert_close(y[:, :70], prefix, rtol=1e-5, atol=1e-5)
    assert (y[:, 70] - z[:, 70]).abs().max() > 1e-3


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("sizes", [(1,), (2,), (7,), (64,), (5, 1, 64, 3)], ids=str)
def test_chunks_equal_the_whole_and_reset_equals_fresh(kind: str, sizes: tuple[int, ...]) -> None:
    step, init_state, width = build(kind)
    x = torch.randn(2, FRAMES, width)
    with torch.no_grad():
        whole = step(x, init_state(2))[0]
        fresh = init_state(2)
        for state in (fresh, init_state(2), fresh):  # the third time from the first state again: it must be untouched
            parts: list[Tensor] = []
            start = 0
            while start < FRAMES:
                size = sizes[len(parts) % len(sizes)]
                part, state = step(x[:, start : start + size], state)
                parts.append(part)
                start += size
            torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-4, atol=1e-5)
