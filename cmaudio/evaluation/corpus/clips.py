"""Held-out clips of a corpus as inputs and targets of a model's networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import nearest_key
from cmaudio.synthesis.note_features import NOTE_KINDS
from cmaudio.synthesis.sources import seen_partials

if TYPE_CHECKING:
    from cmaudio.training.corpus.clips import Clips

_LONGEST_SECONDS = 8.0


@dataclass(frozen=True)
class HeldOut:
    """One clip as a voice would play it: from one block before its onset, for at most 8 s.

    Attributes:
        name: of the clip.
        timbre: its name.
        mel: (T, M) normalised with the model's statistics, T a multiple of the model's block.
        controls: (T, C).
        f0: (T,) Hz, 0 before the onset and where unvoiced.
        audio: (N,) including the corpus's gain.
    """

    name: str
    timbre: str
    mel: Float
    controls: Float
    f0: Float
    audio: Float


@dataclass(frozen=True)
class HeldOutClips:
    """The clips for which the model has a timbre, and the timbres of the corpus that it lacks."""

    clips: list[HeldOut]
    lacking: list[str]
    speech: bool


def held_out_clips(folder: Path, model: Model, limit: int | None = None) -> HeldOutClips:
    """Read the held-out split, at most `limit` clips spread over it.

    Raises:
        CmaudioError: the folder is not a corpus, its signal is not the model's, it has no held-out clips, or the
            packages of the training half are missing.
    """
    try:
        from cmaudio.training.corpus.description import read_description
        from cmaudio.training.corpus.reading import read_clips
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing: evaluating on a corpus needs pip install 'cmaudio[train]'"
        ) from error
    description = read_description(folder)
    _same_signal(folder, description.signal.model_dump(), model)
    if not description.splits["held_out"].clips:
        raise CmaudioError(f"{folder} has no held-out clips; prepare it with some (--held-out)")
    clips = read_clips(folder, description, "held_out", None, with_audio=True, note_kind=_note_kind(model))
    names = [description.timbres[i].name for i in clips.timbre.tolist()]
    known = [i for i, name in enumerate(names) if name in model.timbres]
    if not known:
        raise CmaudioError(f"{folder}: the model has none of its timbres ({', '.join(sorted(set(names))[:8])} ...)")
    chosen = known if limit is None else [known[i] for i in _spread(len(known), limit)]
    found = [_as_played(clips, i, names[i], model, description.gain) for i in chosen]
    found = [clip for clip in found if len(clip.mel) > model.manifest.block_frames]
    return HeldOutClips(found, sorted(set(names) - set(model.timbres)), description.source == "speech")


def _spread(count: int, limit: int) -> list[int]:
    """At most `limit` of `count` indices, evenly spaced."""
    return np.linspace(0, count - 1, min(limit, count)).astype(int).tolist()


def _as_played(clips: Clips, index: int, timbre: str, model: Model, gain: float) -> HeldOut:
    """Blocks are aligned with the onset, like a voice's, without pulses before it."""
    from cmaudio.training.corpus.clip import Signal, harmonics

    m = model.manifest
    k, frames = m.block_frames, int(clips.frames[index])
    started = clips.controls[int(clips.first[index]) :][:frames, 0].numpy() > 0
    first = int(started.argmax()) - k
    count = min(frames - first, int(_LONGEST_SECONDS * m.sample_rate / m.hop_length)) // k * k
    inside = np.clip(np.arange(first, first + count), 0, None)  # silence at the start is repeated if too short
    rows = int(clips.first[index]) + inside
    f0 = clips.f0[rows].numpy() * started[inside]
    life = clips.controls[rows, : NOTE_KINDS[_note_kind(model)]].float().numpy()
    partials = seen_partials(m, model.timbres[timbre])
    mean, std = np.array(m.mel.mean, np.float32), np.array(m.mel.std, np.float32)
    return HeldOut(
        clips.names[index],
        timbre,
        (clips.log_mel[rows].float().numpy() - mean) / std,
        np.concatenate([life, harmonics(Signal(model.stft, model.mel), f0, partials, nearest_key(f0))], 1),
        f0,
        clips.audio[rows].numpy().reshape(-1).astype(np.float32) * np.float32(gain / 32768),
    )


def _note_kind(model: Model) -> str:
    return model.manifest.features if model.manifest.features in NOTE_KINDS else "note-1"


def _same_signal(folder: Path, signal: dict[str, float], model: Model) -> None:
    m = model.manifest
    own: dict[str, float] = {"sample_rate": m.sample_rate, "hop_length": m.hop_length}
    own |= {key: getattr(m.mel, key) for key in ("bands", "f_min_hz", "f_max_hz", "floor")}
    wrong = [f"{key} {signal[key]:g}, the model's {value:g}" for key, value in own.items() if signal[key] != value]
    if wrong:
        raise CmaudioError(f"{folder} has another signal than {model.path.name}: {'; '.join(wrong)}")
