"""The scheduler of a clock: plays parts in the order of their beats, slightly ahead of time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from cmaudio.callbacks import ANY_ERROR, call_guarded
from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.faults import described
from cmaudio.timing.driver import Driver
from cmaudio.timing.tempo import next_multiple
from cmaudio.timing.transport import BEAT_MAX, Transport

_LATE_SECONDS = 0.08  # notes later than this are dropped


class Part(Protocol):
    """Something played in time. Parts due at the same beat are played in the order of `priority`; the lock is held.

    A `lasting` part continues when `Scheduler.clear` ends everything else.
    """

    priority: int
    lasting: bool

    def due(self) -> float | None:
        """The beat of the next event; None when there is none."""

    def play(self, at: float) -> Callable[[], object] | None:
        """Do what is due, at this sample; a function returned is called without the lock."""

    def begin(self, beat: float) -> None:
        """Start from the beginning, at this beat."""

    def seek(self, beat: float, jumped: bool) -> None:
        """Continue at this beat; `jumped`: the clock was not there before."""

    def silence(self, at: int) -> None:
        """Release sounding notes at a sample, and cancel those that would start later."""


class Scheduler(Transport):
    """The part of a `Clock` that plays parts.

    Attributes:
        late: number of notes and calls that were late and happened immediately.
        dropped: number of notes and calls that were too late and did not happen.
        scheduled_to: everything due before this sample is scheduled.
    """

    def __init__(
        self, engine: Engine, driver: Driver, tempo: float, on_notice: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(engine, driver, tempo)
        self.late = self.dropped = self.scheduled_to = 0
        self._on_notice = on_notice
        self._parts: list[Part] = []
        self._end: float | None = None
        self._calling: tuple[int, float] | None = None  # thread and beat of the function being called
        driver.begin(self._advance)

    def finish(self, beat: float) -> None:
        """End everything at a beat."""
        self._end = in_range("beat", beat, 0, BEAT_MAX, "beats")

    def clear(self) -> None:
        """End everything now, except lasting parts."""
        with self.lock:
            for part in tuple(self._parts):
                if not part.lasting:
                    self.drop(part)

    def close(self) -> None:
        """End everything, and the driver."""
        with self.lock:
            for part in tuple(self._parts):
                self.drop(part)
        self._driver.close()

    # -- called by the parts -----------------------------------------------------------------------------------------

    def add(self, part: Part) -> None:
        """Play a part."""
        self._parts.append(part)
        self.wake()

    def has(self, part: Part) -> bool:
        """Whether a part is still played."""
        return part in self._parts

    @property
    def alone(self) -> bool:
        """Whether nothing is playing and nothing else leads, so that the beat may be chosen freely."""
        return not self._parts and self.led_by is None

    def drop(self, part: Part) -> None:
        """End a part at once."""
        with self.lock:
            if part in self._parts:
                self._parts.remove(part)
                part.silence(self.soon())

    def next_beat(self, beats: float) -> float:
        """The next multiple of `beats`; for 0 the current beat. Within a function of `every`, counted from its beat."""
        called = self._called_for()
        here = self.map.beat_at(self.soon()) if called is None else called
        return next_multiple(here, beats) if beats else here

    def boundary(self, beats: float) -> float:
        """The next multiple of `beats` for which nothing is scheduled yet."""
        return next_multiple(self.map.beat_at(self.edge), beats)

    @property
    def edge(self) -> float:
        """The first sample for which nothing is scheduled yet; within a function of `every`, the sample of its beat."""
        return super().edge if self._called_for() is None else self._last_event

    def _called_for(self) -> float | None:
        """The beat of the function of `every` that is calling, if any."""
        calling = self._calling
        return calling[1] if calling is not None and calling[0] == threading.get_ident() else None

    def in_time(self, sample: int) -> int | None:
        """When to play what is due at `sample`: now if slightly late, never (None) if far too late."""
        now = self.engine.now
        if sample >= now:
            return sample
        if sample < now - _LATE_SECONDS * self.engine.sample_rate:
            self.dropped += 1
            return None
        self.late += 1
        return now

    def wake(self) -> None:
        """Make the driver advance now."""
        self._driver.wake()

    # -- within ------------------------------------------------------------------------------------------------------

    def _advance(self, until: int) -> bool:
        """Schedule everything due before a sample; returns whether there may be more later."""
        while True:
            with self.lock:
                part, beat = self._next()
                at = self.map.sample_at(beat)
                if part is None or at >= until:
                    self.scheduled_to = until
                    self._forget()
                    return part is not None and self.running
                self._last_event = max(self._last_event, at)
                call = self._guarded(part, partial(part.play, at))
            if callable(call):
                self._calling = (threading.get_ident(), beat)
                self._guarded(part, call)
                self._calling = None

    def _next(self) -> tuple[Part | None, float]:
        """The part due first, and its beat."""
        first: tuple[float, int, Part] | None = None
        for part in tuple(self._parts):
            beat = cast("float | None", self._guarded(part, part.due))
            if beat is None:
                if part in self._parts:
                    self._parts.remove(part)
            elif self._end is not None and beat >= self._end:
                self._parts.remove(part)
                part.silence(self.sample(self._end))
            elif first is None or (beat, part.priority) < first[:2]:
                first = (beat, part.priority, part)
        return (None, 0.0) if first is None else (first[2], first[0])

    def _guarded(self, part: Part, call: Callable[[], object]) -> object:
        """The result of `call`; an error in it ends only its part."""
        try:
            return call()
        except ANY_ERROR as error:
            try:
                self.drop(part)
            except ANY_ERROR as further:  # its notes could not be released
                self._notice(f"{part!r}: {described(further)}")
            self._notice(f"{part!r} ended: {type(error).__name__}: {error}")
            return None

    def _notice(self, text: str) -> None:
        if self._on_notice is None:
            warnings.warn(text, stacklevel=2)
            return
        call_guarded(self._on_notice, text)

    def _rewind(self, sample: int, beat: float, jumped: bool, restart: bool) -> None:
        for part in self._parts:
            part.silence(sample)
            if restart:
                part.begin(beat)
            else:
                part.seek(beat, jumped)
