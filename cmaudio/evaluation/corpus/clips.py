"""Held-out clips of a corpus as what a model's networks read and should make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmaudio.dsp import Float
from cmaudio.errors import CmaudioError
from cmaudio.model import Model

_LONGEST_SECONDS = 8.0


@dataclass(frozen=True)
class HeldOut:
    """One clip, at most its first 8 s: mel (T, M) normalised as the model has it, controls (T, C), timbre (Z,), f0 (T,)
    in Hz, audio (N,) as the networks hear it, T a multiple of the model's block."""

    name: str
    mel: Float
    controls: Float
    timbre: Float
    f0: Float
    audio: Float


@dataclass(frozen=True)
class HeldOutClips:
    """The clips that the model has a timbre for, and the timbres of the corpus that it lacks."""

    clips: list[HeldOut]
    lacking: list[str]
    speech: bool


def held_out_clips(folder: Path, model: Model, limit: int | None = None) -> HeldOutClips:
    """Read the held-out split, at most `limit` clips spread over it.

    Raises CmaudioError for a folder that is no corpus, a corpus of another signal than the model's or without held-out
    clips, and where the packages of the training half are missing.
    """
    try:
        from cmaudio.training.data.corpus import read_clips
        from cmaudio.training.data.description import read_description
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing: evaluating on a corpus needs pip install 'cmaudio[train]'"
        ) from error
    description = read_description(folder)
    _same_signal(folder, description.signal.model_dump(), model)
    if not description.splits["held_out"].clips:
        raise CmaudioError(f"{folder} has no held-out clips; prepare it with some (--held-out)")
    clips = read_clips(folder, description, "held_out", None, with_audio=True)
    names = [description.timbres[i].name for i in clips.timbre.tolist()]
    known = [i for i, name in enumerate(names) if name in model.timbres]
    if not known:
        raise CmaudioError(f"{folder}: the model has none of its timbres ({', '.join(sorted(set(names))[:8])} ...)")
    chosen = (
        known
        if limit is None
        else [known[i] for i in np.linspace(0, len(known) - 1, min(limit, len(known))).astype(int)]
    )
    k, rate, hop = model.manifest.block_frames, model.manifest.sample_rate, model.manifest.hop_length
    longest = int(_LONGEST_SECONDS * rate / hop) // k * k
    mean, std = np.array(model.manifest.mel.mean, np.float32), np.array(model.manifest.mel.std, np.float32)
    found = []
    for i in chosen:
        first, frames = int(clips.first[i]), min(int(clips.frames[i]) // k * k, longest)
        rows = slice(first, first + frames)
        found.append(
            HeldOut(
                clips.names[i],
                (clips.log_mel[rows].float().numpy() - mean) / std,
                clips.controls[rows].float().numpy(),
                model.timbre_vector(names[i]).astype(np.float32),
                clips.f0[rows].numpy(),
                clips.audio[rows].numpy().reshape(-1).astype(np.float32) * np.float32(description.gain / 32768),
            )
        )
    return HeldOutClips(found, sorted(set(names) - set(model.timbres)), description.source == "speech")


def _same_signal(folder: Path, signal: dict[str, float], model: Model) -> None:
    m = model.manifest
    own = {"sample_rate": m.sample_rate, "hop_length": m.hop_length, "bands": m.mel.bands, "floor": m.mel.floor}
    wrong = [f"{key} {signal[key]:g}, the model's {value:g}" for key, value in own.items() if signal[key] != value]
    if wrong:
        raise CmaudioError(f"{folder} has another signal than {model.path.name}: {'; '.join(wrong)}")
