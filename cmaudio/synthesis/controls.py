"""From a note's life to the numbers the networks read: trajectories in time, and per-frame note features.

Shapes: B voices, T frames, C control channels. Times are samples of the voice's own clock, 0 = its onset.
"""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.signal.dsp import Float

NOTE_FEATURES = 16
UNPITCHED_SEMITONES = 60.0  # what the network reads as the pitch of sounds that have none
# Training notes last 3.4 s; a clock that ran past that would show the network numbers it never saw.
_CLOCK_MAX_SECONDS = 3.3


class Trajectory:
    """A value (scalar or vector) over time, piecewise linear, known up to its last breakpoint and constant after it."""

    def __init__(self, value: ArrayLike) -> None:
        self._times: list[float] = [0.0]
        self._values = [np.asarray(value, np.float64)]

    @property
    def target(self) -> NDArray[np.float64]:
        """The value at which it comes to rest."""
        return self._values[-1]

    def rests_at(self, time: float) -> bool:
        """Whether nothing moves from `time` on."""
        return len(self._times) == 1 or self._times[-1] <= time

    def move(self, at: float, value: ArrayLike, over: float) -> None:
        """From `at` on go to `value` within `over` samples; whatever was planned after `at` is dropped."""
        start = self.at(np.array([at]))[0]
        keep = sum(time < at for time in self._times)
        self._times[keep:] = [at, at + max(over, 1.0)]
        self._values[keep:] = [start, np.asarray(value, np.float64)]

    def forget_before(self, time: float) -> None:
        """Drop breakpoints that can no longer be asked for, so that an hour of bends does not pile up."""
        while len(self._times) > 2 and self._times[1] < time:
            del self._times[0], self._values[0]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) times -> (N, *value shape)."""
        if len(self._times) == 1 or not len(times):
            return np.full((len(times), *self._values[0].shape), self._values[0])
        # Only the pieces that are asked for: a wheel in motion leaves hundreds.
        first = max(0, bisect_right(self._times, times.min()) - 1)
        last = max(first + 2, bisect_right(self._times, times.max()) + 1)
        first = min(first, len(self._times) - 2)
        known = np.array(self._times[first:last])
        right = np.clip(np.searchsorted(known, times, side="right"), 1, len(known) - 1)
        left = right - 1
        span = known[right] - known[left]
        weight = np.clip((times - known[left]) / span, 0, 1)
        values = np.stack(self._values[first:last])
        weight = weight.reshape(-1, *([1] * (values.ndim - 1)))
        return values[left] + weight * (values[right] - values[left])


def semitones_to_hz(semitones: NDArray[np.float64]) -> NDArray[np.float64]:
    """MIDI note numbers (69 = 440 Hz) to Hz, equal temperament."""
    return 440.0 * np.exp2((semitones - 69.0) / 12.0)


def note_features(
    since_onset: NDArray[np.float64],
    since_release: NDArray[np.float64],
    semitones: NDArray[np.float64],
    pitch: NDArray[np.float64],
    velocity: NDArray[np.float64],
) -> Float:
    """The 16 numbers a frame that tell the network where in its life a note is, beside the picture of its harmonics.

    Args:
        since_onset, since_release: (B, T) seconds to the frame's end, negative before the event.
        semitones: (B, T) sounding pitch, bend included. pitch, velocity: (B,) as struck, velocity 1..127.
    Returns:
        (B, T, 16) float32.
    """
    on = np.minimum(since_onset, _CLOCK_MAX_SECONDS)
    off = np.minimum(since_release, _CLOCK_MAX_SECONDS)
    on_positive, off_positive = np.maximum(on, 0), np.maximum(off, 0)
    columns = (
        on > 0,
        off > 0,
        (semitones - 60) / 24,
        np.broadcast_to((pitch[:, None] - 60) / 24, semitones.shape),
        np.broadcast_to(velocity[:, None] / 64 - 1, semitones.shape),
        np.log1p(50 * on_positive) / 4,
        np.log1p(50 * off_positive) / 4,
        np.clip(on, -0.05, 0.05) * 40,
        np.exp(-20 * on_positive),
        np.exp(-3 * on_positive),
        np.exp(-0.7 * on_positive),
        np.exp(-8 * off_positive),
        np.sin(0.26 * semitones),
        np.cos(0.26 * semitones),
        np.sin(1.05 * semitones),
        np.cos(1.05 * semitones),
    )
    return np.stack(columns, -1).astype(np.float32)


def harmonic_picture(log_mel: Float) -> Float:
    """Log-mel of the harmonic excitation, brought to about unit range: the network sees where every harmonic falls."""
    return (log_mel + np.float32(5)) / np.float32(3)
