"""A job for the renderer of variations: which files, and what is played in each. It is sent as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.modulation.settings import MODULATION_CONTROLS, Route
from cmaudio.panel.commands import RenderVariations
from cmaudio.panel.variations.names import last_take, variation_name
from cmaudio.panel.variations.phrase import PhraseNote, phrase
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.ranges import SEED_MAX
from cmaudio.speech.style import STYLE_LIMITS
from cmaudio.strict import Strict

_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
Place = tuple[float, float]


class Variation(Strict):
    """One file, a `take` of a `sound`. `timbre` is a mix or a vector (Z,), `x` and `y` its place on the map."""

    file: str
    sound: str
    take: int
    seed: int
    timbre: dict[str, float] | list[float]
    x: float
    y: float


class VariationJob(Strict):
    """Everything the renderer needs to know.

    Attributes:
        model: path of the model file.
        folder: where the files are written.
        steps: network evaluations per block.
        gain_db: master gain in dB.
        channels: of the files.
        shape: expressions and bend of the whole instrument.
        style: speaking style of a text.
        notes: what is played; empty for a text.
        text: what is spoken; empty for notes.
        loudness: of the files in LUFS; None leaves it unchanged.
        items: the files.
    """

    model: str
    folder: str
    steps: int
    gain_db: float
    channels: int
    shape: dict[str, float]
    modulators: dict[str, float] = Field(default_factory=dict)
    routes: list[Route] = Field(default_factory=list)
    style: dict[str, float]
    notes: list[PhraseNote]
    text: str
    loudness: float | None = None
    items: Annotated[list[Variation], Field(min_length=1)]


def make_job(command: RenderVariations, controls: Controls, recorder: Recorder, folder: Path) -> VariationJob:
    """The job that a command asks for. Raises CmaudioError if there is nothing to play."""
    model, values = controls.engine.model, controls.values()
    speaks = model.manifest.speech is not None
    if speaks and not command.text.strip():
        raise CmaudioError("variations of a voice need a text to speak")
    return VariationJob(
        model=str(model.path),
        folder=str(folder),
        steps=int(values["steps"]),
        gain_db=values["gain"],
        channels=controls.engine.channels,
        shape={
            name: values[name]
            for name, rest in {**{e.name: e.rest for e in EXPRESSIONS.values()}, "bend": 0.0}.items()
            if values.get(name, rest) != rest
        },
        modulators={name: values[name] for name in MODULATION_CONTROLS} if controls.routes else {},
        routes=list(controls.routes),
        style={name: values[name] for name in STYLE_LIMITS if name in values},
        notes=[] if speaks else phrase(command, round(values.get("velocity", 96)), recorder),
        text=command.text,
        loudness=command.loudness,
        items=_variations(command, controls, folder),
    )


def _variations(command: RenderVariations, controls: Controls, folder: Path) -> list[Variation]:
    timbre, here = _varied(command, controls)
    takes, found = _Takes(folder), list[Variation]()
    for seed, place in _points(command, controls, here):
        own = timbre if place == here else controls.timbre_map.mix(*place)
        sound = _sound_of(own, controls)
        take = takes.next(sound)
        file = variation_name(sound, take, seed)
        found.append(Variation(file=file, sound=sound, take=take, seed=seed, timbre=own, x=place[0], y=place[1]))
    return found


def _varied(command: RenderVariations, controls: Controls) -> tuple[dict[str, float] | list[float], Place]:
    """The timbre that is varied, and its place. Raises CmaudioError for an unknown one."""
    if command.timbre is not None:
        name = controls.engine.model.timbre_name(command.timbre)
        x, y = controls.timbre_map.places[controls.timbre_map.names.index(name)].tolist()
        return {name: 1.0}, (x, y)
    mix = controls.timbre
    return controls.vector.tolist() if mix is None else mix, (controls["timbre_x"], controls["timbre_y"])


def _sound_of(timbre: dict[str, float] | list[float], controls: Controls) -> str:
    """The name of the heaviest timbre of a mix, or of the nearest."""
    if isinstance(timbre, dict):
        return max(timbre, key=lambda name: timbre[name])
    return controls.engine.model.nearest_timbre(controls.vector).name


class _Takes:
    """Numbers the takes of every sound, continuing those in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._last = folder, dict[str, int]()

    def next(self, sound: str) -> int:
        if sound not in self._last:
            self._last[sound] = last_take(self._folder, sound)
        self._last[sound] += 1
        return self._last[sound]


def _points(command: RenderVariations, controls: Controls, here: Place) -> list[tuple[int, Place]]:
    """Seed and position of each file; anything not varied keeps its current value."""
    if command.what == "seeds":
        seeds = np.random.default_rng().integers(0, SEED_MAX, command.count)
        return [(int(seed), here) for seed in seeds]
    seed = controls.seed if controls.seed is not None else 0
    return [(seed, place) for place in around(here, command.radius, command.count)]


def around(place: Place, radius: float, count: int) -> list[Place]:
    """`count` places spread evenly over a disc on the map, the centre first (sunflower, Vogel 1979)."""
    steps = np.arange(count)
    distance, angle = radius * np.sqrt(steps / max(1, count - 1)), steps * _GOLDEN_ANGLE
    x = np.clip(place[0] + distance * np.cos(angle), -1, 1)
    y = np.clip(place[1] + distance * np.sin(angle), -1, 1)
    return [place, *zip(x.tolist()[1:], y.tolist()[1:], strict=True)]


def as_row(item: Variation, what: str) -> dict[str, Any]:
    """A variation as a page lists it."""
    mixed = list(item.timbre)[:2] if what == "places" and isinstance(item.timbre, dict) else []
    label = " + ".join(mixed) or "variation"
    return {"name": item.file, "label": label, "seed": item.seed, "x": item.x, "y": item.y}
