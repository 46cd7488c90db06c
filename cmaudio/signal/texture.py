"""Measures of a texture on its recordings, frame by frame, from the log-mel spectrogram only.

| measure | of a frame | over | unit |
|---|---|---|---|
| intensity | level | 1 s | dB |
| density | onsets a second, in eight parts of the spectrum | 2 s | log2 of (1 + onsets a second) |
| sharpness | centroid of the mel spectrum | 0.5 s | bands |
| tonality | standard deviation of the spectrum about its mean over 9 bands | 0.5 s | dB |
| roughness | change from frame to frame, mean over bands | 0.5 s | dB |

Shapes: T frames, M mel bands. Log-mel is the natural logarithm of an amplitude.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

MEASURES = ("intensity", "density", "sharpness", "tonality", "roughness")
_DB = 20 / np.log(10)
_ACTIVE_DB = 10.0  # above the floor
_NEIGHBOURS = 4  # bands on either side, for tonality
_PARTS, _ONSET_DB = 8, 4.0
_ONSET_FRAMES, _USUAL_FRAMES = 3, 12  # on either side

Array = NDArray[np.float64]


def measure_texture(log_mel: Float, frame_rate: float, floor: float) -> Mapping[str, Array]:
    """Each of `MEASURES` (T,) of log-mel (T, M) with a floor (amplitude)."""
    decibels = _DB * log_mel.astype(np.float64)
    floor_db = _DB * np.log(floor)
    power = np.exp(2 * log_mel.astype(np.float64))
    half = np.sqrt(np.stack([smoothed(band, 0.5 * frame_rate) for band in power.T], 1))  # (T, M)
    bands, loud = np.arange(log_mel.shape[1]), np.maximum(half - floor, 1e-3 * floor)
    return {
        "intensity": 10 * np.log10(smoothed(power.mean(1), frame_rate) + 1e-20),
        "density": np.log2(1 + smoothed(onsets(decibels, floor_db), 2 * frame_rate) * frame_rate),
        "sharpness": loud @ bands / loud.sum(1),
        "tonality": _ripple(_DB * np.log(half), floor_db),
        "roughness": smoothed(_changes(decibels, floor_db), 0.5 * frame_rate),
    }


def onsets(decibels: Array, floor_db: float) -> Array:
    """(T, M) -> (T,) number of eight parts of the spectrum whose level rise peaks, 4 dB above its median."""
    raised = np.maximum(decibels, floor_db + _ACTIVE_DB)
    parts = np.stack([part.mean(1) for part in np.array_split(raised, _PARTS, axis=1)], 1)
    rise = np.maximum(np.diff(parts, axis=0, prepend=parts[:1]), 0)
    usual, peak = np.median(_around(rise, _USUAL_FRAMES), -1), _around(rise, _ONSET_FRAMES).max(-1)
    return ((rise >= peak) & (rise > usual + _ONSET_DB)).sum(1).astype(np.float64)


def _around(values: Array, frames: int) -> Array:
    """(T, P) -> (T, P, 2 frames + 1), the neighbours in time of each."""
    padded = np.pad(values, ((frames, frames), (0, 0)), mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1, axis=0)


def smoothed(values: Array, frames: float) -> Array:
    """(T,) -> (T,) mean under a Hann window of this many frames, truncated at the ends."""
    window = np.hanning(max(3, round(frames)) // 2 * 2 + 3)[1:-1]
    half = len(window) // 2
    whole = (np.convolve(x, window)[half : half + len(values)] for x in (values, np.ones(len(values))))
    total, weight = whole
    return total / weight


def _ripple(spectrum: Array, floor_db: float) -> Array:
    """(T, M) dB -> (T,)."""
    width = 2 * _NEIGHBOURS + 1
    padded = np.pad(spectrum, ((0, 0), (_NEIGHBOURS, _NEIGHBOURS)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, width, axis=1).mean(-1)
    active = spectrum > floor_db + _ACTIVE_DB
    return np.sqrt((np.square(spectrum - around) * active).sum(1) / np.maximum(active.sum(1), 1))


def _changes(decibels: Array, floor_db: float) -> Array:
    """(T, M) dB -> (T,)."""
    active = decibels > floor_db + _ACTIVE_DB
    change = np.abs(np.diff(decibels, axis=0, prepend=decibels[:1]))
    return (change * active).sum(1) / np.maximum(active.sum(1), 1)
