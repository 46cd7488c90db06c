"""A preset: all settings of an instrument, as a strict and versioned JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, field_validator

from cmaudio.controls.binding import Binding
from cmaudio.controls.controls import Controls
from cmaudio.controls.definitions import STEREO_CONTROLS
from cmaudio.errors import CmaudioError, explain
from cmaudio.model.file import DEFAULT_MODEL, Model
from cmaudio.modulation.settings import MAX_ROUTES, Route
from cmaudio.score.ranges import BEND_MAX_SEMITONES, GAIN_RANGE_DB, SEED_LIMIT
from cmaudio.strict import Strict

VERSION = 1  # of the file format
# Controls for which a preset has its own fields.
FIELD_OF_CONTROL = {
    "gain": "gain_db",
    "steps": "steps",
    "bend_range": "bend_range",
    "timbre_x": "timbre",
    "timbre_y": "timbre",
}
_MAX_TAGS = 8
TagWord = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[^,\x00-\x1f]+$")]
_MIX, _VECTOR = "a mix", "a vector"


class Preset(Strict):
    """The settings of an instrument.

    Attributes:
        tags: search words, such as "pad" and "warm".
        timbre: weights of a mix of the model's timbres, or a vector in its timbre space.
        seed: the same for every note; None gives each note a new one.
        steps: network evaluations per block, 1 or 2.
        gain_db: master gain before the limiter.
        bend_range: semitones at full pitch wheel.
        controls: other controls by name, where they differ from their defaults.
        routes: from modulators to controls, with amounts; the modulators are set by controls (`lfo1_rate`).
        impulse_response: a sound file with the impulse response that replaces the reverb.
        bindings: MIDI controllers bound to controls; applying the preset adds them to the existing ones.
    """

    version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^/\\\x00-\x1f]+$")]
    description: Annotated[str, Field(max_length=200)] = ""
    tags: Annotated[list[TagWord], Field(max_length=_MAX_TAGS)] = Field(default_factory=list)
    model: str = DEFAULT_MODEL
    timbre: Annotated[
        Annotated[dict[str, float], Field(min_length=1), Tag(_MIX)]
        | Annotated[list[float], Field(min_length=1), Tag(_VECTOR)],
        Discriminator(lambda given: _VECTOR if isinstance(given, list) else _MIX),
    ]
    seed: Annotated[int | None, Field(ge=0, le=SEED_LIMIT)] = None
    steps: Literal[1, 2] = 1
    gain_db: Annotated[float, Field(ge=GAIN_RANGE_DB[0], le=GAIN_RANGE_DB[1])] = 0.0
    bend_range: Annotated[float, Field(ge=0, le=BEND_MAX_SEMITONES)] = 2.0
    controls: dict[str, float] = Field(default_factory=dict)
    routes: Annotated[list[Route], Field(max_length=MAX_ROUTES)] = Field(default_factory=list)
    impulse_response: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    bindings: list[Binding] = Field(default_factory=list)

    @field_validator("controls")
    @classmethod
    def _without_duplicates(cls, controls: dict[str, float]) -> dict[str, float]:
        twice = sorted(controls.keys() & FIELD_OF_CONTROL.keys())
        if twice:
            raise ValueError(f"{twice[0]} belongs outside `controls`, as {FIELD_OF_CONTROL[twice[0]]}")
        return controls

    def settings(self) -> dict[str, float]:
        """All controls that the preset sets, by name."""
        return {"steps": self.steps, "gain": self.gain_db, "bend_range": self.bend_range, **self.controls}

    @field_validator("description")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if "\n" in text:
            raise ValueError("a description must be one line")
        return text


def explain_preset(error: ValidationError) -> str:
    return explain(error, (_MIX, _VECTOR), tuple(Preset.model_fields))


def make_preset(**fields: object) -> Preset:
    """A preset from its fields. Raises CmaudioError that names the invalid ones."""
    try:
        return Preset.model_validate(fields)
    except ValidationError as error:
        raise CmaudioError(f"not a preset: {explain_preset(error)}") from error


def applicable_settings(preset: Preset, controls: Controls) -> dict[str, float]:
    """The controls that a preset sets and the instrument has."""
    optional = STEREO_CONTROLS | FIELD_OF_CONTROL.keys()  # any other unknown control is an error of the preset
    return {n: v for n, v in preset.settings().items() if n in controls.definitions or n not in optional}


def applicable_routes(preset: Preset, controls: Controls) -> list[Route]:
    """The routes of a preset to controls that the instrument has."""
    return [
        route
        for route in preset.routes
        if route.control in controls.definitions or route.control not in STEREO_CONTROLS
    ]


def preset_of(
    controls: Controls,
    model: Model,
    name: str,
    description: str = "",
    bindings: Iterable[Binding] = (),
    impulse_response: str | None = None,
    tags: Iterable[str] = (),
) -> Preset:
    """The current controls as a preset."""
    values, definitions = controls.values(), controls.definitions
    return make_preset(
        name=name,
        description=description,
        tags=list(tags),
        model=model.manifest.name,
        timbre=controls.timbre or controls.vector.tolist(),
        seed=controls.seed,
        steps=int(values["steps"]),
        gain_db=values["gain"],
        bend_range=values.get("bend_range", 2.0),
        controls={n: v for n, v in values.items() if n not in FIELD_OF_CONTROL and v != definitions[n].default},
        routes=list(controls.routes),
        bindings=list(bindings),
        impulse_response=impulse_response,
    )
