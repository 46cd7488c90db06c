"""Post-processing of a take: DC offset, trimming, fades and level."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.input.trigger import HYSTERESIS_DB, WINDOW_SECONDS, peak_db
from cmaudio.signal.dsp import Float
from cmaudio.signal.loudness import loudness_lufs

Level = Literal["peak", "loudness", "none"]
LEVELS: tuple[Level, ...] = get_args(Level)
PEAK_DB, LOUDNESS_LUFS = -1.0, -18.0
_LEAD_SECONDS, _TAIL_SECONDS = 0.01, 0.1  # kept around the part above the threshold
_FADE_IN_SECONDS, _FADE_OUT_SECONDS = 0.003, 0.03
_CLIPPED = 0.999
_IN_A_ROW = 3  # a single sample at full scale may be a peak that just fits


def checked_level(level: str) -> Level:
    """One of `LEVELS`. Raises CmaudioError otherwise."""
    for known in LEVELS:
        if level == known:
            return known
    raise CmaudioError(f"level must be one of {', '.join(LEVELS)}, not {level!r}")


def trimmed(samples: Float, sample_rate: int, threshold_db: float) -> Float:
    """The audible part of (N, C) samples, faded in over 3 ms and out over 30 ms, without DC offset."""
    samples = samples - samples.mean(0, keepdims=True)
    window = max(1, round(WINDOW_SECONDS * sample_rate))
    levels = np.array([peak_db(samples[at : at + window]) for at in range(0, len(samples), window)])
    sounding = np.flatnonzero(levels >= threshold_db - HYSTERESIS_DB)
    if not len(sounding):
        return samples
    first = max(0, sounding[0] * window - round(_LEAD_SECONDS * sample_rate))
    last = (sounding[-1] + 1) * window + round(_TAIL_SECONDS * sample_rate)
    found = samples[first:last].copy()
    for seconds, ramp in ((_FADE_IN_SECONDS, found), (_FADE_OUT_SECONDS, found[::-1])):
        length = min(len(found), round(seconds * sample_rate))
        ramp[:length] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(length) / max(1, length)))[:, None]
    return found


def levelled(samples: Float, sample_rate: int, level: Level, lufs: float = LOUDNESS_LUFS) -> tuple[Float, float]:
    """Samples (N, C) with a peak of -1 dB, or a loudness of `lufs` as far as that peak allows, and the gain in dB."""
    if level == "none":
        return samples, 0.0
    gain_db = PEAK_DB - 20 * float(np.log10(max(1e-6, float(np.abs(samples).max(initial=0.0)))))
    if level == "loudness":
        gain_db = min(gain_db, lufs - loudness_lufs(samples, sample_rate))
    return (samples * 10 ** (gain_db / 20)).astype(np.float32), gain_db


def clipped_samples(samples: Float) -> int:
    """The number of clipped samples in (N, C): at full scale, three or more in a row."""
    full = np.abs(samples) >= _CLIPPED
    found = 0
    for channel in full.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[0], channel.astype(np.int8), [0]])))
        runs = edges[1::2] - edges[::2]
        found += int(runs[runs >= _IN_A_ROW].sum())
    return found
