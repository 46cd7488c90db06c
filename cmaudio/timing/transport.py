"""Where the beat is, and how it starts, stops, jumps and changes its tempo: a tempo map that is said bit by bit.

What was scheduled ahead stays: what is changed takes effect after it. Only standing still and jumping are immediate:
what was not heard yet is called back.
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

from cmaudio.checks import in_range
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.timing.driver import Driver
from cmaudio.timing.tempo import TEMPO_RANGE, TempoMap

BEAT_MAX = 1e9
_LOCK_BEATS = 0.5  # over which the beat leans towards another clock's
_LEAN_MAX = 0.5  # of the tempo
_REMEMBERED_SECONDS = 2.0


class Transport(ABC):
    """The part of a `Clock` that knows the time.

    Attributes:
        map: which beat falls on which sample; `lock` is held to read or change what belongs together.
    """

    def __init__(self, engine: Engine, driver: Driver, tempo: float) -> None:
        self.engine, self._driver = engine, driver
        self.lock = threading.RLock()
        start = self.soon()
        self.map = TempoMap(engine.sample_rate, tempo, start)
        self._said = start - 1.0  # the sample of what was scheduled last

    @property
    def beat(self) -> float:
        """Where it is: the beat of the sample that is made next."""
        return self.map.beat_at(self.engine.now)

    @property
    def tempo(self) -> float:
        """Beats a minute; set, the beat goes on from where it is."""
        return self.map.tempo_at(self.edge)

    @tempo.setter
    def tempo(self, tempo: float) -> None:
        self.set_tempo(tempo)

    def set_tempo(self, tempo: float, at: float | None = None) -> None:
        """Another tempo from beat `at` on, by default as soon as may be. Raises CmaudioError for one out of range."""
        with self.lock:
            edge = self.edge
            self._forget()
            if at is None or self.map.sample_at(at) <= edge:
                self.map.set_tempo(tempo, edge)
            else:
                self.map.plan_tempo(tempo, at)

    @property
    def running(self) -> bool:
        """Whether the beat moves."""
        return self.map.running_at(self.edge)

    def soon(self) -> int:
        """The first sample at which what is asked for now can happen."""
        return self._driver.soon()

    def sample(self, beat: float) -> int:
        """The engine's sample of a beat, for `at=`. Raises CmaudioError while the clock stands before it."""
        sample = self.map.sample_at(beat)
        if sample == math.inf:
            raise CmaudioError(f"beat {beat:g} has no time while the clock stands: start it")
        return max(0, round(sample))

    def start(self, beat: float = 0.0) -> None:
        """From the top: from a beat on, all that plays begins anew."""
        self.locate(beat, anew=True)
        self.resume()

    def resume(self, at: int | None = None) -> None:
        """Go on from where it stands. `at`: a sample, at once by default."""
        with self.lock:
            if not self.running:
                sample = self.soon() if at is None else at
                self.map.start(sample)
                self._said = sample - 1.0
        self.wake()

    def stop(self) -> None:
        """Stand still, at once; what sounds is let go, and what was not heard yet is played when it goes on."""
        with self.lock:
            if self.running:
                sample = self.soon()
                self.map.stop(sample)
                self._said = float(sample)
                self._rewind(sample, self.map.beat_at(sample), jumped=False, anew=False)

    def locate(self, beat: float, anew: bool = False) -> None:
        """Go to another beat, running or standing; `anew`: what plays begins at its top there."""
        to = in_range("beat", beat, 0, BEAT_MAX, "beats")
        with self.lock:
            sample = self.soon()
            self.map.locate(sample, to)
            self._said = sample - 1.0
            self._rewind(sample, to, jumped=True, anew=anew)
        self.wake()

    def follow(self, tempo: float, beat_at: Callable[[float], float] | None) -> None:
        """Take another clock's tempo, and lean towards its beat, which `beat_at` tells for a sample (None: unknown)."""
        low, high = TEMPO_RANGE
        tempo = min(high, max(low, tempo))
        with self.lock:
            edge = self.edge
            self._forget()
            self.map.drop_planned(edge)
            if beat_at is None or not self.running:
                self.map.set_tempo(tempo, edge)
                return
            here = self.map.beat_at(edge)
            lean = min(_LEAN_MAX, max(-_LEAN_MAX, (beat_at(edge) - here) / _LOCK_BEATS))
            self.map.set_tempo(min(high, max(low, tempo * (1 + lean))), edge)
            self.map.plan_tempo(tempo, here + _LOCK_BEATS)

    @property
    def edge(self) -> float:
        """The first sample for which nothing was scheduled yet."""
        return max(self._said + 1, float(self.soon()))

    def _forget(self) -> None:
        self.map.forget_before(self.engine.now - _REMEMBERED_SECONDS * self.engine.sample_rate)

    @abstractmethod
    def wake(self) -> None:
        """Something is to be played."""

    @abstractmethod
    def _rewind(self, sample: int, beat: float, jumped: bool, anew: bool) -> None:
        """Call back what begins after a sample; what plays goes on from a beat."""
