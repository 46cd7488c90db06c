"""What a clock plays beside patterns: functions that are called again and again, and controls that move over beats."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from cmaudio.timing.sequencer import Sequencer
from cmaudio.timing.tempo import next_multiple

_MOVES_A_BEAT = 24


class Repeated:
    """A function that is called every so many beats, a little before its time, with its beat; made by `Clock.every`."""

    priority = 0

    def __init__(self, sequencer: Sequencer, beats: float, function: Callable[[float], object], first: float) -> None:
        self._sequencer, self._beats, self._function = sequencer, beats, function
        self._count: int | None = round(first / beats)

    def __repr__(self) -> str:
        return f"{getattr(self._function, '__name__', self._function)} every {self._beats:g} beats"

    def due(self) -> float | None:
        """The beat of the next call; None once it was stopped."""
        return None if self._count is None else self._count * self._beats

    def play(self, at: float) -> Callable[[], object] | None:
        """What is to be called, without the clock's lock."""
        beat = self.due()
        if beat is None:
            return None
        self._count = round(beat / self._beats) + 1
        return None if self._sequencer.in_time(round(at)) is None else partial(self._function, beat)

    def begin(self, beat: float) -> None:
        """The clock starts at this beat."""
        self.seek(beat, True)

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock goes on at this beat; no beat's call is made twice but after a jump."""
        if jumped and self._count is not None:
            self._count = round(next_multiple(beat, self._beats) / self._beats)

    def silence(self, at: int) -> None:
        """It has no notes."""

    def stop(self) -> None:
        """Call it no more."""
        self._count = None


class Glide:
    """A control on its way to a value; made by `Clock.glide`. A hand that moves the control meanwhile ends it."""

    priority = 0

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
        """The beat of the next move."""
        over = self._over or self._done > self._moves
        return None if over else self._start + self._beats * self._done / self._moves

    def play(self, at: float) -> None:
        """Move on."""
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
        """The clock starts at this beat: what is left of the way is as long as before."""
        self._start = beat - self._beats * self._done / self._moves

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock goes on at this beat."""
        if jumped:
            self.begin(beat)

    def silence(self, at: int) -> None:
        """It has no notes."""

    def stop(self) -> None:
        """Leave the control where it is."""
        self._over = True
