"""Log-mels of textures: the model's output, and the recordings of a corpus.

Shapes: T frames, M mel bands; log-mel is not normalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.context import EvaluationContext
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import TRAINING_GAIN

VELOCITY = 127  # at which a model of textures has the level of its recordings
PITCH = 60


@dataclass(frozen=True)
class Recordings:
    """Log-mels by timbre, from the onset on."""

    train: Mapping[str, list[Float]]
    held_out: Mapping[str, list[Float]]


def chosen_timbres(context: EvaluationContext, steady: bool | None = None) -> list[TimbreDefinition]:
    """Timbres to measure, at most `limit`, spread over the list; only steady ones, or only the others."""
    found = [t for t in context.timbres() if steady is None or t.sustained == steady]
    if context.limit is None or len(found) <= context.limit:
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, context.limit).astype(int)]


def made(context: EvaluationContext, notes: Sequence[HeldNote], seconds: float) -> list[Float]:
    """Log-mel of each, from its onset on."""
    samples = int(seconds * context.renderer.sample_rate)
    samples -= samples % context.renderer.stft.hop_length
    return [log_mel(context, audio) for _, audio in hold(context.renderer, notes, samples)]


def log_mel(context: EvaluationContext, audio: Float) -> Float:
    """(N,) as rendered, which is at the level of SoundFonts, -> (T, M)."""
    stft = context.renderer.stft
    before = np.zeros(stft.overlap, np.float32)
    return context.renderer.mel(stft.analyse(np.concatenate([before, audio * np.float32(TRAINING_GAIN)])))


def sounds_of(context: EvaluationContext, timbre: str, seeds: Sequence[int], seconds: float) -> list[Float]:
    """Samples (N,) of a take for each seed, as rendered."""
    samples = int(seconds * context.renderer.sample_rate)
    return [audio for _, audio in hold(context.renderer, [take(timbre, seed) for seed in seeds], samples)]


def take(timbre: str, seed: int, **expression: float) -> HeldNote:
    return HeldNote(timbre, PITCH, VELOCITY, seed, expression)


def recordings(context: EvaluationContext) -> Recordings:
    """The recordings of the corpus for which the model has timbres, without their variants.

    Raises CmaudioError without a corpus, and for one that is not of textures or that has another signal.
    """
    found = _read(context, "log_mel")
    return Recordings(found["train"], found["held_out"])


def recorded_sounds(context: EvaluationContext) -> Mapping[str, dict[str, list[Float]]]:
    """Split -> timbre -> samples (N,) of those recordings, from the onset on. Raises CmaudioError as `recordings`."""
    return _read(context, "audio")


def _read(context: EvaluationContext, what: Literal["log_mel", "audio"]) -> dict[str, dict[str, list[Float]]]:
    if context.corpus is None:
        raise CmaudioError("textures are measured against recordings: give --corpus FOLDER")
    try:
        from cmaudio.training.corpus.texture_recordings import read_recordings, read_sounds
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing: evaluating on a corpus needs pip install 'cmaudio[train]'"
        ) from error
    manifest = context.model.manifest
    signal = manifest.sample_rate, manifest.hop_length, manifest.mel.bands
    read = read_recordings if what == "log_mel" else read_sounds
    splits: tuple[Literal["train", "held_out"], ...] = ("train", "held_out")
    found = {split: read(context.corpus, split, *signal) for split in splits}
    return {split: {t: each for t, each in of.items() if t in context.model.timbres} for split, of in found.items()}
