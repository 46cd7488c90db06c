"""The first message to a page, which describes the instrument; it is sent again after a timbre was learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cmaudio.controls.routes import modulators_of
from cmaudio.files.names import as_text
from cmaudio.model.file import Model, embedded_models
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.pads import texture_family
from cmaudio.panel.clock_output import NAME
from cmaudio.panel.example import example_for
from cmaudio.score.general_midi import family
from cmaudio.synth import Synth


def introduction(synth: Synth, files: Path) -> dict[str, Any]:
    """The model, its controls, and the map of its timbres; `files` is the folder of takes."""
    manifest, controls = synth.model.manifest, synth.controls
    places, example = controls.timbre_map.places.tolist(), example_for(manifest.name)
    return {
        "kind": "hello",
        "model": manifest.name,
        "description": manifest.description,
        "other_models": [f"cmaudio panel --model {name}" for name in embedded_models() if name != manifest.name],
        "speech": manifest.speech is not None,
        "learns": manifest.learns,
        "sample_rate": manifest.sample_rate,
        "channels": synth.engine.channels,
        "frame_rate": manifest.frame_rate,
        "centres_hz": [round(hz, 1) for hz in synth.model.mel.centres_hz.tolist()],
        "definitions": [control.model_dump() for control in controls.definitions.values()],
        "modulators": {name: list(found) for name in controls.definitions if (found := modulators_of(name))},
        "map": [
            {"name": timbre.name, "family": _family(timbre), "x": round(x, 4), "y": round(y, 4)}
            for timbre, (x, y) in zip(manifest.timbres, places, strict=True)
        ],
        "pads": _pads(synth.model),
        "pitched": any(timbre.pitched for timbre in manifest.timbres),
        "drums": list(synth.model.drums.values()),
        "files_folder": as_text(_from_home(files.resolve())),
        "remembered": synth.recorder.seconds,
        "page_device": NAME,
        "example": None if example is None else example.title,
    }


def _from_home(folder: Path) -> str:
    """A folder as it is shown: "~" stands for the user's."""
    home = Path.home()
    return str(Path("~", folder.relative_to(home))) if folder.is_relative_to(home) else str(folder)


def _family(timbre: TimbreDefinition) -> str:
    if timbre.program is not None:
        return family(timbre.program)
    if timbre.key is not None:
        return "percussion"
    return "" if timbre.pitched else texture_family(timbre)


def _pads(model: Model) -> list[dict[str, Any]]:
    """The drums of a model, or all timbres of an unpitched one, by key."""
    named = {timbre.name: timbre for timbre in model.manifest.timbres}
    return [{"key": key, "name": name, "family": _family(named[name])} for key, name in model.drums.items()]
