"""Parts of a clock besides patterns: functions called periodically, and gradual changes of controls."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from cmaudio.timing.scheduler import Scheduler
from cmaudio.timing.tempo import next_multiple

_MOVES_A_BEAT = 24


class Repeated:
    """A function called periodically with the beat, slightly before it is due; created by `Clock.every`."""

    priority, lasting = 0, False

    def __init__(self, scheduler: Scheduler, beats: float, function: Callable[[float], object], first: float) -> None:
        self._scheduler, self._beats, self._function = scheduler, beats, function
        self._count: int | None = round(first / beats)

    def __repr__(self) -> str:
        return f"{getattr(self._function, '__name__', self._function)} every {self._beats:g} beats"

    def due(self) -> float | None:
        """The beat of the next call; None once stopped."""
        return None if self._count is None else self._count * self._beats

    def play(self, at: float) -> Callable[[], object] | None:
        """The call to make, outside the clock's lock."""
        beat = self.due()
        if beat is None:
            return None
        self._count = round(beat / self._beats) + 1
        return None if self._scheduler.in_time(round(at)) is None else partial(self._function, beat)

    def begin(self, beat: float) -> None:
        """The clock starts at this beat."""
        self.seek(beat, True)

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock continues at this beat; no call is repeated, except after a jump."""
        if jumped and self._count is not None:
            self._count = round(next_multiple(beat, self._beats) / self._beats)

    def silence(self, at: int) -> None:
        """There are no notes."""

    def stop(self) -> None:
        """Make no further calls."""
        self._count = None


class Glide:
    """A gradual change of a control; created by `Clock.glide`. It ends early if the control is set by anything else."""

    priority, lasting = 0, False

    def __init__(
        self,
        get: Callable[[], float],
        move: Callable[[float, int], object],
        to: float,
        beats: float,
        start: float,
    ) -> None:
        self._get, self._move, self._to, self._start = get, move, to, start
        self._moves, self._done = max(1, round(beats * _MOVES_A_BEAT)), 0
        self._beats = beats
        self._from = self._last = math.nan
        self._over = False

    def due(self) -> float | None:
        """The beat of the next change."""
        over = self._over or self._done > self._moves
        return None if over else self._start + self._beats * self._done / self._moves

    def play(self, at: float) -> None:
        """Make the next change."""
        value = self._get()
        if self._done == 0:
            self._from = self._last = value
        self._over |= value != self._last
        if not self._over and self._done:
            share = self._done / self._moves
            self._move(self._from + share * (self._to - self._from) if share < 1 else self._to, round(at))
            self._last = self._get()
        self._done += 1

    def begin(self, beat: float) -> None:
        """The clock starts at this beat: the rest of the glide takes as long as before."""
        self._start = beat - self._beats * self._done / self._moves

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock continues at this beat."""
        if jumped:
            self.begin(beat)

    def silence(self, at: int) -> None:
        """There are no notes."""

    def stop(self) -> None:
        """Leave the control at its current value."""
        self._over = True
