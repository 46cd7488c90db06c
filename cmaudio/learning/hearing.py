"""Renders short sounds of a timbre without an engine, to evaluate a learned one.

Shapes: T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.learning.example import log_mel
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer

_CHUNK_SAMPLES = 8192


def heard(
    model: Model,
    synthesizer: Synthesizer,
    timbre: str,
    seconds: float,
    seeds: Sequence[int],
    *,
    key: float = 60.0,
    velocity: float = 127.0,
    expression: Mapping[str, float] | None = None,
) -> list[Float]:
    """Log-mels (T, M) of takes of a timbre, from the onset on; `synthesizer` holds the networks of `model`."""
    renderer, manifest = Renderer(synthesizer), model.manifest
    settings = replace(VoiceSettings.of_model(model), deviations=None)  # exact pitch, like the analysis of examples
    vector = model.timbre_vector(timbre)
    notes = [NoteParams(key, velocity, 0, seed, 0, 1) for seed in seeds]
    voices = [voice_of(model, note, vector, settings, expression=expression) for note in notes]
    samples = int(seconds * manifest.sample_rate)
    starts = range(0, samples, _CHUNK_SAMPLES)
    pieces = [renderer.take(voices, min(_CHUNK_SAMPLES, samples - start)) for start in starts]
    return [log_mel(sound, model) for sound in np.concatenate(pieces, 1)]
