"""What plays in time: parts that say when they are due, taken in the order of their beats, a little ahead."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Protocol

from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.timing.driver import Driver
from cmaudio.timing.tempo import next_multiple
from cmaudio.timing.transport import BEAT_MAX, Transport

_LATE_SECONDS = 0.08  # later than that a note is worse than none


class Part(Protocol):
    """What is played. Parts that are due at the same beat take turns by `priority`; the lock is held."""

    priority: int

    def due(self) -> float | None:
        """The beat of what comes next; None when it is over."""

    def play(self, at: float) -> Callable[[], object] | None:
        """Do what is due, at this sample; what it returns is called without the lock."""

    def begin(self, beat: float) -> None:
        """From the top, at this beat."""

    def seek(self, beat: float, jumped: bool) -> None:
        """Go on at this beat; `jumped`: it is not where the clock was."""

    def silence(self, at: int) -> None:
        """Let go of what sounds at a sample, and call back what would begin later."""


class Sequencer(Transport):
    """The part of a `Clock` that plays.

    Attributes:
        late, dropped: notes and calls that came late (and were played at once), and too late to be played.
        looked_to: all that is due before this sample was scheduled.
    """

    def __init__(
        self, engine: Engine, driver: Driver, tempo: float, on_notice: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(engine, driver, tempo)
        self.late = self.dropped = self.looked_to = 0
        self._on_notice = on_notice
        self._parts: list[Part] = []
        self._end: float | None = None
        self._calling: tuple[int, float] | None = None  # thread and beat of the function that is being called
        driver.begin(self._advance)

    def finish(self, beat: float) -> None:
        """All that plays, now or by then, ends at a beat."""
        self._end = in_range("beat", beat, 0, BEAT_MAX, "beats")

    def clear(self) -> None:
        """All that plays ends now."""
        with self.lock:
            for part in tuple(self._parts):
                self.drop(part)

    def close(self) -> None:
        """The same, for good."""
        self.clear()
        self._driver.close()

    # -- what its parts ask ------------------------------------------------------------------------------------------

    def add(self, part: Part) -> None:
        """Play it too."""
        self._parts.append(part)
        self.wake()

    def has(self, part: Part) -> bool:
        """Whether it is still played."""
        return part in self._parts

    def drop(self, part: Part) -> None:
        """Play it no more, at once."""
        with self.lock:
            if part in self._parts:
                self._parts.remove(part)
                part.silence(self.soon())

    def next_beat(self, beats: float) -> float:
        """The next multiple of `beats`; for 0 the beat that is now, or that of the function which asks."""
        called = self._called_for()
        here = self.map.beat_at(self.soon()) if called is None else called
        return next_multiple(here, beats) if beats else here

    def boundary(self, beats: float) -> float:
        """The next multiple of `beats` for which nothing was scheduled yet."""
        return next_multiple(self.map.beat_at(self.edge), beats)

    @property
    def edge(self) -> float:
        """The first sample for which nothing was scheduled yet; to a function that is being called, its beat's."""
        return super().edge if self._called_for() is None else self._said

    def _called_for(self) -> float | None:
        """The beat of the function that asks, if one does."""
        calling = self._calling
        return calling[1] if calling is not None and calling[0] == threading.get_ident() else None

    def in_time(self, sample: int) -> int | None:
        """The sample for what was to be at one: a little late it is played at once, and much too late not (None)."""
        now = self.engine.now
        if sample >= now:
            return sample
        if sample < now - _LATE_SECONDS * self.engine.sample_rate:
            self.dropped += 1
            return None
        self.late += 1
        return now

    def wake(self) -> None:
        """There is something to do."""
        self._driver.wake()

    # -- within ------------------------------------------------------------------------------------------------------

    def _advance(self, until: int) -> bool:
        """Play all that is due before a sample; returns whether there may be more later."""
        while True:
            with self.lock:
                part, beat = self._next()
                at = self.map.sample_at(beat)
                if part is None or at >= until:
                    self.looked_to = until
                    self._forget()
                    return part is not None and self.running
                self._said = max(self._said, at)
                call = self._guarded(part, partial(part.play, at))
            if callable(call):
                self._calling = (threading.get_ident(), beat)
                self._guarded(part, call)
                self._calling = None

    def _next(self) -> tuple[Part | None, float]:
        """The part that is due first, and when."""
        first: tuple[float, int, Part] | None = None
        for part in tuple(self._parts):
            beat = part.due()
            if beat is None:
                self._parts.remove(part)
            elif self._end is not None and beat >= self._end:
                self._parts.remove(part)
                part.silence(self.sample(self._end))
            elif first is None or (beat, part.priority) < first[:2]:
                first = (beat, part.priority, part)
        return (None, 0.0) if first is None else (first[2], first[0])

    def _guarded(self, part: Part, call: Callable[[], object]) -> object:
        """What it returns; an error in it ends the part, and nothing else."""
        try:
            return call()
        except Exception as error:
            self.drop(part)
            self._notice(f"{part!r} ended: {type(error).__name__}: {error}")
            return None

    def _notice(self, text: str) -> None:
        if self._on_notice is None:
            warnings.warn(text, stacklevel=2)
            return
        try:
            self._on_notice(text)
        except Exception:
            sys.excepthook(*sys.exc_info())

    def _rewind(self, sample: int, beat: float, jumped: bool, anew: bool) -> None:
        for part in self._parts:
            part.silence(sample)
            if anew:
                part.begin(beat)
            else:
                part.seek(beat, jumped)
