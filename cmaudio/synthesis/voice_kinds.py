"""Which kind of voice plays a model's notes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.file import Model
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.texture_features import TEXTURE_KINDS
from cmaudio.synthesis.texture_voice import TextureVoice


def voice_of(
    model: Model,
    params: NoteParams,
    timbre: NDArray[np.float64],
    settings: VoiceSettings,
    bend: float = 0.0,
    expression: Mapping[str, float] | None = None,
) -> NoteVoice:
    """A voice of a timbre (Z,); `bend` in semitones, expression by name."""
    if model.manifest.features in TEXTURE_KINDS:
        return TextureVoice(params, timbre, settings, nearest=model.nearest_timbre(timbre), expression=expression)
    pitched = model.has_pitch(timbre)
    return NoteVoice(params, timbre, bend, settings, pitched=pitched, expression=expression)
