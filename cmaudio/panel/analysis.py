"""Measurements of the sound for the page: loudness, pitch and waveform."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

from cmaudio.instrument.recorder import Recorder
from cmaudio.signal.dsp import Float
from cmaudio.signal.live_loudness import SILENT_LUFS, LiveLoudness
from cmaudio.signal.pitch import LOWEST_HZ, sounding_hz

SCOPE_POINTS = 256
_SCOPE_SECONDS = 0.02
_MAX_SECONDS = 3.0  # maximum backlog after a time without open pages
_PITCH_EVERY = 2  # messages: a tuner that changes twenty times per second is unreadable


class Analysis:
    """Follows a recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._next = recorder, recorder.made_samples
        self._loudness = LiveLoudness(recorder.sample_rate, recorder.recorded_channels)
        self._count, self._hz = 0, 0.0

    def message(self) -> dict[str, Any]:
        """`lufs`: momentary and short-term, None for silence; `hz`: the pitch, 0 for none; `scope`: see below.

        The waveform is `SCOPE_POINTS` signed bytes of each side in base64, triggered at a rising zero crossing.
        """
        end, rate = self._recorder.made_samples, self._recorder.sample_rate
        start = max(self._next, end - round(_MAX_SECONDS * rate))
        self._next = end
        if end > start:
            self._loudness.add(self._last(end - start, end))
        self._count += 1
        if self._count % _PITCH_EVERY == 0:
            samples = self._last(min(end, 3 * math.ceil(rate / LOWEST_HZ)), end)
            self._hz = sounding_hz(samples.mean(1), rate)
        lufs = (self._loudness.momentary, self._loudness.short_term)
        return {
            "lufs": [None if value <= SILENT_LUFS else round(value, 1) for value in lufs],
            "hz": round(self._hz, 2),
            "scope": self._scope(end),
        }

    def _last(self, count: int, end: int) -> Float:
        """(count, C) samples up to `end`."""
        parts = [*self._recorder.samples(end - count, end)]
        samples = np.concatenate(parts) if parts else np.zeros((0, self._recorder.recorded_channels), np.float32)
        return samples.reshape(len(samples), self._recorder.recorded_channels)

    def _scope(self, end: int) -> str:
        length = round(_SCOPE_SECONDS * self._recorder.sample_rate)
        samples = self._last(min(end, 2 * length), end)
        if len(samples) < 2 * length:
            return ""
        middle = samples.mean(1)
        rises = np.flatnonzero((middle[:length] < 0) & (middle[1 : length + 1] >= 0))
        first = int(rises[-1]) if len(rises) else 0
        places = first + np.linspace(0, length - 1, SCOPE_POINTS).astype(np.int64)
        points = np.clip(np.round(127 * samples[places]), -127, 127).astype(np.int8)
        return base64.b64encode(np.ascontiguousarray(points.T).tobytes()).decode()
