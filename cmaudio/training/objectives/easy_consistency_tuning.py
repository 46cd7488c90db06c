"""Easy consistency tuning (ECT): turns a diffusion model into a consistency model, without a teacher.

Geng, Pokle, Luo, Lin, Kolter: "Consistency Models Made Easy" (2024, arXiv 2406.14548), section 3.
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
    pair_loss,
)
from cmaudio.training.objectives.settings import EctSettings


class EasyConsistencyTuning:
    """E[w(t) d(f(x + t z, t), sg f(x + r z, r))]: the same noise at both levels makes the pair a trajectory.

    In expectation over the data z stands for the slope of the probability flow through x_t. Levels end at sigma_min,
    where f is the identity: with r = sigma_min the loss is that of a denoiser, as for small t in the first stages.
    """

    needs_teacher = False
    differentiates_forward = False

    def __init__(self, settings: EctSettings, sigma: NoiseLevels) -> None:
        self.settings, self.sigma = settings, sigma

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        s, limits = self.settings, self.sigma
        t = draw_level(x_shape[0], generator, device, s.t_mean, s.t_std, 2 * limits.min, limits.max)
        stage = min(s.stages - 1, int(progress * s.stages))
        r = t * (1 - s.q ** -(stage + 1) * (1 + s.k * torch.sigmoid(-s.b * t)))
        return {"t": t, "r": r.clamp(min=limits.min), "z": draw_noise(x_shape, generator, device)}

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        t, r, z = draws["t"], draws["r"], draws["z"]
        y = f(noised(x, t, z), t)
        with torch.no_grad():
            target = f(noised(x, r, z), r)
        return pair_loss(self.settings, y, target, t, r, self.sigma)
