"""The steps of a pattern, and the short notation for them.

A note is a number (60), a name ("C4" is 60, "F#3", "Bb2"), a chord (a tuple of those), None for a rest, "_" to hold the
previous note for another step, or a `Step` (or a dict of its fields).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import channel_number, in_range, whole_number
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.score.pitch import note_number
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_LIMIT

TIE = "_"
BEATS_RANGE = (1 / 64, 1024.0)
HUMANISE_MAX_MS = 50.0

Pitch = float | str | tuple[float | str, ...] | None


@dataclass(frozen=True)
class Step:
    """One step of a pattern.

    Attributes:
        pitch: number, name, tuple of those (a chord), or None (a rest).
        beats: length of the step in beats; None: the pattern's.
        velocity: 1..127; None: the pattern's.
        timbre: name, mix or vector; None: the pattern's.
        bend: semitones to which the note glides over its length.
        probability: that it sounds, 0..1.
    """

    pitch: Pitch
    beats: float | None = None
    velocity: float | None = None
    timbre: Timbre | None = None
    bend: float = 0.0
    probability: float = 1.0


StepLike = Pitch | Step | Mapping[str, Any]


class PatternSettings(TypedDict, total=False):
    """How a pattern is played: the fields of `Feel`."""

    beat: float
    velocity: float | Sequence[float] | None
    timbre: Timbre | None
    gate: float
    swing: float
    humanise_ms: float
    loop: bool
    every: float | None
    rounds: int | None
    seed: int
    channel: int


@dataclass(frozen=True)
class Feel:
    """How a pattern is played.

    Attributes:
        beat: length of a step in beats.
        velocity: 1..127, or several that alternate; None: the control's.
        timbre: name, mix or vector; None: the control's.
        gate: fraction of its step for which a note is held.
        swing: fraction of a step by which every second step is delayed, 0..0.9.
        humanise_ms: largest deviation of onsets in ms, and of velocities in MIDI units.
        loop: repeat forever.
        every: repeat once in this many beats.
        rounds: of one that repeats, how often it is played; None: without end.
        seed: seed of random deviations and probabilities.
        channel: MIDI channel 0..15.

    Raises:
        CmaudioError: a value out of range.
    """

    beat: float = 1.0
    velocity: float | Sequence[float] | None = None
    timbre: Timbre | None = None
    gate: float = 0.9
    swing: float = 0.0
    humanise_ms: float = 0.0
    loop: bool = False
    every: float | None = None
    rounds: int | None = None
    seed: int = 0
    channel: int = 0

    def __post_init__(self) -> None:
        in_range("beat", self.beat, *BEATS_RANGE, "beats per step")
        in_range("gate", self.gate, 0.01, 4, "of the step")
        in_range("swing", self.swing, 0, 0.9, "of a step")
        in_range("humanise_ms", self.humanise_ms, 0, HUMANISE_MAX_MS, "milliseconds")
        if self.every is not None:
            in_range("every", self.every, *BEATS_RANGE, "beats")
        if self.rounds is not None:
            whole_number("rounds", self.rounds, 1, 2**31)
        whole_number("seed", self.seed, 0, SEED_LIMIT)
        channel_number(self.channel)
        for value in self.velocities:
            if value is not None:
                in_range("velocity", value, 1, 127, "MIDI velocity")

    @classmethod
    def of(cls, settings: PatternSettings) -> Feel:
        """From keyword arguments. Raises CmaudioError for an unknown name or a value out of range."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise CmaudioError(f"a pattern has no setting {name!r}; available: {', '.join(known)}, quantise, at")
        return cls(**settings)

    @property
    def velocities(self) -> tuple[float | None, ...]:
        """The alternating velocities; None: the control's."""
        if isinstance(self.velocity, Sequence | np.ndarray):
            if not len(self.velocity):
                raise CmaudioError("velocity must be a number from 1 to 127, or several of them, not an empty list")
            return tuple(self.velocity)
        return (self.velocity,)


