"""State messages to the pages: the changes of the instrument, twenty times per second.

Controls, timbre and seed report changes and who made them; only the output, the pressed keys and the files, which do
not, are compared with the last message.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cmaudio.controls.changes import Changes
from cmaudio.files.names import as_text
from cmaudio.panel.analysis import Analysis
from cmaudio.panel.handler import CommandHandler
from cmaudio.panel.held_inputs import PAD_CHANNEL
from cmaudio.panel.midi_state import midi_state
from cmaudio.panel.modulated_values import modulated_values
from cmaudio.panel.spectrum import Spectrum

_MAX_IN_MIX = 4
_OTHERS = ("timbre", "routes", "seed", "seed_locked")  # names that are sent in addition to those of controls


class StateUpdates:
    """Follows an instrument for one server, until it is closed. The first message holds the full state."""

    def __init__(self, handler: CommandHandler) -> None:
        self._handler, self._synth = handler, handler.synth
        self._sent = dict[str, Any]()
        self._noticed = self._synth.player.state().notices
        self._spectrum = Spectrum(self._synth.model, self._synth.recorder)
        self._analysis = Analysis(self._synth.recorder)
        self._changes = Changes(self._synth.controls, is_own=lambda source: False)
        self._unsent = dict.fromkeys((*self._synth.controls.definitions, *_OTHERS), "")
        self.close = self._changes.close

    def message(self) -> dict[str, Any]:
        """The changes since the last message, and the meters. `controls`: name -> [value, who changed it]."""
        return (
            {"kind": "state"}
            | self._controls()
            | self._polled()
            | self._meters()
            | modulated_values(self._synth)
            | self._analysis.message()
        )

    def notices(self) -> list[str]:
        """The player's notices since the last call."""
        now = self._synth.player.state().notices
        new = [text for text in now if text not in self._noticed]
        self._noticed = now
        return new

    def _controls(self) -> dict[str, Any]:
        changed = self._unsent | self._changes.take()
        self._unsent = {}
        controls, found = self._synth.controls, dict[str, Any]()
        moved = {name: [round(controls[name], 5), who] for name, who in changed.items() if name not in _OTHERS}
        if moved:
            found["controls"] = moved
        if "timbre" in changed:
            mix = controls.timbre
            found["timbre"] = mix and {name: round(mix[name], 3) for name in list(mix)[:_MAX_IN_MIX]}
        if "routes" in changed:
            found["routes"] = [[route.modulator, route.control, route.amount] for route in controls.routes]
        if "seed" in changed:  # as text: JavaScript's numbers have too few digits
            found["seed"] = None if controls.seed is None else str(controls.seed)
        if "seed_locked" in changed:
            found["seed_locked"] = controls.seed_locked
        return found

    def _polled(self) -> dict[str, Any]:
        handler, synth = self._handler, self._synth
        link = synth.link
        player, channels = synth.player.state(), synth.engine.allocator.channels
        now = {
            "history": handler.follow_history(),
            "preset": handler.presets.current,
            "space": synth.impulse_response and as_text(Path(synth.impulse_response).name),
            "slots": {"filled": handler.slots.filled, "active": handler.slots.active},
            "keys": sorted({key for channel in channels for key in tuple(channel.keys)} | set(synth.arpeggiator.keys)),
            "pads": sorted(dict(channels[PAD_CHANNEL].keys)),
            "struck": handler.held_inputs.struck,
            "sustain": channels[0].sustain,
            "device": player.device_name,
            "status": player.status,
            "devices": handler.device_names,
            "presets": handler.presets.listed,
            "favourites": handler.choices.favourites(),
            "hints_read": handler.choices.hints_read,
            "recording": handler.takes.recording,
            "files": handler.takes.files(),
            "variations": handler.variations.status,
            "sequencer": handler.sequencing.state(),
            "step": handler.sequencing.position,
            "midi": midi_state(synth),
            "link": link and {"peers": link.peers, "tempo": round(link.tempo, 1)},
        }
        changed = {name: value for name, value in now.items() if name not in self._sent or self._sent[name] != value}
        self._sent = now
        return changed

    def _meters(self) -> dict[str, Any]:
        state = self._synth.state()
        return {
            "level_db": round(state.engine.peak_db, 1),
            "sides_db": [round(level, 1) for level in state.engine.sides_db],
            "correlation": round(state.engine.correlation, 2),
            "reduction_db": round(state.engine.reduction_db, 1),
            "voices": f"{state.engine.voices} of {state.engine.limit}",
            "seconds": round(state.engine.seconds, 2),
            "load": round(state.player.load, 3),
            "lead_ms": round(state.player.lead_ms, 1),
            "underruns": state.player.counters.underruns,
            "stolen": state.engine.stolen,
            "columns": self._spectrum.message(),
        }
