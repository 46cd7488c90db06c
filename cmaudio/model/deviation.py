"""Deviation of a timbre's pitch from its key, in a model file; exact pitch without an entry.

Measured key by key on recordings. A held note has several kinds of it: the pitch settles after the onset (scoop), all
partials are modulated together, periodically (vibrato, rotary speaker) or not (wander), and each partial is modulated
independently, in level as well, where several players or detuned layers sound at once (spread). Reeds and drawbars of
constant level beat, and hardly move in frequency (low turning).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cmaudio.strict import Strict, check_ascending

MOST_KEYS = 128

Key = Annotated[int, Field(ge=0, le=127)]
Depth = Annotated[float, Field(ge=0, le=200)]
Seconds = Annotated[float, Field(ge=0, le=20)]
Rate = Annotated[float, Field(gt=0, le=20)]
Share = Annotated[float, Field(ge=0, le=1)]
Bend = Annotated[float, Field(ge=-200, le=200)]


class KeyDeviation(Strict):
    """The deviation of one recorded key.

    Attributes:
        key: MIDI note number.
        vibrato_cents: amplitude of the common periodic modulation.
        vibrato_hz: its rate.
        from_s: seconds after the onset at which it starts.
        full_s: seconds after the onset from which it has its full depth.
        scoop_cents: offset of the pitch at the onset.
        scoop_s: time constant with which it settles.
        spread_cents: standard deviation of the frequencies that make up each partial.
        moving: share of a partial's power beside its strongest component: 0 steady, 1 no component prevails.
        first_moves: how much of `moving` the lowest partial has.
        turning: 1 if beating partials also move in frequency, 0 if they only beat in level.
        wander_cents: standard deviation of the common modulation besides the vibrato.
        wander_hz: its rate.
    """

    key: Key
    vibrato_cents: Depth = 0.0
    vibrato_hz: Rate = 5.0
    from_s: Seconds = 0.0
    full_s: Seconds = 0.0
    scoop_cents: Bend = 0.0
    scoop_s: Seconds = 0.05
    spread_cents: Depth = 0.0
    moving: Share = 0.0
    first_moves: Share = 1.0
    turning: Share = 1.0
    wander_cents: Depth = 0.0
    wander_hz: Rate = 1.0


class Deviation(NamedTuple):
    """The values of `KeyDeviation`, numbers or arrays of one shape."""

    vibrato_cents: NDArray[np.float64]
    vibrato_hz: NDArray[np.float64]
    from_s: NDArray[np.float64]
    full_s: NDArray[np.float64]
    scoop_cents: NDArray[np.float64]
    scoop_s: NDArray[np.float64]
    spread_cents: NDArray[np.float64]
    moving: NDArray[np.float64]
    first_moves: NDArray[np.float64]
    turning: NDArray[np.float64]
    wander_cents: NDArray[np.float64]
    wander_hz: NDArray[np.float64]


class PitchDeviation(Strict):
    """The deviations of a timbre's keys, interpolated between keys and constant beyond the last."""

    keys: Annotated[list[KeyDeviation], Field(min_length=1, max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _ordered(self) -> PitchDeviation:
        check_ascending([deviation.key for deviation in self.keys])
        return self


MOMENTS = 13


class MomentsByKey:
    """The deviation of one timbre at any key, in a form that can be averaged; `from_moments` is the inverse."""

    def __init__(self, of: PitchDeviation) -> None:
        self._keys = [deviation.key for deviation in of.keys]
        self._rows = np.array([_moments(deviation) for deviation in of.keys])
        self._slopes = np.diff(self._rows, axis=0) / np.diff(self._keys)[:, None]

    def __call__(self, key: float) -> NDArray[np.float64]:
        """(MOMENTS,) values at a MIDI note number."""
        below = bisect_right(self._keys, key) - 1
        if below < 0 or below == len(self._slopes):
            return np.array(self._rows[max(0, below)])
        return np.array(self._rows[below] + self._slopes[below] * (key - self._keys[below]))


def _moments(of: KeyDeviation) -> tuple[float, ...]:
    """Rates and times are weighted by depth: a timbre without vibrato must not count in the mean rate."""
    depth, scoop = of.vibrato_cents, abs(of.scoop_cents)
    return (
        depth,
        depth * of.vibrato_hz,
        depth * of.from_s,
        depth * of.full_s,
        of.scoop_cents,
        scoop,
        scoop * of.scoop_s,
        of.spread_cents,
        of.spread_cents * of.moving,
        of.spread_cents * of.moving * of.first_moves,
        of.spread_cents * of.turning,
        of.wander_cents,
        of.wander_cents * of.wander_hz,
    )


def from_moments(moments: NDArray[np.float64]) -> Deviation:
    """(..., MOMENTS) -> values of shape (...)."""
    depth, rate, start, full, scoop, steep, settle, spread, moving, first, turning, wander, pace = np.moveaxis(
        moments, -1, 0
    )
    some, bent, wide, most, far = (np.maximum(x, 1e-9) for x in (depth, steep, spread, moving, wander))
    settles = np.maximum(settle / bent, 1e-3)
    layers = spread, moving / wide, first / most, turning / wide
    return Deviation(depth, rate / some, start / some, full / some, scoop, settles, *layers, wander, pace / far)
