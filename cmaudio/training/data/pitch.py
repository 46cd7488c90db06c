"""Pitch of a recording with SwiftF0 (Nieradzik 2025, arXiv 2508.18440): what conditions a network on real sound."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from cmaudio.controls import UNPITCHED_SEMITONES
from cmaudio.dsp import Float
from cmaudio.errors import CmaudioError

_DETECTOR_RATE = 16_000
_VOICED_CONFIDENCE = 0.5  # the detector's own calibration
_PEAK = 0.5  # faint recordings are raised to this: below a peak of 0.001 the detector hears silence


@cache
def _detector() -> Any:
    try:
        import swift_f0
    except ImportError as error:
        raise CmaudioError("swift-f0 is missing, which tracks pitch: pip install swift-f0") from error
    return swift_f0.SwiftF0(threads=1)


def track_pitch(
    audio: Float,
    sample_rate: int,
    centres_samples: NDArray[np.float64],
    *,
    f_min_hz: float | None = None,
    f_max_hz: float | None = None,
) -> tuple[Float, Float]:
    """Fundamental frequency at given times.

    Args:
        audio: (N,) samples. centres_samples: (T,) where to tell it, in samples from the start, rising.
        f_min_hz, f_max_hz: bounds within the detector's own 47 Hz to 2094 Hz.
    Returns:
        (T,) semitones (MIDI note numbers), interpolated where nothing is voiced and 60 where nothing ever is; (T,) 1
        for voiced, 0 for not.
    """
    resampled = soxr.resample(audio.astype(np.float32), sample_rate, _DETECTOR_RATE)
    peak = float(np.abs(resampled).max(initial=0))
    if peak == 0:
        return np.full(len(centres_samples), UNPITCHED_SEMITONES, np.float32), np.zeros(
            len(centres_samples), np.float32
        )
    found = _detector().detect(resampled * (_PEAK / peak), _DETECTOR_RATE, f_min_hz, f_max_hz)
    seconds = centres_samples / sample_rate
    sure = found.confidence >= _VOICED_CONFIDENCE
    if not sure.any():
        return np.full(len(seconds), UNPITCHED_SEMITONES, np.float32), np.zeros(len(seconds), np.float32)
    detected = 69 + 12 * np.log2(found.pitch_hz[sure] / 440)
    semitones = np.interp(seconds, found.timestamps[sure], detected)
    return semitones.astype(np.float32), sure[_nearest(found.timestamps, seconds)].astype(np.float32)


def _nearest(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the time nearest to each wanted one; both rise."""
    right = np.searchsorted(times, wanted).clip(0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(wanted - times[left] <= times[right] - wanted, left, right)


def frame_centres(frames: int, hop_length: int) -> NDArray[np.float64]:
    """(T,) samples from the start to the middle of every hop."""
    return (np.arange(frames, dtype=np.float64) + 0.5) * hop_length
