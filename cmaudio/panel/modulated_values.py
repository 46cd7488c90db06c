"""The present values of modulated controls, at display rate: twenty times per second."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from cmaudio.modulation.settings import MODULATORS
from cmaudio.synth import Synth
from cmaudio.synthesis.modulated import as_note


class ModulatedValues:
    """Follows the most recent note; without one, only the LFOs."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth

    def message(self) -> dict[str, Any]:
        """`moved`: offset of each modulated control; `swing`: output of each modulator in use, -1..1."""
        timeline = self._synth.engine.allocator.timeline
        routes = timeline.now.routes
        if not routes:
            return {}
        voices = tuple(self._synth.engine.allocator.voices)
        voice = max(voices, key=lambda each: each.params.at) if voices else None
        note = None if voice is None else as_note(voice)
        time = float(self._synth.engine.now) if voice is None else float(max(0, voice.position))
        found: dict[str, Any] = {"moved": {}, "swing": {}}
        with suppress(IndexError, ValueError):  # the rendering thread changes what is read here
            for control in {route.control for route in routes}:
                found["moved"][control] = round(float(timeline.offset(control, np.array([time]), note)[0]), 4)
            for modulator in MODULATORS:
                if any(route.modulator == modulator for route in routes):
                    found["swing"][modulator] = round(timeline.value(modulator, time, note), 3)
        return found
