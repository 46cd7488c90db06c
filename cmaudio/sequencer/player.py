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
from cmaudio.timing.sequencer import Sequencer
from cmaudio.timing.steps import swung
from cmaudio.timing.tempo import SAME_BEAT

_MOVES_A_STEP = 6  # of a control that moves in a line
_REMEMBERED = 64  # steps, and turns
_SOURCE = "clock"


@dataclass(frozen=True)
class Turn:
    """A pattern that plays from a beat on.

    Attributes:
        beat: of step `first`.
        name: of the pattern.
        part: of the song, counted from 0; None while a pattern plays by itself.
        first: a step, counted through all rounds.
    """

    beat: float
    name: str
    part: int | None = None
    first: int = 0


class GridPlayer:
    """Plays patterns of a bank, or its song, on a clock; created by `StepSequencer.play`. The clock's lock guards it.

    Args:
        sequencer: the clock.
        controls: supply timbre and seed; automation moves them.
        bank: the present patterns.
        start: the first turn.

    Attributes:
        turn: the present turn.
        queued: the turn that replaces it, if any.
    """

    lasting = False
    priority = 1

    def __init__(self, sequencer: Sequencer, controls: Controls, bank: Callable[[], PatternBank], start: Turn) -> None:
        self._sequencer, self._controls, self._bank = sequencer, controls, bank
        self.queued: Turn | None = None
        self._pending: list[tuple[float, int, Callable[[float], object]]] = []  # a heap by beat
        self._order = itertools.count()
        self._held = HeldNotes()
        self._passed: deque[tuple[float, Turn, int]] = deque(maxlen=_REMEMBERED)  # sample, turn and step
        self._turns: deque[Turn] = deque(maxlen=_REMEMBERED)
        self.turn, self._count, self._shape = start, 0, (1, 1.0)  # shape: length and division while steps are counted
        self._end: float | None = None  # of the song
        self._settle(start)

    def __repr__(self) -> str:
        return f"<{'pattern' if self.turn.part is None else 'song with'} {self.turn.name!r} of the step sequencer>"

    @property
    def plays_song(self) -> bool:
        """Whether the song plays, or is queued."""
        return (self.queued or self.turn).part is not None

    @property
    def position(self) -> tuple[Turn, int] | None:
        """Turn and step of the engine's present sample; None before the first."""
        now = self._sequencer.engine.now
        return next(((turn, index) for sample, turn, index in reversed(tuple(self._passed)) if sample <= now), None)

    def step_at(self, beat: float) -> tuple[str, int, float]:
        """Pattern and step whose onset is nearest to a beat, and by how much of a step the beat is later."""
        turns = [turn for turn in self._turns if beat >= turn.beat - self._pattern(turn).division / 2]
        turn = turns[-1] if turns else self._turns[0]
        pattern = self._pattern(turn)
        count, late = nearest_step((beat - turn.beat) / pattern.division, pattern.swing)
        return pattern.name, (turn.first + count) % pattern.length, late

    def rename(self, old: str, new: str) -> None:
        """Follow the renaming of a pattern."""

        def renamed(turn: Turn) -> Turn:
            return replace(turn, name=new) if turn.name == old else turn

        self.turn, self.queued = renamed(self.turn), self.queued and renamed(self.queued)
        self._turns = deque(map(renamed, self._turns), _REMEMBERED)

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
        turn, parts = self.queued or self.turn, self._bank().song.parts
        in_song = turn.part is not None and parts
        self._settle(Turn(beat, parts[0].pattern, 0) if in_song else Turn(beat, turn.name))

    def seek(self, beat: float, jumped: bool) -> None:
        """Continue at the first step not before this beat."""
        if jumped and self.queued is not None:
            bar = self._bank().bar
            self._settle(replace(self.queued, beat=math.floor((beat + SAME_BEAT) / bar) * bar))
        elif self.turn.part is not None:
            self._find_part(beat)
        self._pending.clear()
        self._count = math.floor((beat - self.turn.beat) / self._shape[1]) - 1
        while self._beat_of(self._count) < beat - SAME_BEAT:
            self._count += 1
        if self.turn.first + self._count < 0:  # the clock has gone back before the start: a song waits for it
            rounds = math.ceil(-(self.turn.first + self._count) / self._shape[0])
            if self.turn.part is None:
                self.turn = replace(self.turn, first=self.turn.first + rounds * self._shape[0])
            else:
                self._count = -self.turn.first
        self._floor = beat

    def silence(self, at: int) -> None:
        """Release sounding notes at a sample, and cancel those that would start later."""
        self._held.silence(at)
        self._pending.clear()

    # -- turns -------------------------------------------------------------------------------------------------------

    def _pattern(self, turn: Turn) -> GridPattern:
        """The pattern of a turn; the first of the bank, where it was removed."""
        patterns = self._bank().patterns
        return next((each for each in patterns if each.name == turn.name), patterns[0])

    def _settle(self, turn: Turn) -> None:
        """Start with this turn; nothing that was planned happens."""
        self.queued = None
        self._pending.clear()
        self._moved: dict[str, float] = {}
        self._floor = turn.beat  # nothing may happen before
        self._began = turn.beat
        self._take(turn)

    def _take(self, turn: Turn) -> None:
        # Step `first` falls on the turn's beat; the next step is `_count` steps later.
        pattern = self._pattern(turn)
        self.turn, self._count, self._shape = turn, 0, (pattern.length, pattern.division)
        self._end = None
        self._turns.append(turn)

    def _follow(self) -> None:
        """Switch to the queued turn, or to the next part of the song, if it is due."""
        beat = self.turn.beat + self._count * self._shape[1]
        if self.queued is not None and beat >= self.queued.beat - SAME_BEAT:
            queued, self.queued = self.queued, None
            self._began = queued.beat
            self._take(queued)
        elif self.turn.part is not None:
            parts = self._bank().song.parts
            rounds = parts[self.turn.part].rounds if self.turn.part < len(parts) else 0
            number, index = divmod(self.turn.first + self._count, self._shape[0])
            if index == 0 and number >= rounds:
                self._take_part(self.turn.part + 1, beat)

    def _take_part(self, index: int, beat: float) -> None:
        song = self._bank().song
        index = 0 if index >= len(song.parts) and song.loop else index
        if index < len(song.parts):
            self._take(Turn(beat, song.parts[index].pattern, index))
        elif self.queued is not None:
            self.queued = replace(self.queued, beat=beat)
            self._follow()
        else:
            self._end = beat

    def _find_part(self, beat: float) -> None:
        """Switch to the part of the song at a beat."""
        sections, part = sections_of(self._bank()), self.turn.part
        if part is None or part >= len(sections):
            return
        start = self.turn.beat - self.turn.first * self._shape[1] - sections[part].beat
        if self._bank().song.loop:
            length = sections[-1].end
            start = max(self._began, start + math.floor((beat - start + SAME_BEAT) / length) * length)
        here = max(0.0, beat - start)
        index = next((i for i, section in enumerate(sections) if here < section.end - SAME_BEAT), None)
        if index is None:
            self._end = math.inf
        else:
            self._take(Turn(start + sections[index].beat, sections[index].pattern.name, index))

    # -- steps -------------------------------------------------------------------------------------------------------

    def _beat_of(self, place: float) -> float:
        """The beat of a place in steps from the turn's beat."""
        return self.turn.beat + swung(place, self._pattern(self.turn).swing) * self._shape[1]

    @property
    def _next_pending(self) -> float:
        return self._pending[0][0] if self._pending else math.inf

    def _planning_beat(self) -> float:
        """The beat at which the next step is planned: its onset, or earlier if it has early notes."""
        if self._end is None:
            pattern = self._pattern(self.turn)
            if (pattern.length, pattern.division) != self._shape:
                self._reshape(pattern)
            self._follow()
        if self._end is not None:
            return self._end
        pattern = self._pattern(self.turn)
        early = earliest_shift(pattern, (self.turn.first + self._count) % pattern.length)
        return max(self._floor, self._beat_of(self._count + early))

    def _reshape(self, pattern: GridPattern) -> None:
        """Continue with the next step after a change of length or division; every second step stays swung."""
        length, division = self._shape
        number, index = divmod(self.turn.first + self._count, length)
        number, index = (number, index) if index < pattern.length else (number + 1, 0)
        beat, odd = self.turn.beat + self._count * division, index % 2
        first = number * pattern.length + index - odd
        self._take(replace(self.turn, beat=beat - odd * pattern.division, first=first))
        self._count = odd

    def _plan_step(self, now: float) -> None:
        """Plan the notes and automation of the next step."""
        pattern, count = self._pattern(self.turn), self._count
        number, index = divmod(self.turn.first + count, pattern.length)
        for lane in pattern.automation:
            for move in range(_MOVES_A_STEP if lane.smooth else 1):
                self._automate(lane, index + move / _MOVES_A_STEP, count - index, pattern.length)
        for note in notes_of_step(pattern, number, index):
            place = note.place - index + count
            begin, beats = self._beat_of(place), self._beat_of(place + note.steps) - self._beat_of(place)
            begin = max(now, begin)
            self._later(begin, partial(self._start, note, begin + beats))
        self._passed.append((self._sequencer.map.sample_at(self._beat_of(count)), self.turn, index))
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
