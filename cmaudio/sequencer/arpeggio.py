"""The notes of an arpeggio: which of the held keys come next, and in which octave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from cmaudio.model.timbres import Timbre
from cmaudio.score.ranges import SEED_LIMIT
from cmaudio.sequencer.validated import Validated
from cmaudio.timing.steps import BEATS_RANGE

Mode = Literal["up", "down", "up-down", "played", "random", "chord"]
MODES: tuple[Mode, ...] = ("up", "down", "up-down", "played", "random", "chord")
MAX_OCTAVES = 4


class Arpeggio(Validated):
    """How keys are arpeggiated.

    Attributes:
        on: whether keys are arpeggiated; otherwise they sound as pressed.
        mode: order of the keys; "played" is the order in which they were pressed, "chord" all at once.
        octaves: number of octaves, 1..4.
        rate: beats (quarter notes) of a step: 1/4 is a sixteenth.
        gate: length of a note in steps.
        swing: fraction of a step by which every second one is delayed, 0..0.9.
        hold: continue when the keys are released, until others are pressed.
        seed: of the random order.
    """

    on: Annotated[bool, Field(strict=True)] = False
    mode: Mode = "up"
    octaves: Annotated[int, Field(strict=True, ge=1, le=MAX_OCTAVES)] = 1
    rate: Annotated[float, Field(strict=True, ge=BEATS_RANGE[0], le=16)] = 1 / 4
    gate: Annotated[float, Field(strict=True, ge=0.05, le=4)] = 0.6
    swing: Annotated[float, Field(strict=True, ge=0, le=0.9)] = 0.0
    hold: Annotated[bool, Field(strict=True)] = False
    seed: Annotated[int, Field(strict=True, ge=0, le=SEED_LIMIT)] = 0


@dataclass(frozen=True)
class HeldKey:
    """A held key: MIDI note number, velocity and channel; timbre None is that of the controls."""

    pitch: int
    velocity: float = 96
    channel: int = 0
    timbre: Timbre | None = None


def keys_of_step(arpeggio: Arpeggio, held: Sequence[HeldKey], number: int) -> list[HeldKey]:
    """The keys that the step with a number from 0 plays, given keys in the order in which they were pressed."""
    if not held:
        return []
    keys = list(held) if arpeggio.mode == "played" else sorted(held, key=lambda key: key.pitch)
    if arpeggio.mode == "chord":
        return _within([_raised(key, number % arpeggio.octaves) for key in keys])
    order = [_raised(key, octave) for octave in range(arpeggio.octaves) for key in keys]
    if arpeggio.mode == "random":
        return _within([order[int(np.random.default_rng((arpeggio.seed, number)).integers(len(order)))]])
    if arpeggio.mode == "down":
        order.reverse()
    elif arpeggio.mode == "up-down":
        order += order[-2:0:-1]
    return _within([order[number % len(order)]])


def _raised(key: HeldKey, octaves: int) -> HeldKey:
    return replace(key, pitch=key.pitch + 12 * octaves)


def _within(keys: list[HeldKey]) -> list[HeldKey]:
    return [key for key in keys if key.pitch <= 127]
