r"""The energy score: one step from pure noise samples a block, where a denoiser would give the mean of all outcomes.

Gneiting and Raftery: "Strictly Proper Scoring Rules, Prediction, and Estimation" (2007, JASA 102, equation 22), with
beta = 1; for generative models De Bortoli et al.: "Distributional Diffusion Models with Scoring Rules" (2025,
arXiv 2502.02483), whose models sample from the posterior at every level. This network has no noise input but x_t, so
it can sample only where x_t carries no information about x, at sigma_max:

    S = 1/2 (|f(t z, t) - x| + |f(t z', t) - x|) - 1/2 |f(t z, t) - f(t z', t)|,  t = sigma_max,

whose expectation is minimal when f(t z, t) has the distribution of x given the conditioning. It needs neither
discriminators nor a teacher nor large batches. The other blocks are denoised as in `edm`.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.model.manifest import NoiseLevels
from cmaudio.training.objectives.edm import Edm
from cmaudio.training.objectives.objective import Denoiser, draw_noise, noised
from cmaudio.training.objectives.settings import EdmSettings, EnergySettings

_BANDS = 8  # per part of the spectrum that is also scored separately
_SUMMED_BANDS = (16, 64)


class EnergyScore:
    """E[S] for blocks at sigma_max, the loss of `Edm` for the others; both use two evaluations with independent noise.

    At sigma_max, x_t is exactly t z, so that it carries no information about x.
    """

    needs_teacher = False
    differentiates_forward = False

    def __init__(self, settings: EnergySettings, sigma: NoiseLevels) -> None:
        self.settings, self.sigma = settings, sigma
        self._edm = Edm(EdmSettings(sigma_mean=settings.sigma_mean, sigma_std=settings.sigma_std), sigma)

    def draw(
        self, x_shape: tuple[int, int, int], generator: torch.Generator, device: torch.device, progress: float
    ) -> dict[str, Tensor]:
        draws = self._edm.draw(x_shape, generator, device, progress)
        from_noise = torch.rand(x_shape[0], generator=generator, device=device) < self.settings.share
        sigma = torch.where(from_noise, self.sigma.max, draws["sigma"])
        return {"from_noise": from_noise, "sigma": sigma, "z": draws["z"], "z2": draw_noise(x_shape, generator, device)}

    def loss(
        self, f: Denoiser, x: Tensor, draws: Mapping[str, Tensor], *, teacher: Denoiser | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        from_noise, sigma = draws["from_noise"], draws["sigma"]
        visible = torch.where(from_noise[:, None, None], 0.0, x)
        seams = self.settings.seams
        a, b = (f(noised(visible, sigma, draws[z]), sigma).float() for z in ("z", "z2"))
        score = energy_score(a, b, x) + self.settings.parts * _in_parts(a, b, x, seams)
        if self.settings.sums:
            score = score + self.settings.sums * _in_sums(a, b, x, seams)
        if self.settings.levels and "loudness" in draws:
            score = score + self.settings.levels * _in_levels(a, b, x, draws["loudness"])
        loss = torch.where(from_noise, score, (self._edm.error(a, x, sigma) + self._edm.error(b, x, sigma)) / 2)
        count = from_noise.sum().clamp(min=1)
        spread = torch.linalg.vector_norm(a.detach() - b.detach(), dim=(1, 2)) / x[0].numel() ** 0.5
        metrics = {"score": (score.detach() * from_noise).sum() / count, "spread": (spread * from_noise).sum() / count}
        return loss, metrics


def energy_score(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    """S of two samples a, b for the observed x: three times (N, ...) -> (N,), per square root of a dimension."""
    errors = (a - x, b - x, a - b)
    # The root of a sum of squares has no gradient at 0, where a network starts whose samples are all its mean.
    first, second, between = ((e.flatten(1).square().mean(1) + 1e-8).sqrt() for e in errors)
    return (first + second - between) / 2


def _in_parts(a: Tensor, b: Tensor, x: Tensor, seams: bool) -> Tensor:
    """Mean score of parts of the spectrum and of its changes: (N, K, M) -> (N,)."""
    scores = []
    for view in _views(_errors(a, b, x), seams):  # a change of the errors is the error of the changes
        square = F.avg_pool1d(view.square().mean(-2), _BANDS, ceil_mode=True)
        scores.append(_score(square))
    return torch.cat(scores, -1).mean(-1)


def _in_sums(a: Tensor, b: Tensor, x: Tensor, seams: bool) -> Tensor:
    """The mean score of sums over 16 and over 64 bands, of their values and their changes: (N, K, M) -> (N,).

    Divided by the root of their number, so that a sum of independent bands has the scale of one band.
    """
    errors = _errors(a, b, x)
    views = [errors, _changes(errors, seams)] if seams or x.shape[-2] > 1 else [errors]
    scores = []
    for view in views:
        for bands in _SUMMED_BANDS:
            sums = F.avg_pool1d(view.flatten(0, 1), bands, ceil_mode=True) * bands**0.5
            sums = sums.reshape(*view.shape[:2], *sums.shape[1:])
            scores.append(_score(sums.square().mean(-2)))
    return torch.stack([score.mean(-1) for score in scores], -1).mean(-1)


def _in_levels(a: Tensor, b: Tensor, x: Tensor, loudness: Tensor) -> Tensor:
    """The score of a block's levels and of their changes, including the one into the block: (N, K, M) -> (N,), in dB.

    To first order, a frame's level is a sum over its bands, weighted by `loudness` (N, K, M); so this is proper too.
    """
    levels = (_errors(a, b, x) * loudness).sum(-1)
    views = levels, F.pad(levels, (1, 0)).diff(dim=-1)
    together = [_score(view.square().mean(-1)) for view in views]
    single = [_score(view.square()).mean(-1) for view in views]
    return torch.stack(together + single).sum(0)


def _errors(a: Tensor, b: Tensor, x: Tensor) -> Tensor:
    return torch.stack([a - x, b - x, a - b])


def _score(square: Tensor) -> Tensor:
    """S from the mean squares (3, ...) of the three errors."""
    first, second, between = (square + 1e-8).sqrt()
    score: Tensor = (first + second - between) / 2
    return score


def _changes(errors: Tensor, seams: bool) -> Tensor:
    """Changes over frames; with `seams`, also that from the previous frame, which is known and so has no error."""
    return (F.pad(errors, (0, 0, 1, 0)) if seams else errors).diff(dim=-2)


def _views(x: Tensor, seams: bool) -> list[Tensor]:
    """(..., K, M) unchanged, and its changes over frames, over bands, and over both."""
    views = [x, _changes(x, seams)] if seams or x.shape[-2] > 1 else [x]
    if x.shape[-1] > 1:
        views += [view.diff(dim=-1) for view in views]
    return views
