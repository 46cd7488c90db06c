"""Log-mels of textures: the model's output, and the recordings of a corpus.

Shapes: T frames, M mel bands; log-mel is not normalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.evaluation.setting import Setting
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


def chosen_timbres(setting: Setting, steady: bool | None = None) -> list[TimbreDefinition]:
    """Timbres to measure, at most `limit`, spread over the list; only steady ones, or only the others."""
    found = [t for t in setting.timbres() if steady is None or t.sustained == steady]
    if setting.limit is None or len(found) <= setting.limit:
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, setting.limit).astype(int)]


def made(setting: Setting, notes: Sequence[HeldNote], seconds: float) -> list[Float]:
    """Log-mel of each, from its onset on."""
    samples = int(seconds * setting.renderer.sample_rate)
    samples -= samples % setting.renderer.stft.hop_length
    return [log_mel(setting, audio) for _, audio in hold(setting.renderer, notes, samples)]


def log_mel(setting: Setting, audio: Float) -> Float:
    """(N,) as rendered, which is at the level of SoundFonts, -> (T, M)."""
    stft = setting.renderer.stft
    before = np.zeros(stft.overlap, np.float32)
    return setting.renderer.mel(stft.analyse(np.concatenate([before, audio * np.float32(TRAINING_GAIN)])))


def sounds_of(setting: Setting, timbre: str, seeds: Sequence[int], seconds: float) -> list[Float]:
    """Samples (N,) of a take for each seed, as rendered."""
    samples = int(seconds * setting.renderer.sample_rate)
    return [audio for _, audio in hold(setting.renderer, [take(timbre, seed) for seed in seeds], samples)]


def take(timbre: str, seed: int, **expression: float) -> HeldNote:
    return HeldNote(timbre, PITCH, VELOCITY, seed, expression)


def recordings(setting: Setting) -> Recordings:
    """The recordings of the corpus for which the model has timbres, without their variants.

    Raises CmaudioError without a corpus, and for one that is not of textures or that has another signal.
    """
    found = _read(setting, "log_mel")
    return Recordings(found["train"], found["held_out"])


def recorded_sounds(setting: Setting) -> Mapping[str, dict[str, list[Float]]]:
    """Split -> timbre -> samples (N,) of those recordings, from the onset on. Raises CmaudioError as `recordings`."""
    return _read(setting, "audio")


def _read(setting: Setting, what: Literal["log_mel", "audio"]) -> dict[str, dict[str, list[Float]]]:
    if setting.corpus is None:
        raise CmaudioError("textures are measured against recordings: give --corpus FOLDER")
    try:
        from cmaudio.training.corpus.texture_recordings import read_recordings, read_sounds
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing: evaluating on a corpus needs pip install 'cmaudio[train]'"
        ) from error
    manifest = setting.model.manifest
    signal = manifest.sample_rate, manifest.hop_length, manifest.mel.bands
    read = read_recordings if what == "log_mel" else read_sounds
    splits: tuple[Literal["train", "held_out"], ...] = ("train", "held_out")
    found = {split: read(setting.corpus, split, *signal) for split in splits}
    return {split: {t: each for t, each in of.items() if t in setting.model.timbres} for split, of in found.items()}
