"""The gains of a voice in the mix: pressure, level, pan, distance, and its effect sends.

Every read needs them, and they rarely move: constant gains are cached until the next change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from cmaudio.score.expression import PRESSURE_DB, SENDS
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.distance import direct_gain, sent_level
from cmaudio.synthesis.placement import side_gains, side_gains_over
from cmaudio.synthesis.trajectory import Trajectory

Level = Float | float
_EXPRESSIONS = ("pressure", "level", "pan", "spread", "distance", *SENDS)


@dataclass(frozen=True)
class _Resting:
    """The gains of a voice whose expressions are constant; `level` and `sides` (2, 1) are None where they are 1."""

    level: np.float32 | None
    sides: Float | None
    direct: Level
    sends: tuple[tuple[str, Level], ...]


class VoiceGains:
    """The gains of one voice, N samples at a time.

    Args:
        expression: of the voice, by name; call `changed` whenever one of them is moved or replaced.
    """

    def __init__(self, expression: Mapping[str, Trajectory]) -> None:
        self._expression = expression
        self._place = 0.0
        self._cached: _Resting | None = None

    @property
    def place(self) -> float:
        """Position in the stereo image of the keyboard or drum kit, -1 (left) to 1; "spread" scales it."""
        return self._place

    @place.setter
    def place(self, place: float) -> None:
        self._place = place
        self.changed()

    def changed(self) -> None:
        """Discard the cached gains."""
        self._cached = None

    def apply(self, out: Float, start: int) -> Float:
        """Samples (N,) or (2, N) from voice time `start` on, with pressure, level and pan applied."""
        resting = self._resting(start)
        if resting is None:
            return self._apply_moving(out, start)
        if resting.level is not None:
            out = out * resting.level
        return out if out.ndim == 1 or resting.sides is None else out * resting.sides

    def routed(self, start: int, samples: int) -> tuple[Level, Iterable[tuple[str, Level]]]:
        """(N,) gain of the direct sound, and the effects with a send and its level (N,); numbers if constant."""
        resting = self._resting(start)
        if resting is None:
            return self._direct(start, samples), self._sends(start, samples)
        return resting.direct, resting.sends

    def _resting(self, start: int) -> _Resting | None:
        if self._cached is None and all(self._expression[name].rests_at(start) for name in _EXPRESSIONS):
            if self._expression["pressure"].target:
                return None
            level, place = float(self._expression["level"].target), self._resting_place()
            self._cached = _Resting(
                np.power(10.0, level / 20).astype(np.float32) if level else None,
                side_gains(place) if place else None,
                self._direct(start, 1),
                tuple(self._sends(start, 1)),
            )
        return self._cached

    def _resting_place(self) -> float:
        pan, spread = self._expression["pan"], self._expression["spread"]
        return min(1.0, max(-1.0, float(pan.target) + self._place * float(spread.target)))

    def _apply_moving(self, out: Float, start: int) -> Float:
        count = out.shape[-1]
        span = np.arange(start, start + count, dtype=np.float64)
        pressure = self._expression["pressure"]
        if not pressure.rests_at(start) or pressure.target:
            out = out * (10 ** (PRESSURE_DB / 20 * pressure.at(span))).astype(np.float32)
        level = self._expression["level"].over(start, count)
        if isinstance(level, np.ndarray) or level:
            out = out * np.power(10.0, level / 20).astype(np.float32)
        if out.ndim == 1:
            return out
        pan, spread = self._expression["pan"], self._expression["spread"]
        if pan.rests_at(start) and (not self._place or spread.rests_at(start)):
            place = self._resting_place()
            return out * side_gains(place) if place else out
        return out * side_gains_over(np.clip(pan.at(span) + self._place * spread.at(span), -1, 1))

    def _direct(self, start: int, samples: int) -> Level:
        return direct_gain(self._expression["distance"].over(start, samples))

    def _sends(self, start: int, samples: int) -> Iterable[tuple[str, Level]]:
        distance = self._expression["distance"].over(start, samples)
        for name in SENDS:
            level = sent_level(name, self._expression[name].over(start, samples), distance)
            if not isinstance(level, float) or level:
                yield name, level
