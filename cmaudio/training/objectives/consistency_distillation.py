"""Consistency distillation (CD): the student agrees with itself along the teacher's own trajectories.

Song, Dhariwal, Chen, Sutskever: "Consistency Models" (2023, arXiv 2303.01469), algorithm 2, with what Song and Dhariwal
changed in "Improved Techniques for Training Consistency Models" (2023, arXiv 2310.14189): no moving average in the
target, pseudo-Huber distance, log-normal levels, and a number of intervals that doubles.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.objective import (
    Denoiser,
    PairSettings,
    Weighting,
    draw_level,
    draw_noise,
    noised,
    pair_loss,
)

RHO = 7.0


class CdSettings(PairSettings):
    """`intervals` of Karras levels at the start of the training, doubled in equal shares of it up to `final_intervals`.

    `solver_steps` Heun steps of the teacher cross one interval, two evaluations each. One interval for the whole of the
    training with 18 solver steps is plain distillation of the teacher's samples.

    The weights are uniform, as in the first paper: Karras intervals are widest at sigma_max, where 1 / (t - r) would
    all but silence the levels that one step starts at.
    """

    objective: Literal["cd"] = "cd"
    weighting: Weighting = "uniform"
    intervals: Annotated[int, Field(ge=1, le=4096)] = 10
    final_intervals: Annotated[int, Field(ge=1, le=4096)] = 80
    solver_steps: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _grows(self) -> CdSettings:
        if self.final_intervals < self.intervals:
            raise ValueError(f"final_intervals {self.final_intervals} must be at least intervals {self.intervals}")
        return self

    def intervals_at(self, progress: float) -> int:
        """Song and Dhariwal 2023, table 1: min(s_0 2^floor(progress / share of one number), s_1)."""
        doublings = 0
        while self.intervals << doublings < self.final_intervals:
            doublings += 1
        return min(self.intervals << int(progress * (doublings + 1)), self.final_intervals)


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
        drawn = draw_level(x_shape[0], generator, device, s.t_mean, s.t_std, limits.min, limits.max)
        upper = torch.searchsorted(grid, drawn).clamp(1, intervals)
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
