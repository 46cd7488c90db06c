"""The sections of a song, and the notes of a pattern's steps.

Random choices depend only on seed, round, step and lane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.sequencer.bank import PatternBank
from cmaudio.sequencer.grid import GridPattern, Lane


@dataclass(frozen=True)
class PlannedNote:
    """One note or chord.

    Attributes:
        lane: the lane that plays it.
        place: steps from the start of the round, without swing.
        steps: length in steps.
        pitches: MIDI note numbers; none for a pad.
        velocity: 1..127.
        seed: of its samples.
    """

    lane: Lane
    place: float
    steps: float
    pitches: tuple[int, ...]
    velocity: int
    seed: int


@dataclass(frozen=True)
class Section:
    """A part of a song: a pattern that plays from a beat on.

    Attributes:
        pattern: the pattern.
        beat: where it begins.
        rounds: how often it plays.
    """

    pattern: GridPattern
    beat: float
    rounds: int

    @property
    def end(self) -> float:
        """The beat after the last round."""
        return self.beat + self.rounds * self.pattern.beats


def sections_of(bank: PatternBank, beat: float = 0.0) -> list[Section]:
    """The sections of a bank's song, which begins at a beat."""
    sections: list[Section] = []
    for part in bank.song.parts:
        begin = sections[-1].end if sections else beat
        sections.append(Section(bank.pattern(part.pattern), begin, part.rounds))
    return sections


def sections_to_export(
    source: GridPattern | PatternBank, rounds: int = 1, tempo: float | None = None
) -> tuple[list[Section], str, float]:
    """Sections, title and tempo (by default that of the bank, or 120) of some rounds of a pattern, or of a song.

    Raises CmaudioError for a song without parts.
    """
    if isinstance(source, GridPattern):
        return [Section(source, 0.0, rounds)], source.name, 120.0 if tempo is None else tempo
    if not source.song.parts:
        raise CmaudioError("the song has no parts; add patterns to it")
    sections: list[Section] = []
    for _ in range(rounds):
        sections += sections_of(source, sections[-1].end if sections else 0.0)
    return sections, "song", tempo or source.tempo or 120.0


def notes_of_step(pattern: GridPattern, number: int, index: int) -> list[PlannedNote]:
    """The notes of a step in a round with a number from 0."""
    notes: list[PlannedNote] = []
    for order, lane in enumerate(pattern.lanes):
        step = lane.steps.get(index)
        if step is None or lane.muted:
            continue
        rng = np.random.default_rng((pattern.seed, number, index, order))
        if rng.random() >= step.probability:
            continue
        for ratchet in range(step.ratchets):
            place = index + step.shift + ratchet / step.ratchets
            seed = int(rng.integers(2**63))
            notes.append(PlannedNote(lane, place, step.gate / step.ratchets, step.pitches, step.velocity, seed))
    return notes


def notes_of_round(pattern: GridPattern, number: int = 0) -> list[PlannedNote]:
    """The notes of a round, in the order of steps; positions are steps from its start."""
    return [note for index in range(pattern.length) for note in notes_of_step(pattern, number, index)]


def earliest_shift(pattern: GridPattern, index: int) -> float:
    """The shift of the earliest note of a step, as a fraction of a step: 0 or less."""
    steps = (lane.steps.get(index) for lane in pattern.lanes if not lane.muted)
    return min(0.0, *(step.shift for step in steps if step is not None), 0.0)
