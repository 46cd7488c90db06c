"""A pattern of a step sequencer as plain data: lanes of steps for notes and pads, and lanes that automate controls.

Steps are counted from 0. Lanes hold only the steps that are set, so steps beyond a shortened length are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from cmaudio.errors import CmaudioError, unknown
from cmaudio.score.pitch import note_number
from cmaudio.score.ranges import SEED_LIMIT
from cmaudio.sequencer.validated import Validated
from cmaudio.timing.steps import BEATS_RANGE, swung

MAX_STEPS, MAX_LANES, MAX_PITCHES, MAX_RATCHETS, MAX_GATE = 64, 16, 10, 8, 64.0
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^/\\\x00-\x1f]+$")]
Index = Annotated[int, Field(ge=0, lt=MAX_STEPS)]
Key = Annotated[int, Field(strict=True, ge=0, le=127)]
Number = Annotated[float, Field(strict=True)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]


def _heavy(mix: Mapping[str, float]) -> Mapping[str, float]:
    if not any(mix.values()):
        raise ValueError("a mix needs at least one weight that is not 0")
    return mix


TimbreName = str | Annotated[dict[str, Number], Field(min_length=1, max_length=16), AfterValidator(_heavy)]


class GridStep(Validated):
    """One step of a lane.

    Attributes:
        pitches: MIDI note numbers, or names such as "C4"; lanes of pads use none.
        velocity: 1..127.
        gate: length in steps.
        probability: that it sounds, 0..1.
        ratchets: number of strikes within its step, 1..8.
        shift: fraction of a step by which it is late, or early if negative, -0.5..0.5.
    """

    pitches: Annotated[tuple[Key, ...], Field(max_length=MAX_PITCHES)] = ()
    velocity: Annotated[int, Field(strict=True, ge=1, le=127)] = 96
    gate: Annotated[float, Field(strict=True, ge=0.05, le=MAX_GATE)] = 0.9
    probability: Share = 1.0
    ratchets: Annotated[int, Field(strict=True, ge=1, le=MAX_RATCHETS)] = 1
    shift: Annotated[float, Field(strict=True, ge=-0.5, le=0.5)] = 0.0

    @field_validator("pitches", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        several = given if isinstance(given, list | tuple) else (given,)
        try:
            return tuple(note_number(each) if isinstance(each, str) else each for each in several)
        except CmaudioError as error:
            raise ValueError(str(error)) from None


class Lane(Validated):
    """The steps of one timbre, or of one pad.

    Attributes:
        name: as displayed.
        timbre: name or mix; None for that of the controls.
        pad: the name of a drum, or of any timbre of an unpitched model, that every step strikes.
        channel: MIDI channel 0..15; pads play on channel 9.
        muted: whether it is silent.
        steps: step -> what it plays.
    """

    name: Name
    timbre: TimbreName | None = None
    pad: str | None = None
    channel: Annotated[int, Field(strict=True, ge=0, le=15)] = 0
    muted: Annotated[bool, Field(strict=True)] = False
    steps: Mapping[Index, GridStep] = {}

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.pad is not None and self.timbre is not None:
            raise ValueError("a lane has a timbre or a pad, not both")
        if self.pad is None and (bare := [str(index) for index, step in self.steps.items() if not step.pitches]):
            raise ValueError(f"steps of a lane of notes need pitches; step {bare[0]} has none")
        return self

    def with_step(self, index: int, step: GridStep | None) -> Lane:
        """A copy with a step set, or removed for None."""
        rest = {each: known for each, known in self.steps.items() if each != index}
        return self.changed(steps=dict(sorted((rest if step is None else rest | {index: step}).items())))

    def with_changed_step(self, index: int, **fields: Any) -> Lane:
        """A copy with some fields of a step changed. Raises CmaudioError where no step is set."""
        if index not in self.steps:
            raise CmaudioError(f"step {index + 1} of {self.name!r} is empty: set it before it is changed")
        return self.with_step(index, self.steps[index].changed(**fields))


class AutomationLane(Validated):
    """Values of a control at steps.

    Attributes:
        control: its name.
        values: step -> value, which holds until the next.
        smooth: interpolate linearly from one value to the next instead.
    """

    control: str
    values: Mapping[Index, Number] = {}
    smooth: Annotated[bool, Field(strict=True)] = False

    def with_value(self, index: int, value: float | None) -> AutomationLane:
        """A copy with a value set, or removed for None."""
        rest = {each: known for each, known in self.values.items() if each != index}
        return self.changed(values=dict(sorted((rest if value is None else rest | {index: value}).items())))

    def value_at(self, place: float, length: int) -> float | None:
        """The value to set at a position in steps, in a round of `length` steps; None for none."""
        used = [(index, value) for index, value in sorted(self.values.items()) if index < length]
        if not self.smooth or len(used) < 2:
            return dict(used).get(int(place)) if place == int(place) else None
        after = next((pair for pair in used if pair[0] > place), (used[0][0] + length, used[0][1]))
        before = next((pair for pair in reversed(used) if pair[0] <= place), (used[-1][0] - length, used[-1][1]))
        share = (place - before[0]) / (after[0] - before[0])
        return before[1] + share * (after[1] - before[1])


class GridPattern(Validated):
    """Lanes that are played together, in a loop.

    Attributes:
        name: of the pattern.
        length: steps of a round, 1..64.
        division: length of a step in beats (quarter notes): 1/4 is a sixteenth, 1/6 a sixteenth triplet.
        swing: fraction of a step by which every second one is delayed, 0..0.9.
        seed: for everything random: the same seed, round and step give the same notes.
        lanes: notes and pads, at most 16.
        automation: controls.
    """

    name: Name
    length: Annotated[int, Field(strict=True, ge=1, le=MAX_STEPS)] = 16
    division: Annotated[float, Field(strict=True, ge=BEATS_RANGE[0], le=4)] = 1 / 4
    swing: Annotated[float, Field(strict=True, ge=0, le=0.9)] = 0.0
    seed: Annotated[int, Field(strict=True, ge=0, le=SEED_LIMIT)] = 0
    lanes: Annotated[tuple[Lane, ...], Field(max_length=MAX_LANES)] = ()
    automation: Annotated[tuple[AutomationLane, ...], Field(max_length=MAX_LANES)] = ()

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [lane.name for lane in self.lanes], [lane.control for lane in self.automation]
        for each in names:
            twice = [name for name in each if each.count(name) > 1]
            if twice:
                raise ValueError(f"two lanes are called {twice[0]!r}; names must be unique")
        return self

    @property
    def beats(self) -> float:
        """Length of a round in beats."""
        return self.length * self.division

    def lane(self, name: str) -> Lane:
        """A lane by its name. Raises CmaudioError for an unknown one."""
        found = next((lane for lane in self.lanes if lane.name == name), None)
        if found is None:
            raise CmaudioError(unknown("lane", name, [lane.name for lane in self.lanes]))
        return found

    def automated(self, control: str) -> AutomationLane | None:
        """The lane that automates a control, if there is one."""
        return next((lane for lane in self.automation if lane.control == control), None)

    def with_lane(self, lane: Lane, name: str | None = None) -> GridPattern:
        """A copy with a lane replacing the one of this name (by default its own), or added."""
        place = lane.name if name is None else name
        known = [each.name for each in self.lanes]
        changed = tuple(lane if each.name == place else each for each in self.lanes)
        return self.changed(lanes=changed if place in known else (*changed, lane))

    def without_lane(self, name: str) -> GridPattern:
        """A copy without a lane. Raises CmaudioError for an unknown one."""
        removed = self.lane(name)
        return self.changed(lanes=tuple(lane for lane in self.lanes if lane is not removed))

    def with_automation(self, lane: AutomationLane) -> GridPattern:
        """A copy with a control automated, replacing its present lane."""
        others = tuple(each for each in self.automation if each.control != lane.control)
        return self.changed(automation=(*others, lane) if self.automated(lane.control) is None else tuple(
            lane if each.control == lane.control else each for each in self.automation
        ))  # fmt: skip

    def without_automation(self, control: str) -> GridPattern:
        """A copy without automation of a control."""
        return self.changed(automation=tuple(each for each in self.automation if each.control != control))


def nearest_step(place: float, swing: float) -> tuple[int, float]:
    """The step whose swung onset is nearest to a position in steps, and by what fraction of a step that is later."""
    near = (math.floor(place) + offset for offset in (-1, 0, 1))
    step = min(near, key=lambda each: (abs(place - swung(each, swing)), each))
    return step, place - swung(step, swing)
