"""Energy scores of takes that gradients flow through: those of `cmaudio.learning.scoring`, and of single bands.

Shapes: B takes, T frames, M mel bands, P patches.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cmaudio.learning.example import DB

_GROUPS, _FRAMES, _PATCHES, _ROWS = 12, 4, 160, 256
_AUDIBLE_NEPERS = 20 / DB  # above the floor
_SCALE_DB = 1.0  # below which distances count as squares: at 0 their gradient has no direction


def score_of_courses(recorded: Tensor, takes: Tensor, floor: float) -> Tensor:
    """In dB: recordings (R, T, M) of a sound that ends, and takes (B, T, M), frame by frame."""
    audible = torch.maximum(recorded.amax(0), takes.detach().mean(0)) > floor + _AUDIBLE_NEPERS
    to_recordings = (takes[:, None] - recorded[None]).abs().mean((0, 1))
    count = len(takes)
    to_each_other = (takes[:, None] - takes[None]).abs().sum((0, 1)) / (count * (count - 1))
    score = (to_recordings - to_each_other / 2) * audible
    return DB * score.sum() / audible.sum().clamp(min=1)


def score_of_bed(recorded: Tensor, takes: Tensor, rng: np.random.Generator) -> Tensor:
    """In dB: energy distances of patches and of single bands, of a recording (T, M) and takes (B, T, M)."""
    ours, theirs = _patches(takes, rng), _patches(recorded[None], rng)
    patches = _energy_distance(torch.cdist(theirs, ours), torch.cdist(theirs, theirs), torch.cdist(ours, ours))
    ours, theirs = _rows(takes.flatten(0, 1), rng), _rows(recorded, rng)
    bands = [_gaps(a, b) for a, b in ((theirs, ours), (theirs, theirs), (ours, ours))]
    return DB * (patches / (_GROUPS * _FRAMES) ** 0.5 + _energy_distance(*bands))


def _energy_distance(across: Tensor, theirs: Tensor, ours: Tensor) -> Tensor:
    """2 E|X - Y| - E|X - X'| - E|Y - Y'| (Székely and Rizzo 2013), without the distance of a sample from itself."""

    def mean(own: Tensor) -> Tensor:
        return own.sum() / (own.numel() - len(own))

    return 2 * across.mean() - mean(theirs) - mean(ours)


def _patches(mels: Tensor, rng: np.random.Generator) -> Tensor:
    """(B, T, M) -> (P, groups x frames): four frames from random places, means over parts of the spectrum."""
    groups = torch.stack([part.mean(-1) for part in torch.tensor_split(mels, _GROUPS, -1)], -1)
    windows = groups.unfold(1, _FRAMES, 1).flatten(2).flatten(0, 1)
    return windows[rng.permutation(len(windows))[:_PATCHES]]


def _rows(mels: Tensor, rng: np.random.Generator) -> Tensor:
    return mels[rng.permutation(len(mels))[:_ROWS]]


def _gaps(a: Tensor, b: Tensor) -> Tensor:
    """(P, P') mean distances over bands."""
    return torch.cdist(a, b, p=1) / a.shape[-1]
