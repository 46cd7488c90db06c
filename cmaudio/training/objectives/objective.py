"""The protocol of an objective, and helpers shared by several objectives.

Shapes: N blocks, K frames of a block, M mel bands. Symbols: x clean blocks; t a noise level, with x_t = x + t z for
standard normal z; f(x_t, t) the network; D(x_t, t) the teacher's denoiser; `progress` the completed share of the
training, 0 to 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.settings import PairSettings

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (N, K, M) noisy blocks, (N,) their noise levels -> (N, K, M)


class Objective(Protocol):
    """A loss over blocks.

    Attributes:
        needs_teacher: whether `loss` needs a teacher.
        differentiates_forward: whether `loss` applies torch.func.jvp to f.
    """

    needs_teacher: bool
    differentiates_forward: bool

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        """All random numbers of a step over (N, K, M) blocks; every tensor has N rows."""
        ...

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """(N, K, M) clean blocks -> (N,) float32 losses with gradient, and metrics (detached scalars)."""
        ...


def draw_noise(x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device) -> Tensor:
    """Standard normal z of the blocks' shape."""
    return torch.randn(x_shape, generator=generator, device=device)


def draw_level(
    blocks: int, generator: torch.Generator, device: torch.device, mean: float, std: float, low: float, high: float
) -> Tensor:
    """(N,) noise levels with ln t normal (Karras et al. 2022, section 5), clamped to low..high."""
    return (torch.randn(blocks, generator=generator, device=device) * std + mean).exp().clamp(low, high)


def noised(x: Tensor, t: Tensor, z: Tensor) -> Tensor:
    """x_t = x + t z."""
    return x + t[:, None, None] * z


def rms(error: Tensor) -> Tensor:
    """Root mean square as a metric: a detached scalar on the device."""
    return error.detach().square().mean().sqrt()


def pair_loss(
    settings: PairSettings, y: Tensor, target: Tensor, t: Tensor, r: Tensor, sigma: NoiseLevels
) -> tuple[Tensor, dict[str, Tensor]]:
    """(N,) weighted distances of y = f(x_t, t) from the target at r, float32."""
    error = y.float() - target.float()
    squared = error.square().sum((1, 2))
    if settings.distance == "pseudo-huber":
        c = settings.huber * error[0].numel() ** 0.5
        distance = (squared + c**2).sqrt() - c  # Song and Dhariwal 2023 (arXiv 2310.14189), equation 7
    else:
        distance = squared
    weight = {
        "interval": lambda: 1 / (t - r),
        "snr": lambda: 1 / t**2 + 1 / sigma.data**2,
        "uniform": lambda: torch.ones_like(t),
    }[settings.weighting]()
    return weight * distance, {"rms": rms(error)}
