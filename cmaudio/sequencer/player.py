"""A playing pattern: the next step and its time, what it plays, and the switch to another pattern.

The pattern is read again at every step, so that a change takes effect at the next one.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from functools import partial

from cmaudio.controls.controls import Controls
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import AutomationLane, GridPattern, nearest_step
from cmaudio.sequencer.unroll import PlannedNote, earliest_shift, notes_of_step
from cmaudio.timing.held_notes import HeldNotes
from cmaudio.timing.sequencer import Sequencer
from cmaudio.timing.steps import swung
from cmaudio.timing.tempo import SAME_BEAT

_MOVES_A_STEP = 6  # per step, of a control that moves linearly
_REMEMBERED = 64  # steps
_SOURCE = "clock"


class GridPlayer:
    """Plays the patterns of a bank on a clock; created by `StepSequencer.play`. The clock's lock guards it.

    Args:
        sequencer: the clock.
        controls: supply timbre and seed; automation moves them.
        bank: the present patterns.
        name: of the pattern to start with.
        start: the beat at which it starts.
    """

    lasting = False
    priority = 1

    def __init__(
        self, sequencer: Sequencer, controls: Controls, bank: Callable[[], PatternBank], name: str, start: float
    ) -> None:
        self._sequencer, self._controls, self._bank, self.name = sequencer, controls, bank, name
        self.queued: tuple[float, str] | None = None  # beat and name of the pattern that comes next
        self._pending: list[tuple[float, int, Callable[[float], object]]] = []  # a heap by beat
        self._order = itertools.count()
        self._held = HeldNotes()
        self._passed: deque[tuple[float, str, int]] = deque(maxlen=_REMEMBERED)  # sample, pattern and step
        self._shape = (1, 1.0)  # length and division with which the next step was counted
        self._settle(start)

    def __repr__(self) -> str:
        return f"<pattern {self.name!r} of the step sequencer>"

    @property
    def pattern(self) -> GridPattern:
        """The present pattern; the first of the bank if it was removed."""
        patterns = self._bank().patterns
        return next((each for each in patterns if each.name == self.name), patterns[0])

    @property
    def position(self) -> tuple[str, int] | None:
        """Pattern and step of the engine's present sample; None before the first."""
        now = self._sequencer.engine.now
        return next(((name, index) for sample, name, index in reversed(tuple(self._passed)) if sample <= now), None)

    def step_at(self, beat: float) -> tuple[int, float]:
        """The step whose onset is nearest to a beat, and by what fraction of a step the beat is later."""
        pattern = self.pattern
        count, late = nearest_step((beat - self._anchor) / pattern.division, pattern.swing)
        return (self._first + count) % pattern.length, late

    # -- called by the clock -----------------------------------------------------------------------------------------

    def due(self) -> float:
        """The beat of the next event."""
        first = self._pending[0][0] if self._pending else math.inf
        return min(self._decision(), self._held.next_release, first)

    def play(self, at: float) -> None:
        """Release, start or decide what is due, at this sample."""
        decision = self._decision()
        first = self._pending[0][0] if self._pending else math.inf
        if self._held.next_release <= min(decision, first):
            self._held.release_next(at)
        elif first <= decision:
            heapq.heappop(self._pending)[2](at)
        else:
            self._decide(decision)

    def begin(self, beat: float) -> None:
        """Start from the first step, at this beat."""
        if self.queued is not None:
            self.name = self.queued[1]
        self._settle(beat)

    def seek(self, beat: float, jumped: bool) -> None:
        """Continue at the first step not before this beat."""
        if jumped and self.queued is not None:
            bar = self._bank().bar
            self.name = self.queued[1]
            self._settle(math.floor((beat + SAME_BEAT) / bar) * bar)
        self._pending.clear()
        self._count = math.floor((beat - self._anchor) / self._shape[1]) - 1
        while self._beat_of(self._count) < beat - SAME_BEAT:
            self._count += 1
        if self._first + self._count < 0:  # the clock has gone back before the start
            self._first += math.ceil(-(self._first + self._count) / self._shape[0]) * self._shape[0]
        self._floor = beat

    def silence(self, at: int) -> None:
        """Release sounding notes at a sample, and cancel those that would start later."""
        self._held.silence(at)
        self._pending.clear()

    # -- within ------------------------------------------------------------------------------------------------------

    def _settle(self, beat: float) -> None:
        """The first step of the pattern falls on this beat."""
        self.queued = None
        self._pending.clear()
        self._moved: dict[str, float] = {}
        self._floor = beat  # nothing may happen before this beat
        self._align(beat)

    def _align(self, beat: float) -> None:
        # Step `_first` of all rounds falls on beat `_anchor`, and `_count` steps later is the next.
        pattern = self.pattern
        self._anchor, self._first, self._count = beat, 0, 0
        self._shape = (pattern.length, pattern.division)

    def _beat_of(self, place: float) -> float:
        """The beat of a position in steps from the anchor."""
        return self._anchor + swung(place, self.pattern.swing) * self._shape[1]

    def _decision(self) -> float:
        """The beat at which the next step is decided: its onset, or earlier if any of its notes is early."""
        if self.queued is not None and self._anchor + self._count * self._shape[1] >= self.queued[0] - SAME_BEAT:
            (beat, self.name), self.queued = self.queued, None
            self._align(beat)
        pattern = self.pattern
        if (pattern.length, pattern.division) != self._shape:
            self._reshape(pattern)
        early = earliest_shift(pattern, (self._first + self._count) % pattern.length)
        return max(self._floor, self._beat_of(self._count + early))

    def _reshape(self, pattern: GridPattern) -> None:
        """Continue with the next step after a change of length or division; every second step stays swung."""
        length, division = self._shape
        number, index = divmod(self._first + self._count, length)
        number, index = (number, index) if index < pattern.length else (number + 1, 0)
        beat, odd = self._anchor + self._count * division, index % 2
        self._anchor, self._first, self._count = (
            beat - odd * pattern.division,
            number * pattern.length + index - odd,
            odd,
        )
        self._shape = (pattern.length, pattern.division)

    def _decide(self, now: float) -> None:
        """Schedule what the next step does."""
        pattern, count = self.pattern, self._count
        number, index = divmod(self._first + count, pattern.length)
        for lane in pattern.automation:
            for move in range(_MOVES_A_STEP if lane.smooth else 1):
                self._automate(lane, index + move / _MOVES_A_STEP, count - index, pattern.length)
        for note in notes_of_step(pattern, number, index):
            place = note.place - index + count
            begin, beats = self._beat_of(place), self._beat_of(place + note.steps) - self._beat_of(place)
            begin = max(now, begin)
            self._later(begin, partial(self._start, note, begin + beats))
        self._passed.append((self._sequencer.map.sample_at(self._beat_of(count)), pattern.name, index))
        self._count, self._floor = count + 1, now

    def _later(self, beat: float, act: Callable[[float], object]) -> None:
        heapq.heappush(self._pending, (beat, next(self._order), act))

    def _automate(self, lane: AutomationLane, place: float, offset: float, length: int) -> None:
        value = lane.value_at(place, length)
        if value is not None and self._moved.get(lane.control) != value:
            self._moved[lane.control] = value
            self._later(max(self._floor, self._beat_of(place + offset)), partial(self._move, lane.control, value))

    def _move(self, control: str, value: float, at: float) -> None:
        self._controls.set(control, value, _SOURCE, round(at))

    def _start(self, planned: PlannedNote, end: float, at: float) -> None:
        lane, engine, controls = planned.lane, self._sequencer.engine, self._controls
        sample = self._sequencer.in_time(round(at))
        if sample is None:
            return
        pad = None if lane.pad is None else engine.model.drum_keys.get(lane.pad)
        timbre = lane.pad if pad is not None else lane.timbre
        channel = lane.channel if pad is None else PERCUSSION_CHANNEL
        for order, pitch in enumerate(planned.pitches if pad is None else (pad,)):
            note = engine.note_on(
                pitch,
                planned.velocity,
                timbre=controls.vector if timbre is None else timbre,
                seed=(planned.seed + order) >> 1 if controls.seed is None else controls.seed,
                channel=channel,
                at=sample,
            )
            self._held.add(end, note, sample, sample - round(at), engine.now)
