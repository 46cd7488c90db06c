"""The kinds of voices that an engine plays, and a check that the model has the features they need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.engine.utterance import Utterance
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.texture_features import TEXTURE_KINDS
from cmaudio.synthesis.texture_voice import TextureVoice
from cmaudio.synthesis.voice import Voice

_VOICE_KINDS: tuple[type[Voice], ...] = (NoteVoice, TextureVoice, Utterance)


def check_features(synthesizer: Synthesizer) -> None:
    """Check that the graphs take as many features as the manifest's kind of voice supplies.

    Raises CmaudioError if they do not.
    """
    model, read = synthesizer.model, synthesizer.features
    name = model.manifest.features
    supplied = next(kind.FEATURES[name] for kind in _VOICE_KINDS if name in kind.FEATURES)
    if read != supplied:
        raise CmaudioError(
            f"{model.path}: graphs and manifest disagree (controls.controls has {read} features, {name!r} supplies "
            f"{supplied}); export the model again"
        )


def voice_of(
    model: Model,
    params: NoteParams,
    timbre: NDArray[np.float64],
    settings: VoiceSettings,
    bend: float = 0.0,
    expression: Mapping[str, float] | None = None,
) -> NoteVoice:
    """The voice of a note with a timbre (Z,); `bend` in semitones, expression by name."""
    if model.manifest.features in TEXTURE_KINDS:
        return TextureVoice(params, timbre, settings, nearest=model.nearest_timbre, expression=expression)
    pitched = model.has_pitch(timbre)
    return NoteVoice(params, timbre, bend, settings, pitched=pitched, expression=expression)
