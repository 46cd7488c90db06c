"""Targets of a consistency network: recorded frames, or their residual after a prior.

Shapes: B clips, T frames, M mel bands, C controls.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.corpus.frames import HALF_WINDOW, level
from cmaudio.training.networks.prior import MOST, PriorNetwork

_NEPERS_TO_DB = 20 / math.log(10)
_AUDIBLE = -50 / _NEPERS_TO_DB  # level in nepers


class Target(Protocol):
    """Converts batches to training targets of the network, and its samples back to frames."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch: ...

    def to_mel(self, batch: Batch, sampled: Tensor) -> Tensor:
        """(B, T, M) samples for a recorded batch -> (B, T, M) normalised log-mel."""
        ...


class AsRecorded:
    """The frames themselves: a model without a prior."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return batch

    def to_mel(self, batch: Batch, sampled: Tensor) -> Tensor:
        return sampled


class Residual:
    """The fluctuation about the prior's median, in units of the moving spread; the median is added to the controls.

    Deviations from the median that last longer than half a second are removed: the prior cannot predict them, and every
    note would be sampled at a different level.
    """

    def __init__(self, prior: PriorNetwork, silence: Tensor, statistics: MelStatistics, most: float = MOST) -> None:
        """`silence` (M,): normalised log-mel of the floor; `most`: the largest residual, in moving spreads."""
        self.prior, self.silence = prior.requires_grad_(False).eval(), silence
        self.statistics, self.most = statistics, most

    @torch.no_grad()
    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        median, spread = self._predict(batch)
        moving = without_lasting(batch.mel - median, batch.controls[..., 0] > 0)
        residual = (moving / spread).clamp(-self.most, self.most)
        controls, loudness = torch.cat([batch.controls, median], -1), self._loudness(median, spread)
        return replace(batch, mel=residual, controls=controls, loudness=loudness)

    @torch.no_grad()
    def to_mel(self, batch: Batch, sampled: Tensor) -> Tensor:
        median, spread = self._predict(batch)
        return torch.maximum(median + spread * sampled, self.silence)

    def _loudness(self, median: Tensor, spread: Tensor) -> Tensor:
        """dB by which the median's level changes with one spread of each band, (B, T, M)."""
        log_mel = torch.maximum(median, self.silence) * self.statistics.std + self.statistics.mean
        shares = torch.softmax(2 * log_mel, -1)
        audible = level(log_mel) > _AUDIBLE
        return shares * self.statistics.std * spread * _NEPERS_TO_DB * audible[..., None]

    def _predict(self, batch: Batch) -> tuple[Tensor, Tensor]:
        timbre = self.prior.timbres(batch.timbre)[:, None].expand(-1, batch.mel.shape[1], -1)
        median, _, moving = self.prior(batch.controls, timbre)
        return median, moving


def without_lasting(off: Tensor, begun: Tensor) -> Tensor:
    """(B, T, M) minus its mean over the surrounding half second, where `begun` (B, T); 0 before."""
    weight = begun[:, None].float()
    width = 2 * HALF_WINDOW + 1
    total = F.avg_pool1d(F.pad(off.transpose(1, 2) * weight, (HALF_WINDOW, HALF_WINDOW)), width, 1)
    share = F.avg_pool1d(F.pad(weight, (HALF_WINDOW, HALF_WINDOW)), width, 1).clamp(min=1e-6)
    return (off - (total / share).transpose(1, 2)) * begun[..., None]
