"""Detects phoneme times that are consistently early or late.

Times from another source (an aligner, a synthesiser's own durations) often have a constant offset; a voice trained on
them becomes indistinct without any error message. Shapes: T frames, M mel bands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.training.corpus.clips import Clips

_REACH = 12  # frames to either side
_TOLERATED = 2  # frames: a frame's spectrum itself covers about 40 ms
_CLEARLY = 1.15


@dataclass(frozen=True)
class LabelLag:
    """`frames` by which labels are late, and the share of the spectrum's variance they explain before and after."""

    frames: int
    explained: float
    explained_when_moved: float

    @property
    def is_wrong(self) -> bool:
        """Whether the lag exceeds what the spectrum's length or chance explains."""
        return abs(self.frames) > _TOLERATED and self.explained_when_moved > _CLEARLY * self.explained


def label_lag(log_mel: Float, labels: NDArray[np.int64]) -> LabelLag:
    """The shift at which labels (T,) explain most of the variance of spectra (T, M), as eta squared."""
    shares = {shift: explained_variance(log_mel, np.roll(labels, -shift)) for shift in range(-_REACH, _REACH + 1)}
    best = max(shares, key=shares.__getitem__)
    return LabelLag(best, shares[0], shares[best])


def explained_variance(values: Float, labels: NDArray[np.int64]) -> float:
    """Between-label variance of (T, M) values over their total variance, 0 to 1."""
    centred = values.astype(np.float64) - values.mean(0)
    order = np.argsort(labels, kind="stable")
    begins = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sums, counts = np.add.reduceat(centred[order], begins), np.diff(np.append(begins, len(labels)))
    return float((sums**2 / counts[:, None]).sum() / np.maximum((centred**2).sum(), 1e-12))


def lag_of(clips: Clips) -> LabelLag | None:
    """The lag of clips with phoneme times; None if none has them."""
    timed = [(i, spoken) for i, spoken in enumerate(clips.spoken) if spoken is not None]
    if not timed:
        return None
    mels = [clips.log_mel[clips.rows(i)].float().cpu().numpy() for i, _ in timed]
    labels = [spoken.ids[spoken.of_frames(), 0] for _, spoken in timed]
    return label_lag(np.concatenate(mels), np.concatenate(labels))
