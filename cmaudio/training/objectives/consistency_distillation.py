"""Consistency distillation (CD): the student is consistent along the teacher's trajectories.

Song, Dhariwal, Chen, Sutskever: "Consistency Models" (2023, arXiv 2303.01469), algorithm 2, with the changes of Song
and Dhariwal, "Improved Techniques for Training Consistency Models" (2023, arXiv 2310.14189): no moving average in the
target, pseudo-Huber distance, log-normal levels, and a number of intervals that doubles.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

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
from cmaudio.training.objectives.settings import CdSettings

RHO = 7.0


class ConsistencyDistillation:
    """E[w(t) d(f(x_t, t), sg f(x^_r, r))], x^_r from x_t by the teacher; t and r are neighbours of the levels' grid."""

    needs_teacher = True
    differentiates_forward = False

    def __init__(self, settings: CdSettings, sigma: NoiseLevels) -> None:
        self.settings, self.sigma = settings, sigma

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        s, limits = self.settings, self.sigma
        intervals = s.intervals_at(progress)
        ends = (limits.min ** (1 / RHO), limits.max ** (1 / RHO))
        grid = torch.linspace(*ends, intervals + 1, device=device) ** RHO
        level = draw_level(x_shape[0], generator, device, s.t_mean, s.t_std, limits.min, limits.max)
        upper = torch.searchsorted(grid, level).clamp(1, intervals)
        return {"t": grid[upper], "r": grid[upper - 1], "z": draw_noise(x_shape, generator, device)}

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        assert teacher is not None
        t, r = draws["t"], draws["r"]
        x_t = noised(x, t, draws["z"])
        y = f(x_t, t)
        with torch.no_grad():
            target = f(probability_flow(teacher, x_t, t, r, self.settings.solver_steps), r)
        return pair_loss(self.settings, y, target, t, r, self.sigma)


def probability_flow(teacher: Denoiser, x: Tensor, t: Tensor, r: Tensor, steps: int) -> Tensor:
    """dx/dt = (x - D(x, t)) / t from (N,) t down to (N,) r in Heun steps over Karras levels (2022, algorithm 1)."""
    ramp = [i / steps for i in range(steps + 1)]
    levels = [(t ** (1 / RHO)).lerp(r ** (1 / RHO), share) ** RHO for share in ramp]
    for start, end in pairwise(levels):
        h = (end - start)[:, None, None]
        slope = _slope(teacher, x, start)
        x = x + h * (slope + _slope(teacher, x + h * slope, end)) / 2
    return x


def _slope(teacher: Denoiser, x: Tensor, t: Tensor) -> Tensor:
    return (x - teacher(x, t).float()) / t[:, None, None]
