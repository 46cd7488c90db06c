"""The first onset of a clip, by librosa's detector on the spectral flux."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.libraries import librosa_module
from cmaudio.evaluation.setting import Figures, summary
from cmaudio.signal.dsp import Float

_HOP_SAMPLES = 128


def first_onset_seconds(sound: Float, sample_rate: int) -> float | None:
    """The first onset of (N,) samples; None if there is none."""
    found = librosa_module().onset.onset_detect(y=sound, sr=sample_rate, hop_length=_HOP_SAMPLES, units="time")
    return float(found[0]) if len(found) else None


def onset_distances(ours: Sequence[Float], recorded: Sequence[Float], sample_rate: int) -> Figures:
    """Milliseconds between the first onset and the recording's, over the clips that have one in both.

    `mean` is signed (positive: ours is late); `missing` counts clips with an onset in the recording only.
    """
    pairs = [
        (first_onset_seconds(a, sample_rate), first_onset_seconds(b, sample_rate))
        for a, b in zip(ours, recorded, strict=True)
    ]
    late = [1000 * (a - b) for a, b in pairs if a is not None and b is not None]
    return {
        **summary([abs(ms) for ms in late]),
        "mean": round(float(np.mean(late)), 3) if late else None,
        "missing": sum(a is None for a, b in pairs if b is not None),
    }
