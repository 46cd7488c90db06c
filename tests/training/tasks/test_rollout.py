"""Self-rollout: passes over all blocks at once against the network running free, block after block."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("torch")
import torch
from torch import Tensor

from cmaudio.training.tasks.rollout import rollout

B, BLOCKS, K, M = 2, 7, 3, 4


def linear_network(order: int) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor, int], Tensor]]:
    """Block n = its noise + sum over i <= `order` of A_i block_{n-i}: over a whole crop, and for one block."""
    generator = torch.Generator().manual_seed(order)
    a = torch.randn(order, K * M, K * M, generator=generator, dtype=torch.float64) / (K * M) ** 0.5
    noise = torch.randn(B, BLOCKS, K * M, generator=generator, dtype=torch.float64)

    def block(past: Tensor, n: int) -> Tensor:
        before = past.reshape(B, -1, K * M)
        lags = range(1, min(order, n) + 1)
        made = noise[:, n] + sum(before[:, n - i] @ a[i - 1] for i in lags)
        return made.reshape(B, K, M)

    return lambda past: torch.cat([block(past, n) for n in range(1, BLOCKS)], 1), block


def free_running(block: Callable[[Tensor, int], Tensor], mel: Tensor, start: int, end: int) -> Tensor:
    """Blocks start .. end - 1 in sequence, after the recorded blocks before them; the last one."""
    past = mel[:, : start * K]
    for n in range(start, end):
        past = torch.cat([past, block(past, n)], 1)
    return past[:, -K:]


@pytest.fixture
def mel() -> Tensor:
    return torch.randn(B, BLOCKS * K, M, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("passes", [1, 2, 3, 5])
def test_passes_equal_blocks_of_free_running(mel: Tensor, passes: int) -> None:
    """Where a block depends on the one before it."""
    generate, block = linear_network(order=1)
    rolled = rollout(generate, mel, K, passes)
    for n in range(1, BLOCKS):
        expected = free_running(block, mel, max(1, n - passes + 1), n + 1)
        torch.testing.assert_close(rolled[:, n * K : (n + 1) * K], expected)


@pytest.mark.parametrize("passes", [1, 3, BLOCKS - 1])
def test_first_blocks_equal_free_running_for_any_dependency(mel: Tensor, passes: int) -> None:
    generate, block = linear_network(order=3)
    rolled = rollout(generate, mel, K, passes)
    for n in range(1, passes + 1):
        torch.testing.assert_close(rolled[:, n * K : (n + 1) * K], free_running(block, mel, 1, n + 1))


def test_the_first_block_and_zero_passes_keep_the_recording(mel: Tensor) -> None:
    generate, _ = linear_network(order=2)
    assert torch.equal(rollout(generate, mel, K, 0), mel)
    assert torch.equal(rollout(generate, mel, K, 4)[:, :K], mel[:, :K])


def test_rollout_has_no_gradient(mel: Tensor) -> None:
    gain = torch.ones((), dtype=torch.float64, requires_grad=True)
    generate, _ = linear_network(order=1)
    assert not rollout(lambda past: gain * generate(past), mel, K, 2).requires_grad
