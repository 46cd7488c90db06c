"""Denoising score matching: the teacher.

Karras, Aittala, Aila, Laine: "Elucidating the Design Space of Diffusion-Based Generative Models" (2022,
arXiv 2206.00364).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.objective import (
    Denoiser,
    draw_level,
    draw_noise,
    noised,
    rms,
)
from cmaudio.training.objectives.settings import EdmSettings


class Edm:
    """E[lambda(sigma) mean((f(x + n, sigma) - x)^2)], the paper's equation 2 with the weights of its table 1.

    lambda(sigma) = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2 is 1 / c_out^2 for the paper's c_out. Our c_out is
    zero at sigma_min, so that f(x, sigma_min) = x, and 1 / c_out^2 has a pole there; the paper's form stays finite.
    """

    needs_teacher = False
    differentiates_forward = False

    def __init__(self, settings: EdmSettings, sigma: NoiseLevels) -> None:
        self.settings, self.sigma = settings, sigma

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        s, limits = self.settings, self.sigma
        sigma = draw_level(x_shape[0], generator, device, s.sigma_mean, s.sigma_std, limits.min, limits.max)
        return {"sigma": sigma, "z": draw_noise(x_shape, generator, device)}

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        sigma = draws["sigma"]
        denoised = f(noised(x, sigma, draws["z"]), sigma).float()
        return self.error(denoised, x, sigma), {"rms": rms(denoised - x)}

    def error(self, denoised: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """(N,) weighted squared errors of blocks that were at level sigma."""
        weight = (sigma**2 + self.sigma.data**2) / (sigma * self.sigma.data) ** 2
        return weight * (denoised - x).square().mean((1, 2))
