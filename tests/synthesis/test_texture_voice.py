"""Voices of textures: one-shots end."""

from __future__ import annotations

import pytest

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.file import Model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer

CHUNK = 8192


@pytest.mark.parametrize("timbre", ["chain", "zap"], ids=["with motion", "without"])
def test_a_one_shot_ends_though_noise_is_sampled_for_ever(textures: Model, timbre: str) -> None:
    renderer, settings = Renderer(Synthesizer(textures)), VoiceSettings.of_model(textures)
    place = textures.timbre_vector(timbre)
    voices = [voice_of(textures, NoteParams(60, 127, 0, seed, 0, 1), place, settings) for seed in range(4)]
    for _ in range(9 * textures.manifest.sample_rate // CHUNK):
        while lacking := [voice for voice in voices if not voice.finished and voice.lacks(CHUNK)]:
            renderer.render(lacking)
        for voice in voices:
            voice.take(CHUNK)
    assert all(voice.finished for voice in voices)
