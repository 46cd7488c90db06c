"""Voices of textures: one-shots end, and controls move what they are named after."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.learning.hearing import heard
from cmaudio.model.file import Model
from cmaudio.signal.texture import measure_texture
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


@pytest.mark.parametrize(
    ("control", "measure", "least"),
    [("tonality", "tonality", 0.1), ("roughness", "roughness", 0.2), ("size", "sharpness", -2.0)],
)
@pytest.mark.parametrize("timbre", ["growl", "dig"])
def test_controls_move_what_they_are_named_after(
    textures: Model, networks: Synthesizer, timbre: str, control: str, measure: str, least: float
) -> None:
    def measured(value: float) -> float:
        mels = heard(textures, networks, timbre, 0.5, (1, 2), expression={control: value, "humanity": 0.5})
        floor = textures.mel.floor
        found = [measure_texture(mel, textures.manifest.frame_rate, floor)[measure] for mel in mels]
        return float(np.mean([np.average(v, weights=np.exp(mel.mean(1))) for v, mel in zip(found, mels, strict=True)]))

    low, typical, high = (np.sign(least) * measured(value) for value in (0.0, 0.5, 1.0))
    assert low < typical < high
    assert high - low > abs(least)
