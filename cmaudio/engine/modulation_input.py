"""Modulation in: modulators, their routes to controls, and the beat that they follow."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from cmaudio.effects.settings import SETTINGS
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.effects_input import EffectsInput
from cmaudio.model.file import Model
from cmaudio.modulation.settings import Modulation
from cmaudio.score.expression import SENDS
from cmaudio.synthesis.modulated import Plane, modulate


class ModulationInput(EffectsInput):
    """Accepts events, effect settings and modulation. Arguments: see `EventInput`."""

    def __init__(self, model: Model, allocator: VoiceAllocator, seed: int, bend_range: float) -> None:
        super().__init__(model, allocator, seed, bend_range)
        self._timeline = allocator.timeline

    def modulate(self, modulation: Modulation, plane: Plane | None = None, at: int | None = None) -> None:
        """Replace modulators and routes; sounding notes follow from their next block on.

        Args:
            modulation: the complete modulation, validated and built by `Controls.route`.
            plane: the timbre map, if a route moves the position on it.
            at: sample of the engine's clock, None for as soon as possible.
        """
        if modulation.controls.intersection((*SENDS, "distance")):
            self.rack.expect()
        self.submit(at, partial(self._modulate, modulation, plane))

    def _modulate(self, modulation: Modulation, plane: Plane | None, at: int) -> None:
        self._timeline.change(modulation, at)
        self.allocator.plane = plane or self.allocator.plane
        for voice in self.allocator.voices:
            modulate(voice, self._timeline, self.allocator.plane)
        moved = [name for name in SETTINGS if name in modulation.controls]
        if moved or self.rack.modulation is not None:
            self.rack.modulation = partial(self._added, moved)

    def _added(self, names: list[str], sample: int) -> Mapping[str, float]:
        """The offsets that modulation adds to effect settings."""
        return {name: float(self._timeline.offset(name, np.array([float(sample)]))[0]) for name in names}

    def set_effects_tempo(self, tempo: float, at: int | None = None) -> None:
        """Set the tempo of the delay and of the LFOs, in beats per minute; a clock sets its own."""
        super().set_effects_tempo(tempo, at)
        self._timeline.set_tempo(tempo, self.allocator.schedule.now if at is None else at)

    def set_beat(self, beat: float, at: float) -> None:
        """Align a beat with a sample, for LFOs that follow beats; a clock sets its own."""
        self._timeline.set_beat(beat, at)