@dataclass(frozen=True)
class PlannedStep:
    """A step with everything resolved: `offset` and `beats` in beats; no pitches: a rest."""

    offset: float
    beats: float
    pitches: tuple[float, ...]
    velocity: float | None
    timbre: NDArray[np.float64] | None
    bend: float
    probability: float


def swung(place: float, swing: float) -> float:
    """The swung position of a place, both in steps: pairs of steps are warped, the first one longer."""
    pair, within = divmod(place, 2)
    warped = within * (1 + swing) if within < 1 else 1 + swing + (within - 1) * (1 - swing)
    return 2 * pair + warped


def checked_quantise(quantise: float) -> float:
    """`quantise` in beats, 0 for immediately. Raises CmaudioError for a value out of range."""
    return 0.0 if quantise == 0 else in_range("quantise", quantise, *BEATS_RANGE, "beats, or 0 for immediately")


def plan_steps(notes: Iterable[StepLike], feel: Feel, model: Model) -> tuple[PlannedStep, ...]:
    """The steps of a list of notes. Raises CmaudioError that names an invalid step."""
    if isinstance(notes, str | Mapping) or not isinstance(notes, Iterable):
        raise CmaudioError(f"a pattern must be a list of notes such as [60, None, ('C4', 'G4')], not {notes!r}")
    planned: list[PlannedStep] = []
    for index, note in enumerate(notes):
        try:
            _add(planned, note, index, feel, model)
        except CmaudioError as error:
            raise CmaudioError(f"step {index + 1} of the pattern: {error}") from None
    if not planned:
        raise CmaudioError("a pattern needs at least one step; [None] is a rest")
    return tuple(planned)


def _add(planned: list[PlannedStep], note: StepLike, index: int, feel: Feel, model: Model) -> None:
    if isinstance(note, str) and note.strip() == TIE:
        if not planned:
            raise CmaudioError('"_" holds the note before it, and there is none')
        planned[-1] = replace(planned[-1], beats=planned[-1].beats + feel.beat)
        return
    step = _step(note)
    beats = feel.beat if step.beats is None else in_range("beats", step.beats, *BEATS_RANGE, "beats")
    velocity = feel.velocities[index % len(feel.velocities)] if step.velocity is None else step.velocity
    if velocity is not None:
        in_range("velocity", velocity, 1, 127, "MIDI velocity")
    timbre = feel.timbre if step.timbre is None else step.timbre
    planned.append(
        PlannedStep(
            offset=planned[-1].offset + planned[-1].beats if planned else 0.0,
            beats=beats,
            pitches=_pitches(step.pitch),
            velocity=velocity,
            timbre=None if timbre is None else model.timbre_vector(timbre),
            bend=in_range("bend", step.bend, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones"),
            probability=in_range("probability", step.probability, 0, 1, "of sounding"),
        )
    )


def _step(note: StepLike) -> Step:
    if isinstance(note, Step):
        return note
    if not isinstance(note, Mapping):
        return Step(note)
    known = [field.name for field in fields(Step)]
    unknown = [str(name) for name in note if name not in known]
    if unknown or "pitch" not in note:
        raise CmaudioError(f"a step needs a pitch and may have {', '.join(known[1:])}, not {dict(note)!r}")
    return Step(**note)


def _pitches(pitch: Any) -> tuple[float, ...]:
    if pitch is None:
        return ()
    if isinstance(pitch, str):
        return (float(note_number(pitch)),)
    if isinstance(pitch, tuple | list):
        if not pitch or any(part is None or isinstance(part, tuple | list) for part in pitch):
            raise CmaudioError(f"a chord must be a tuple of notes such as (60, 'E4'), not {pitch!r}")
        return tuple(number for part in pitch for number in _pitches(part))
    return (in_range("pitch", pitch, 0, 127, "MIDI note number, or a name such as 'C4'"),)
