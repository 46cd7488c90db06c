"""Where modulated controls are at the moment, as far as the eye follows: twenty times a second."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from cmaudio.modulation.settings import MODULATORS
from cmaudio.panel.instrument import PanelInstrument
from cmaudio.synthesis.modulated import as_note


class ModulatedValues:
    """Follows the note that began last; where none sounds, the oscillators alone."""

    def __init__(self, synth: PanelInstrument) -> None:
        self._synth = synth

    def message(self) -> dict[str, Any]:
        """`moved`: what is added to each modulated control; `swing`: each modulator in use, -1..1."""
        timeline = self._synth.engine.allocator.timeline
        routes = timeline.now.routes
        if not routes:
            return {}
        voices = tuple(self._synth.engine.allocator.voices)
        voice = max(voices, key=lambda each: each.params.at) if voices else None
        note = None if voice is None else as_note(voice)
        time = float(self._synth.engine.now) if voice is None else float(max(0, voice.position))
        found: dict[str, Any] = {"moved": {}, "swing": {}}
        with suppress(IndexError, ValueError):  # the thread that plays changes what is read here
            for control in {route.control for route in routes}:
                found["moved"][control] = round(float(timeline.offset(control, np.array([time]), note)[0]), 4)
            for modulator in MODULATORS:
                if any(route.modulator == modulator for route in routes):
                    found["swing"][modulator] = round(timeline.value(modulator, time, note), 3)
        return found
