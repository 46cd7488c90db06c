"""The present values of modulated controls, at display rate: twenty times per second."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from cmaudio.modulation.settings import MODULATORS
from cmaudio.synth import Synth
from cmaudio.synthesis.modulated import ModulatedVoice


def modulated_values(synth: Synth) -> dict[str, Any]:
    """`moved`: offset of each modulated control; `swing`: output of each modulator in use, -1..1.

    They are those of the most recent note; without one, only LFOs move.
    """
    timeline = synth.engine.allocator.timeline
    routes = timeline.now.routes
    if not routes:
        return {}
    voices = tuple(synth.engine.allocator.voices)
    voice = max(voices, key=lambda each: each.params.at) if voices else None
    note = None if voice is None else ModulatedVoice(voice)
    time = float(synth.engine.now) if voice is None else float(max(0, voice.position))
    found: dict[str, Any] = {"moved": {}, "swing": {}}
    with suppress(IndexError, ValueError):  # the rendering thread changes what is read here
        for control in {route.control for route in routes}:
            found["moved"][control] = round(float(timeline.offset(control, np.array([time]), note)[0]), 4)
        for modulator in MODULATORS:
            if any(route.modulator == modulator for route in routes):
                found["swing"][modulator] = round(timeline.value(modulator, time, note), 3)
    return found
