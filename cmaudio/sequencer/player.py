"""Plays patterns and songs: which step comes next and when, what it plays, and which pattern follows.

Patterns and song are read at every step, so that a change takes effect at the next one.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from cmaudio.controls.controls import Controls
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import AutomationLane, GridPattern, nearest_step
from cmaudio.sequencer.unroll import PlannedNote, earliest_shift, notes_of_step, sections_of
from cmaudio.timing.held_notes import HeldNotes
from cmaudio.timing.scheduler import Scheduler
from cmaudio.timing.steps import swung
from cmaudio.timing.tempo import SAME_BEAT

_MOVES_A_STEP = 6  # of a control that moves in a line
_REMEMBERED = 64  # steps, and patterns
_SOURCE = "clock"


@dataclass(frozen=True)
class Playing:
    """A pattern that plays from a beat on.

    Attributes:
        beat: of step `first`.
        name: of the pattern.
        part: of the song, counted from 0; None while a pattern plays by itself.
        first: the step on that beat, counted through all rounds.
    """

    beat: float
    name: str
    part: int | None = None
    first: int = 0


class GridPlayer:
    """Plays patterns of a bank, or its song, on a clock; created by `StepSequencer.play`. The clock's lock guards it.

    Args:
        scheduler: the clock.
        controls: supply timbre and seed; automation moves them.
        bank: the present patterns.
        start: the first pattern.

    Attributes:
        current: the pattern that plays.
        queued: the pattern that replaces it, if any.
    """

    lasting = False
    priority = 1

    def __init__(
        self, scheduler: Scheduler, controls: Controls, bank: Callable[[], PatternBank], start: Playing
    ) -> None:
        self._scheduler, self._controls, self._bank = scheduler, controls, bank
        self.queued: Playing | None = None
        self._pending: list[tuple[float, int, Callable[[float], object]]] = []  # a heap by beat
        self._order, self._held = itertools.count(), HeldNotes()
        self._passed: deque[tuple[float, Playing, int]] = deque(maxlen=_REMEMBERED)  # sample, pattern and step
        self._recent: deque[Playing] = deque(maxlen=_REMEMBERED)
        self._end: float | None = None  # of the song
        self.current, self._shape = start, (1, 1.0)
        self._settle(start)

    def __repr__(self) -> str:
        return f"<step sequencer playing {self.current.name!r}{'' if self.current.part is None else ' of its song'}>"

    @property
    def plays_song(self) -> bool:
        """Whether the song plays, or is queued."""
        return (self.queued or self.current).part is not None

    @property
    def position(self) -> tuple[Playing, int] | None:
        """Pattern and step of the engine's present sample; None before the first."""
        now = self._scheduler.engine.now
        passed = reversed(tuple(self._passed))
        return next(((playing, index) for sample, playing, index in passed if sample <= now), None)

    def step_at(self, beat: float) -> tuple[str, int, float]:
        """Pattern and step whose onset is nearest to a beat, and by how much of a step the beat is later."""
        recent = [playing for playing in self._recent if beat >= playing.beat - self._pattern(playing).division / 2]
        playing = recent[-1] if recent else self._recent[0]
        pattern = self._pattern(playing)
        count, late = nearest_step((beat - playing.beat) / pattern.division, pattern.swing)
        return pattern.name, (playing.first + count) % pattern.length, late

    def rename(self, old: str, new: str) -> None:
        """Follow the renaming of a pattern."""

        def renamed(playing: Playing) -> Playing:
            return replace(playing, name=new) if playing.name == old else playing

        self.current, self.queued = renamed(self.current), self.queued and renamed(self.queued)
        self._recent = deque(map(renamed, self._recent), _REMEMBERED)

    # -- called by the clock -----------------------------------------------------------------------------------------

    def due(self) -> float | None:
        """The beat of the next event; None after the end of the song."""
        first = min(self._planning_beat(), self._held.next_release, self._next_pending)
        return None if first == math.inf else first

    def play(self, at: float) -> None:
        """Do what is due at this sample: release a note, start one, or plan the next step."""
        planning, pending = self._planning_beat(), self._next_pending
        if self._held.next_release <= min(planning, pending):
            self._held.release_next(at)
        elif pending <= planning:
            heapq.heappop(self._pending)[2](at)
        elif self._end is not None:
            self._end = math.inf
        else:
            self._plan_step(planning)

    def begin(self, beat: float) -> None:
        """Start from the first step, at this beat."""
        playing, parts = self.queued or self.current, self._bank().song.parts
        in_song = playing.part is not None and parts
        self._settle(Playing(beat, parts[0].pattern, 0) if in_song else Playing(beat, playing.name))

    def seek(self, beat: float, jumped: bool) -> None:
        """Continue at the first step not before this beat."""
        if jumped and self.queued is not None:
            bar = self._bank().bar
            self._settle(replace(self.queued, beat=math.floor((beat + SAME_BEAT) / bar) * bar))
        elif self.current.part is not None:
            self._find_part(beat)
        self._pending.clear()
        self._count = math.floor((beat - self.current.beat) / self._shape[1]) - 1
        while self._beat_of(self._count) < beat - SAME_BEAT:
            self._count += 1
        if self.current.first + self._count < 0:  # the clock has gone back before the start: a song waits for it
            rounds = math.ceil(-(self.current.first + self._count) / self._shape[0])
            if self.current.part is None:
                self.current = replace(self.current, first=self.current.first + rounds * self._shape[0])
            else:
                self._count = -self.current.first
        self._floor = beat

    def silence(self, at: int) -> None:
        """Release sounding notes at a sample, and cancel those that would start later."""
        self._held.silence(at)
        self._pending.clear()

    # -- which pattern plays -----------------------------------------------------------------------------------------

    def _pattern(self, playing: Playing) -> GridPattern:
        """The pattern as it is now; the first of the bank if it was removed."""
        patterns = self._bank().patterns
        return next((each for each in patterns if each.name == playing.name), patterns[0])

    def _settle(self, playing: Playing) -> None:
        """Start with this pattern; nothing that was planned happens."""
        self.queued = None
        self._pending.clear()
        self._moved: dict[str, float] = {}
        self._floor = playing.beat  # nothing may happen before
        self._began = playing.beat
        self._take(playing)

    def _take(self, playing: Playing) -> None:
        pattern = self._pattern(playing)
        self.current, self._count = playing, 0  # steps from `first` to the next one
        self._shape = pattern.length, pattern.division  # while steps are counted
        self._end = None
        self._recent.append(playing)

    def _follow(self) -> None:
        """Switch to the queued pattern, or to the next part of the song, if it is due."""
        beat = self.current.beat + self._count * self._shape[1]
        if self.queued is not None and beat >= self.queued.beat - SAME_BEAT:
            queued, self.queued = self.queued, None
            self._began = queued.beat
            self._take(queued)
        elif self.current.part is not None:
            parts = self._bank().song.parts
            rounds = parts[self.current.part].rounds if self.current.part < len(parts) else 0
            number, index = divmod(self.current.first + self._count, self._shape[0])
            if index == 0 and number >= rounds:
                self._take_part(self.current.part + 1, beat)

    def _take_part(self, index: int, beat: float) -> None:
        song = self._bank().song
        index = 0 if index >= len(song.parts) and song.loop else index
        if index < len(song.parts):
            self._take(Playing(beat, song.parts[index].pattern, index))
        elif self.queued is not None:
            self.queued = replace(self.queued, beat=beat)
            self._follow()
        else:
            self._end = beat

    def _find_part(self, beat: float) -> None:
        """Switch to the part of the song at a beat."""
        sections, part = sections_of(self._bank()), self.current.part
        if part is None or part >= len(sections):
            return
        start = self.current.beat - self.current.first * self._shape[1] - sections[part].beat
        if self._bank().song.loop:
            length = sections[-1].end
            start = max(self._began, start + math.floor((beat - start + SAME_BEAT) / length) * length)
        here = max(0.0, beat - start)
        index = next((i for i, section in enumerate(sections) if here < section.end - SAME_BEAT), None)
        if index is None:
            self._end = math.inf
        else:
            self._take(Playing(start + sections[index].beat, sections[index].pattern.name, index))

    # -- steps -------------------------------------------------------------------------------------------------------

    def _beat_of(self, place: float) -> float:
        """The beat of a place in steps from the current pattern's beat."""
        return self.current.beat + swung(place, self._pattern(self.current).swing) * self._shape[1]

    @property
    def _next_pending(self) -> float:
        return self._pending[0][0] if self._pending else math.inf

    def _planning_beat(self) -> float:
        """The beat at which the next step is planned: its onset, or earlier if it has early notes."""
        if self._end is None:
            pattern = self._pattern(self.current)
            if (pattern.length, pattern.division) != self._shape:
                self._reshape(pattern)
            self._follow()
        if self._end is not None:
            return self._end
        pattern = self._pattern(self.current)
        early = earliest_shift(pattern, (self.current.first + self._count) % pattern.length)
        return max(self._floor, self._beat_of(self._count + early))

    def _reshape(self, pattern: GridPattern) -> None:
        """Continue with the next step after a change of length or division; every second step stays swung."""
        length, division = self._shape
        number, index = divmod(self.current.first + self._count, length)
        number, index = (number, index) if index < pattern.length else (number + 1, 0)
        beat, odd = self.current.beat + self._count * division, index % 2
        first = number * pattern.length + index - odd
        self._take(replace(self.current, beat=beat - odd * pattern.division, first=first))
        self._count = odd

    def _plan_step(self, now: float) -> None:
        """Plan the notes and automation of the next step."""
        pattern, count = self._pattern(self.current), self._count
        number, index = divmod(self.current.first + count, pattern.length)
        for lane in pattern.automation:
            for move in range(_MOVES_A_STEP if lane.smooth else 1):
                self._automate(lane, index + move / _MOVES_A_STEP, count - index, pattern.length)
        for note in notes_of_step(pattern, number, index):
            place = note.place - index + count
            begin, beats = self._beat_of(place), self._beat_of(place + note.steps) - self._beat_of(place)
            begin = max(now, begin)
            self._later(begin, partial(self._start, note, begin + beats))
        self._passed.append((self._scheduler.map.sample_at(self._beat_of(count)), self.current, index))
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
        lane, engine, controls = planned.lane, self._scheduler.engine, self._controls
        sample = self._scheduler.in_time(round(at))
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
