"""The transport: start, stop, jumps and changes of tempo, as a tempo map that grows while time passes.

Events already scheduled keep their time, and changes take effect after them. Only stops and jumps are immediate: they
cancel what has not been heard.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cmaudio.callbacks import Subscribers
from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.timing.driver import Driver
from cmaudio.timing.tempo import TEMPO_RANGE, TempoMap

BEAT_MAX = 1e9
Kind = Literal["tempo", "start", "stop", "locate"]
_LOCK_BEATS = 0.5  # span over which the beat is steered to another clock's
_PULL_MAX = 0.5  # of the tempo
_REMEMBERED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Change:
    """A requested change of the transport, as opposed to small corrections while it follows another clock.

    Attributes:
        kind: "tempo", "start", "stop" or "locate" (a jump).
        sample: when it takes effect.
        beat: the beat there; for "locate" the target of the jump.
    """

    kind: Kind
    sample: float
    beat: float


class Transport(ABC):
    """The part of a `Clock` that keeps time.

    Attributes:
        map: which beat falls on which sample.
        lock: held to read or change several things consistently.
        led_by: the name of what else sets tempo and beat, such as "Ableton Link"; MIDI clock is then ignored.
    """

    def __init__(self, engine: Engine, driver: Driver, tempo: float) -> None:
        self.engine, self._driver = engine, driver
        self.lock = threading.RLock()
        start = self.soon()
        self.map = TempoMap(engine.sample_rate, tempo, start)
        self.led_by: str | None = None
        self._followed = self._pulled = 0.0  # another clock's tempo, and the tempo by which its beat is reached
        self._changes = Subscribers[[Change]]()
        engine.set_effects_tempo(tempo, start)
        engine.set_beat(0.0, start)
        self._last_event = start - 1.0  # the sample of the last event scheduled

    def subscribe(self, listener: Callable[[Change], object]) -> Callable[[], None]:
        """Call `listener` with every `Change`, while the lock is held; returns a function that unsubscribes."""
        return self._changes.subscribe(listener)

    def _notify(self, kind: Kind, sample: float, beat: float) -> None:
        if kind in ("start", "locate"):
            self.engine.set_beat(beat, sample)
        self._changes.notify(Change(kind, sample, beat))

    @property
    def beat(self) -> float:
        """The beat of the engine's next sample."""
        return self.map.beat_at(self.engine.now)

    @property
    def tempo(self) -> float:
        """Beats per minute; setting it keeps the current beat. While another clock is followed, that one's tempo."""
        tempo = self.map.tempo_at(self.edge)
        return self._followed if tempo == self._pulled else tempo

    @tempo.setter
    def tempo(self, tempo: float) -> None:
        self.set_tempo(tempo)

    def set_tempo(self, tempo: float, at: float | None = None) -> None:
        """Change the tempo from beat `at` on, by default as soon as possible.

        Raises CmaudioError if it is out of range, or planned for a beat while Ableton Link leads.
        """
        with self.lock:
            if at is not None and self.led_by is not None:
                raise CmaudioError(f"{self.led_by} changes tempos at once: omit the beat, or use `every`")
            edge = self.edge
            self._forget()
            if at is None or self.map.sample_at(at) <= edge:
                self.map.set_tempo(tempo, edge)
                self.engine.set_effects_tempo(tempo, math.ceil(edge))
            else:
                self.map.plan_tempo(tempo, at)
                if (sample := self.map.sample_at(at)) < math.inf:
                    self.engine.set_effects_tempo(tempo, math.ceil(sample))
            self._notify("tempo", edge, self.map.beat_at(edge))

    @property
    def running(self) -> bool:
        """Whether the clock runs."""
        return self.map.running_at(self.edge)

    def soon(self) -> int:
        """The first sample at which something requested now can happen."""
        return self._driver.soon()

    def sample(self, beat: float) -> int:
        """The engine's sample of a beat, for `at=`. Raises CmaudioError while the clock is stopped before it."""
        sample = self.map.sample_at(beat)
        if sample == math.inf:
            raise CmaudioError(f"beat {beat:g} has no time while the clock is stopped: start it")
        return max(0, round(sample))

    def start(self, beat: float = 0.0) -> None:
        """Run from a beat; all parts start from their first step."""
        self.locate(beat, restart=True)
        self.resume()

    def resume(self, at: int | None = None) -> None:
        """Run from the current beat, at a sample, by default immediately."""
        with self.lock:
            if not self.running:
                sample = self.soon() if at is None else at
                self.map.start(sample)
                self._last_event = sample - 1.0
                self._notify("start", sample, self.map.beat_at(sample))
        self.wake()

    def stop(self) -> None:
        """Stop immediately. Sounding notes are released; events not heard yet are played when it resumes."""
        with self.lock:
            if self.running:
                sample = self.soon()
                self.map.stop(sample)
                self._last_event = float(sample)
                self._rewind(sample, self.map.beat_at(sample), jumped=False, restart=False)
                self._notify("stop", sample, self.map.beat_at(sample))

    def locate(self, beat: float, restart: bool = False) -> None:
        """Jump to another beat, running or stopped; `restart`: all parts restart there from their first step."""
        to = in_range("beat", beat, 0, BEAT_MAX, "beats")
        with self.lock:
            sample = self.soon()
            self.map.locate(sample, to)
            self._last_event = sample - 1.0
            self._rewind(sample, to, jumped=True, restart=restart)
            self._notify("locate", sample, to)
        self.wake()

    def follow(self, tempo: float, beat_at: Callable[[float], float] | None) -> None:
        """Follow another clock's tempo, and its beat if `beat_at`, which returns the beat of a sample, is given."""
        low, high = TEMPO_RANGE
        tempo = min(high, max(low, tempo))
        with self.lock:
            edge = self.edge
            self._forget()
            self.map.drop_planned(edge)
            self.engine.set_effects_tempo(tempo, math.ceil(edge))
            if beat_at is None or not self.running:
                self.map.set_tempo(tempo, edge)
                return
            here = self.map.beat_at(edge)
            self.engine.set_beat(here, edge)
            pull = min(_PULL_MAX, max(-_PULL_MAX, (beat_at(edge) - here) / _LOCK_BEATS))
            self._followed, self._pulled = tempo, min(high, max(low, tempo * (1 + pull)))
            self.map.set_tempo(self._pulled, edge)
            self.map.plan_tempo(tempo, here + _LOCK_BEATS)

    @property
    def edge(self) -> float:
        """The first sample for which nothing is scheduled yet."""
        return max(self._last_event + 1, float(self.soon()))

    def _forget(self) -> None:
        self.map.forget_before(self.engine.now - _REMEMBERED_SECONDS * self.engine.sample_rate)

    @abstractmethod
    def wake(self) -> None:
        """Schedule new events now."""

    @abstractmethod
    def _rewind(self, sample: int, beat: float, jumped: bool, restart: bool) -> None:
        """Cancel events after a sample; all parts continue from a beat, or restart there."""
