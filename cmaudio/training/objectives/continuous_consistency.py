r"""Continuous-time consistency (sCM): the limit of consistency training where both levels meet.

Lu and Song: "Simplifying, Stabilizing and Scaling Continuous-Time Consistency Models" (2024, arXiv 2410.11081).

The paper's TrigFlow is our noise schedule in other coordinates: with t' = arctan(t / sigma_data) its state is
cos(t') x_t, and f = c_skip x_t + c_out F is its cos(t') (cos(t') x_t) - sin(t') sigma_data F with the sign of F turned
(for EDM's c_skip and c_out; ours differ by terms in sigma_min). So its algorithm 1 can be written with f, x_t and t:

    df/dt = J_f . (dx_t/dt, 1),  dx_t/dt = (x_t - D) / t

is the derivative of f along a trajectory, to be driven to zero. D is the teacher's D(x_t, t), or x itself: then
dx_t/dt = z, right in expectation. dt/dt' = (t^2 + sigma_data^2) / sigma_data turns it into the paper's tangent

    g = cos(t') df/dt' = sqrt(t^2 + sigma_data^2) df/dt.

The paper warms up by damping the part of g that holds dF/dt'; what is left without it is the tangent of diffusion
training, cos(t')^2 / sin(t') (f - D), so that warming up goes straight from the one to the other:

    g = (1 - a) sigma_data^2 / (t sqrt(t^2 + sigma_data^2)) (f - D) + a sqrt(t^2 + sigma_data^2) df/dt,  a: 0 to 1.

Then g / (|g| + c) bounds it. F moves against g: the loss is |F - sg(F - g)|^2 / KM with F = (f - c_skip x_t) / c_out.
The bound also equalises the loss over t, so the paper's learned weight is left out; levels are drawn where they matter.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.networks.consistency import precondition
from cmaudio.training.objectives.objective import (
    Denoiser,
    draw_level,
    draw_noise,
    noised,
    rms,
)
from cmaudio.training.objectives.settings import ScmSettings


class ContinuousConsistency:
    """Lu and Song's algorithm 1 without its learned weight. Needs an f that torch.func.jvp can pass (not compiled)."""

    differentiates_forward = True

    def __init__(self, settings: ScmSettings, sigma: NoiseLevels) -> None:
        self.settings, self.sigma = settings, sigma
        self.needs_teacher = settings.teacher

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        s, limits = self.settings, self.sigma
        t = draw_level(x_shape[0], generator, device, s.t_mean, s.t_std, 2 * limits.min, limits.max)
        a = min(1.0, progress / s.warm_up) if s.warm_up else 1.0
        return {"t": t, "a": torch.full_like(t, a), "z": draw_noise(x_shape, generator, device)}

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        t = draws["t"]
        x_t = noised(x, t, draws["z"])
        y = f(x_t, t).float()
        with torch.no_grad():
            clean = teacher(x_t, t).float() if teacher is not None else x
            g = self._tangent(f, x_t, t, clean, draws["a"])
            bounded = g / (torch.linalg.vector_norm(g, dim=(1, 2), keepdim=True) + self.settings.c)
            _, c_out, _ = precondition(t[:, None, None], self.sigma.min, self.sigma.data)
            target = y - c_out * bounded
        return ((y - target) / c_out).square().mean((1, 2)), {"tangent": rms(g)}

    def _tangent(self, f: Denoiser, x_t: Tensor, t: Tensor, clean: Tensor, a: Tensor) -> Tensor:
        t3, a3, s = t[:, None, None], a[:, None, None], self.sigma.data
        scale = (t3**2 + s**2).sqrt()
        y, df_dt = torch.func.jvp(f, (x_t, t), ((x_t - clean) / t3, torch.ones_like(t)))[:2]
        return (1 - a3) * s**2 / (t3 * scale) * (y.float() - clean) + a3 * scale * df_dt.float()
