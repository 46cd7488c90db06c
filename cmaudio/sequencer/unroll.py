"""The notes that a pattern plays, at positions in steps. Randomness depends only on seed, round, step and lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmaudio.sequencer.grid import GridPattern, Lane


@dataclass(frozen=True)
class PlannedNote:
    """One note or chord.

    Attributes:
        lane: that plays it.
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


def notes_of_step(pattern: GridPattern, number: int, index: int) -> list[PlannedNote]:
    """The notes of a step in a round with a number from 0."""
    found: list[PlannedNote] = []
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
            found.append(PlannedNote(lane, place, step.gate / step.ratchets, step.pitches, step.velocity, seed))
    return found


def notes_of_round(pattern: GridPattern, number: int = 0) -> list[PlannedNote]:
    """The notes of a round, in the order of steps; positions are steps from its start."""
    return [note for index in range(pattern.length) for note in notes_of_step(pattern, number, index)]


def earliest_shift(pattern: GridPattern, index: int) -> float:
    """By what fraction of a step the first note of a step is early, 0 or less."""
    steps = (lane.steps.get(index) for lane in pattern.lanes if not lane.muted)
    return min(0.0, *(step.shift for step in steps if step is not None), 0.0)
