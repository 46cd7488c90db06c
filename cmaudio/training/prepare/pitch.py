"""Pitch of recordings by SwiftF0 (Nieradzik 2025, arXiv 2508.18440), which networks are conditioned on."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES

_DETECTOR_RATE = 16_000
_HOP = 256  # of the detector, in samples at its rate: 16 ms
_PASSES = 2  # over the sound, offset by part of a hop: speech glides too fast for 16 ms
SURE = 0.5  # confidence, by the detector's own calibration
_PEAK = 0.5  # quiet recordings are normalised to this peak: below 0.001 the detector finds silence


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
    f_max_hz: float | None = None,
    least_confidence: float = SURE,
) -> tuple[Float, Float]:
    """Fundamental frequency at given times.

    Args:
        audio: (N,) samples.
        sample_rate: of the audio.
        centres_samples: (T,) times in samples from the start, ascending.
        f_max_hz: upper bound of the pitch; the detector's own is 2094 Hz.
        least_confidence: 0 to 0.5; frames of at least this are voiced if they adjoin frames of 0.5.
    Returns:
        (T,) semitones (MIDI note numbers), interpolated over unvoiced frames, 60 if nothing is voiced; (T,) 1
        for voiced, 0 for not.
    """
    resampled = soxr.resample(audio.astype(np.float32), sample_rate, _DETECTOR_RATE)
    peak = float(np.abs(resampled).max(initial=0))
    if peak == 0:
        return np.full(len(centres_samples), UNPITCHED_SEMITONES, np.float32), np.zeros(
            len(centres_samples), np.float32
        )
    times, pitch_hz, confidence = _detect(resampled * (_PEAK / peak), f_max_hz)
    seconds = centres_samples / sample_rate
    voiced = _voiced(confidence, least_confidence)
    if not voiced.any():
        return np.full(len(seconds), UNPITCHED_SEMITONES, np.float32), np.zeros(len(seconds), np.float32)
    semitones = np.interp(seconds, times[voiced], 69 + 12 * np.log2(pitch_hz[voiced] / 440))
    return semitones.astype(np.float32), voiced[_nearest(times, seconds)].astype(np.float32)


def _voiced(confidence: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Runs of at least the least confidence that contain a confident frame; noise has isolated weak ones."""
    possible = confidence >= least
    run = np.cumsum(np.diff(possible, prepend=False))
    voiced: NDArray[np.bool_] = possible & np.isin(run, run[confidence >= SURE])
    return voiced


def _detect(
    audio: Float, f_max_hz: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Time (seconds, ascending), pitch (Hz) and confidence of all passes together."""
    passes = []
    for late in range(0, _HOP, _HOP // _PASSES):
        found = _detector().detect(np.pad(audio, (late, 0)), _DETECTOR_RATE, None, f_max_hz)
        passes.append((found.timestamps - late / _DETECTOR_RATE, found.pitch_hz, found.confidence))
    times, pitch_hz, confidence = (np.concatenate(column) for column in zip(*passes, strict=True))
    order = np.argsort(times, kind="stable")
    return times[order], pitch_hz[order], confidence[order]


def _nearest(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the time nearest to each wanted one; both rise."""
    right = np.searchsorted(times, wanted).clip(0, len(times) - 1)
    left = np.maximum(right - 1, 0)
    return np.where(wanted - times[left] <= times[right] - wanted, left, right)


def frame_centres(frames: int, hop_length: int) -> NDArray[np.float64]:
    """(T,) samples from the start to the middle of every hop."""
    return (np.arange(frames, dtype=np.float64) + 0.5) * hop_length
