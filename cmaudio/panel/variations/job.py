"""Variations planned: which files, and what is played in each. The renderer in its own process reads it as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from cmaudio.controls.controls import Controls
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.panel.commands import Vary
from cmaudio.panel.takes import stamp
from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.ranges import SEED_MAX
from cmaudio.speech.style import STYLE_LIMITS

_MOTIF = (0, 3, 7, 12, 7, 10, 5, 0)  # semitones over the wanted pitch
_REMEMBERED_SECONDS = 30.0
_GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))


class PhraseNote(NamedTuple):
    """One note: seconds from the start, MIDI pitch and velocity, seconds it lasts."""

    at: float
    pitch: int
    velocity: int
    seconds: float


class Variation(BaseModel):
    """One file: `timbre` is a mix, or a vector (Z,)."""

    file: str
    seed: int
    timbre: dict[str, float] | list[float]
    x: float
    y: float


class VariationJob(BaseModel):
    """What the renderer needs to know. `shape`: expressions and bend of the whole instrument."""

    model_config = ConfigDict(extra="forbid")

    model: str
    folder: str
    steps: int
    gain_db: float
    shape: dict[str, float]
    style: dict[str, float]
    notes: list[PhraseNote]
    text: str
    items: Annotated[list[Variation], Field(min_length=1)]


def make_job(wanted: Vary, controls: Controls, recorder: Recorder, folder: Path) -> VariationJob:
    """The job for what is wanted. Raises CmaudioError where there is nothing to play."""
    model, values = controls.engine.model, controls.values()
    notes = [] if model.manifest.speech else phrase(wanted, round(values.get("velocity", 96)), recorder)
    if model.manifest.speech and not wanted.text.strip():
        raise CmaudioError("variations of a voice need a text to say")
    seeds, places = _points(wanted, controls)
    here = values["timbre_x"], values["timbre_y"]
    mix = controls.timbre
    now: dict[str, float] | list[float] = controls.vector.tolist() if mix is None else mix
    begun = stamp()
    items = [
        Variation(
            file=f"vary-{begun}-{i + 1:02d}.wav",
            seed=seed,
            timbre=now if (x, y) == here else controls.timbre_map.mix(x, y),
            x=x,
            y=y,
        )
        for i, (seed, (x, y)) in enumerate(zip(seeds, places, strict=True))
    ]
    return VariationJob(
        model=str(model.path),
        folder=str(folder),
        steps=int(values["steps"]),
        gain_db=values["gain"],
        shape={name: values[name] for name in (*EXPRESSIONS, "bend") if values.get(name)},
        style={name: values[name] for name in STYLE_LIMITS if name in values},
        notes=notes,
        text=wanted.text,
        items=items,
    )


def _points(wanted: Vary, controls: Controls) -> tuple[list[int], list[tuple[float, float]]]:
    """A seed and a place for each file; what is not varied is as it is now."""
    here = controls["timbre_x"], controls["timbre_y"]
    if wanted.what == "seeds":
        drawn = np.random.default_rng().integers(0, SEED_MAX, wanted.count)
        return [int(seed) for seed in drawn], [here] * wanted.count
    seed = controls.seed if controls.seed is not None else 0
    return [seed] * wanted.count, around(here, wanted.radius, wanted.count)


def around(place: tuple[float, float], radius: float, count: int) -> list[tuple[float, float]]:
    """`count` places spread evenly over a disc on the map, the middle first (sunflower, Vogel 1979)."""
    steps = np.arange(count)
    distance, angle = radius * np.sqrt(steps / max(1, count - 1)), steps * _GOLDEN_ANGLE
    x = np.clip(place[0] + distance * np.cos(angle), -1, 1)
    y = np.clip(place[1] + distance * np.sin(angle), -1, 1)
    return [place, *zip(x.tolist()[1:], y.tolist()[1:], strict=True)]


def phrase(wanted: Vary, velocity: int, recorder: Recorder) -> list[PhraseNote]:
    """The notes of every file."""
    if wanted.phrase == "note":
        return [PhraseNote(0.0, wanted.pitch, velocity, wanted.seconds)]
    if wanted.phrase == "motif":
        each = wanted.seconds / len(_MOTIF)
        return [PhraseNote(i * each, min(127, wanted.pitch + up), velocity, each) for i, up in enumerate(_MOTIF)]
    rate, end = recorder.sample_rate, recorder.made_samples
    start = max(0, end - round(_REMEMBERED_SECONDS * rate))
    found = notes_of([((at - start) / rate, event) for at, event in recorder.events(start, end)], (end - start) / rate)
    if not found:
        raise CmaudioError(f"nothing was played in the last {_REMEMBERED_SECONDS:g} seconds: play something first")
    return found


def notes_of(events: Sequence[tuple[float, Event]], end: float) -> list[PhraseNote]:
    """The notes of what was played, from its first on; those that still sound last until `end`."""
    begun: dict[tuple[int, int], tuple[float, int]] = {}
    notes: list[PhraseNote] = []
    for at, event in events:
        match event:
            case NoteOn(channel, pitch, velocity):
                begun[channel, pitch] = at, velocity
            case NoteOff(channel, pitch) if (channel, pitch) in begun:
                since, velocity = begun.pop((channel, pitch))
                notes.append(PhraseNote(since, pitch, velocity, at - since))
    notes += [PhraseNote(since, pitch, velocity, end - since) for (_, pitch), (since, velocity) in begun.items()]
    first = min((note.at for note in notes), default=0.0)
    return sorted(note._replace(at=note.at - first) for note in notes)


def label(item: Variation, what: str) -> str:
    """What a page calls a variation."""
    if what == "seeds" or not isinstance(item.timbre, dict):
        return f"seed {item.seed}"
    return " + ".join(list(item.timbre)[:2])


def as_row(item: Variation, what: str) -> dict[str, Any]:
    """A variation as a page lists it."""
    return {"name": item.file, "label": label(item, what), "seed": item.seed, "x": item.x, "y": item.y}
