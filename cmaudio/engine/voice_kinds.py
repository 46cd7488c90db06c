"""The kinds of voices that an engine plays, and whether a model supplies what they need."""

from __future__ import annotations

from cmaudio.engine.utterance import Utterance
from cmaudio.errors import CmaudioError
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.voice import Voice

_VOICE_KINDS: tuple[type[Voice], ...] = (NoteVoice, Utterance)


def check_features(synthesizer: Synthesizer) -> None:
    """Check that the graphs read as many features as the manifest's kind of voice supplies.

    Raises CmaudioError where they do not.
    """
    model, read = synthesizer.model, synthesizer.features
    name = model.manifest.features
    supplied = next(kind.FEATURES[name] for kind in _VOICE_KINDS if name in kind.FEATURES)
    if read != supplied:
        raise CmaudioError(
            f"{model.path}: graphs and manifest disagree (controls.controls reads {read} features, {name!r} has "
            f"{supplied}); export the model again"
        )
