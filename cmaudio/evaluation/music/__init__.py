"""Real music: four short pieces beside FluidSynth with the same SoundFont."""

from __future__ import annotations

from cmaudio.evaluation.music.section import measure_music, print_music

__all__ = ["measure_music", "print_music"]
