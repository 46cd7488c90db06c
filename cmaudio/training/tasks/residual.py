"""What a consistency network is trained on: frames as recorded, or what a prior leaves of them.

Shapes: B clips, T frames, M mel bands, C controls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.frames import HALF_WINDOW
from cmaudio.training.networks.prior import PriorNetwork

MOST = 6.0  # residuals beyond are cut, in spreads


class Target(Protocol):
    """Batches as the network sees them, and what it draws as frames again."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch: ...

    def whole(self, batch: Batch, drawn: Tensor) -> Tensor:
        """(B, T, M) drawn for a batch as recorded -> (B, T, M) normalised log-mel."""
        ...


class AsRecorded:
    """The frames themselves: a model without a prior."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        return batch

    def whole(self, batch: Batch, drawn: Tensor) -> Tensor:
        return drawn


class Residual:
    """What moves about the prior's median, in its moving spread; the median joins the controls.

    What differs from the median for longer than half a second is taken away: it is what the prior does not know, and
    would be drawn as a level of its own for every note.
    """

    def __init__(self, prior: PriorNetwork, silence: Tensor) -> None:
        """`silence` (M,): normalised log-mel of the floor."""
        self.prior, self.silence = prior.requires_grad_(False).eval(), silence

    @torch.no_grad()
    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        median, spread = self._said(batch)
        moving = without_lasting(batch.mel - median, batch.controls[..., 0] > 0)
        residual = (moving / spread).clamp(-MOST, MOST)
        return replace(batch, mel=residual, controls=torch.cat([batch.controls, median], -1))

    @torch.no_grad()
    def whole(self, batch: Batch, drawn: Tensor) -> Tensor:
        median, spread = self._said(batch)
        return torch.maximum(median + spread * drawn, self.silence)

    def _said(self, batch: Batch) -> tuple[Tensor, Tensor]:
        timbre = self.prior.timbres(batch.timbre)[:, None].expand(-1, batch.mel.shape[1], -1)
        median, _, moving = self.prior(batch.controls, timbre)
        return median, moving


def without_lasting(off: Tensor, begun: Tensor) -> Tensor:
    """(B, T, M) without its mean over the half second around, of frames that have begun (B, T); 0 before."""
    weight = begun[:, None].float()
    width = 2 * HALF_WINDOW + 1
    total = F.avg_pool1d(F.pad(off.transpose(1, 2) * weight, (HALF_WINDOW, HALF_WINDOW)), width, 1)
    share = F.avg_pool1d(F.pad(weight, (HALF_WINDOW, HALF_WINDOW)), width, 1).clamp(min=1e-6)
    return (off - (total / share).transpose(1, 2)) * begun[..., None]
