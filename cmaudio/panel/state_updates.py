"""What the page is told: once what the instrument is, then twenty times a second what has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.panel.clock_output import NAME
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.spectrum import Spectrum
from cmaudio.score.general_midi import family

_SHOWN_IN_MIX = 4


def _family(timbre: TimbreDefinition) -> str:
    if timbre.program is not None:
        return family(timbre.program)
    return "percussion" if timbre.key is not None else ""


def introduction(handler: CommandHandler) -> dict[str, Any]:
    """What never changes while it runs: the model, its controls, the map of its timbres."""
    synth = handler.synth
    manifest, controls = synth.model.manifest, synth.controls
    places = controls.timbre_map.places.tolist()
    return {
        "kind": "hello",
        "model": manifest.name,
        "description": manifest.description,
        "speech": manifest.speech is not None,
        "sample_rate": manifest.sample_rate,
        "frame_rate": manifest.sample_rate / manifest.hop_length,
        "centres_hz": [round(hz, 1) for hz in synth.model.mel.centres_hz.tolist()],
        "definitions": [control.model_dump() for control in controls.definitions.values()],
        "map": [
            {"name": timbre.name, "family": _family(timbre), "x": round(x, 4), "y": round(y, 4)}
            for timbre, (x, y) in zip(manifest.timbres, places, strict=True)
        ],
        "files_folder": str(handler.takes.folder.resolve()),
        "remembered": synth.recorder.seconds,
        "page_device": NAME,
    }


class StateUpdates:
    """Follows an instrument for one server."""

    def __init__(self, handler: CommandHandler) -> None:
        self._handler, self._told = handler, dict[str, Any]()
        self._values: dict[str, float] = {}
        self._noticed = handler.synth.player.state().notices
        self._sources: dict[str, str] = {}
        self._spectrum = Spectrum(handler.synth.model, handler.synth.recorder)
        self.end: Callable[[], None] = handler.synth.controls.subscribe(self._heard)

    def _heard(self, name: str, value: object, source: str) -> None:
        self._sources[name] = source

    def changes(self) -> dict[str, Any]:
        """What has changed since the last time, and the meters. `controls`: name -> [value, who moved it]."""
        now = self._slow_state()
        message = {name: value for name, value in now.items() if name not in self._told or self._told[name] != value}
        self._told = now
        values = self._handler.synth.controls.values()
        moved = {
            name: [round(value, 5), self._sources.get(name, "")]
            for name, value in values.items()
            if self._values.get(name) != value
        }
        self._values = values
        if moved:
            message["controls"] = moved
        return {"kind": "state"} | message | self._meters()

    def notices(self) -> list[str]:
        """What the player had to say since the last time."""
        now = self._handler.synth.player.state().notices
        new = [text for text in now if text not in self._noticed]
        self._noticed = now
        return new

    def _slow_state(self) -> dict[str, Any]:
        handler, synth = self._handler, self._handler.synth
        controls, preset = synth.controls, synth.preset
        mix = controls.timbre
        player = synth.player.state()
        return {
            "timbre": None if mix is None else {name: round(mix[name], 3) for name in list(mix)[:_SHOWN_IN_MIX]},
            "seed": None
            if controls.seed is None
            else str(controls.seed),  # as text: JavaScript's numbers are too short
            "seed_locked": controls.seed_locked,
            "preset": preset.name if preset else None,
            "slots": {"filled": handler.slots.filled, "active": handler.slots.active},
            "keys": sorted({key for channel in synth.engine.allocator.channels for key in tuple(channel.keys)}),
            "sustain": synth.engine.allocator.channels[0].sustain,
            "device": player.device_name,
            "status": player.status,
            "devices": handler.device_names,
            "presets": handler.presets,
            "recording": handler.takes.recording,
            "files": handler.takes.files(),
            "variations": handler.variations.status,
        }

    def _meters(self) -> dict[str, Any]:
        state = self._handler.synth.state()
        return {
            "level_db": round(state.engine.peak_db, 1),
            "reduction_db": round(state.engine.reduction_db, 1),
            "voices": f"{state.engine.voices} of {state.engine.limit}",
            "seconds": round(state.engine.seconds, 2),
            "load": round(state.player.load, 3),
            "lead_ms": round(state.player.lead_ms, 1),
            "underruns": state.player.counters.underruns,
            "columns": self._spectrum.message(),
        }
