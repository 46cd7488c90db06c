"""Reads shards of a corpus (Lhotse Shar) into `Clips`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from cmaudio.errors import CmaudioError
from cmaudio.files.place import Place, local_files
from cmaudio.model.partials import in_picture
from cmaudio.signal.dsp import Float
from cmaudio.speech.features import SPEECH_FEATURES
from cmaudio.training.corpus.alignment import Ints, Spoken, frame_ends, frame_features, read_ids
from cmaudio.training.corpus.clip import Signal, f0_hz, harmonics, life_features
from cmaudio.training.corpus.clips import Clips
from cmaudio.training.corpus.description import CorpusDescription, Split
from cmaudio.training.corpus.shard import ARRAYS, field_files
from cmaudio.training.corpus.texture_controls import texture_rows

PhonemeEnds = Mapping[str, Sequence[float]]  # by clip: seconds at which its phonemes end


@dataclass(frozen=True)
class _Row:
    """One clip, as NumPy arrays; fields as in `Clips`."""

    name: str
    log_mel: Float
    controls: Float
    f0: Float
    audio: np.ndarray
    timbre: int
    spoken: Spoken | None
    ids: Ints


def read_clips(
    folder: Place,
    description: CorpusDescription,
    split: Split,
    shards: Sequence[int] | None,
    with_audio: bool,
    ends: PhonemeEnds | None = None,
    note_kind: str = "note-1",
) -> Clips:
    """Read clips of a split.

    Args:
        folder: of the corpus, on disk or in object storage.
        description: of the corpus.
        split: "train" or "held_out".
        shards: which ones, None for all.
        with_audio: whether samples are needed too.
        ends: phoneme times for corpora without their own; clips that it lacks are skipped.
        note_kind: of the note features, for corpora without text (`cmaudio.synthesis.note_features`).

    Raises:
        CmaudioError: a shard is missing, damaged or has non-finite values, or there are no clips.
    """
    chosen = range(description.splits[split].shards) if shards is None else shards
    signal = description.signal.signal()
    index = {timbre.name: i for i, timbre in enumerate(description.timbres)}
    rows: list[_Row] = []
    for shard in chosen:
        with _shard_errors(folder / split, shard):
            read = (
                _row(cut, description, signal, index, with_audio, ends, note_kind)
                for cut in _cuts(folder / split, shard, with_audio)
            )
            rows += (row for row in read if row is not None)
    if not rows:
        raise CmaudioError(f"{folder}: no clips in its {split} split")
    return _join(rows)


@contextmanager
def _shard_errors(folder: Place, shard: int) -> Iterator[None]:
    """Turns whatever a damaged shard raises into an error that names it."""
    try:
        yield
    except CmaudioError:
        raise
    except Exception as error:  # a damaged archive surfaces as exceptions of tar, gzip, JSON, NumPy or Lhotse
        raise CmaudioError(
            f"{folder}: shard {shard:06d} cannot be read ({type(error).__name__}: {error}); delete its files and run "
            "the same `cmaudio prepare` again to recreate it"
        ) from error


def _cuts(folder: Place, shard: int, with_audio: bool) -> Iterator[Any]:
    """The Lhotse cuts of a shard; recordings in object storage are fetched if they are needed."""
    from lhotse import CutSet

    names = dict(zip(("cuts", "recording", *ARRAYS), field_files(shard), strict=True))
    if not (with_audio or isinstance(folder, Path)):
        del names["recording"]
    try:
        with local_files(folder, list(names.values())) as here:
            missing = [str(folder / file) for file in names.values() if not (here / file).is_file()]
            if missing:
                raise CmaudioError(f"{', '.join(missing)} missing; run the same `cmaudio prepare` again to recreate it")
            yield from CutSet.from_shar(fields={name: [str(here / file)] for name, file in names.items()})
    except FileNotFoundError as error:
        raise CmaudioError(
            f"{folder}: a file of shard {shard:06d} is missing ({error}); run the same `cmaudio prepare` again to "
            "recreate it"
        ) from error


def _row(
    cut: Any,
    description: CorpusDescription,
    signal: Signal,
    index: Mapping[str, int],
    with_audio: bool,
    ends: PhonemeEnds | None,
    note_kind: str,
) -> _Row | None:
    """None for a clip whose phonemes the aligner could not place."""
    custom, log_mel, track = cut.custom, cut.load_log_mel(), cut.load_pitch_track()
    if not np.isfinite(log_mel).all() or not np.isfinite(track).all():
        raise CmaudioError(f"{description.name}: clip {cut.id!r} has values that are not finite; prepare it again")
    semitones, voiced = track[:, 0], track[:, 1]
    spoken = _spoken(cut.id, custom, description, len(log_mel), ends or {})
    if spoken is not None:
        features = frame_features(log_mel, semitones, voiced, spoken, description.signal.frame_rate)
    elif description.symbols and ends is not None:
        return None
    elif description.symbols:
        features = np.zeros((len(log_mel), SPEECH_FEATURES), np.float32)
    elif description.textures is not None:
        steady = description.timbres[index[custom["timbre"]]].sustained
        features = texture_rows(log_mel, custom, cut.id, steady, description.signal, description.textures)
    else:
        onset, release = custom["onset_samples"], custom["release_samples"]
        features = life_features(signal, semitones, custom["pitch"], custom["velocity"], onset, release, note_kind)
    timbre = description.timbres[index[custom["timbre"]]]
    f0 = f0_hz(semitones, voiced)
    # Stored spectra are harmonic: a timbre's partials are known only after all its clips are written.
    partials = in_picture(timbre.partials)
    own = harmonics(signal, f0, partials, custom["pitch"]) if partials else cut.load_harmonics()
    return _Row(
        name=cut.id,
        log_mel=log_mel.astype(np.float16),
        controls=np.concatenate([features, own], 1).astype(np.float16),
        f0=f0,
        audio=(_samples(cut) if with_audio else np.zeros(0, np.int16)).reshape(-1, signal.hop_length),
        timbre=index[custom["timbre"]],
        spoken=spoken,
        ids=read_ids(custom.get("phonemes", ()), description.symbols),
    )


def _spoken(
    name: str, custom: Mapping[str, Any], description: CorpusDescription, frames: int, ends: PhonemeEnds
) -> Spoken | None:
    """Phonemes with their times, from the corpus or from `ends`; None without times, or with too few frames."""
    phonemes, seconds = custom.get("phonemes", ()), custom.get("ends") or ends.get(name, ())
    if not phonemes or len(phonemes) != len(seconds):
        return None
    in_frames = frame_ends(seconds, frames, description.signal.frame_rate)
    return None if in_frames is None else Spoken(read_ids(phonemes, description.symbols), in_frames)


def _samples(cut: Any) -> np.ndarray:
    """(N,) 16-bit samples; decoded here, since Lhotse would need a torchaudio whose binary fits torch's."""
    samples, _ = soundfile.read(io.BytesIO(cut.recording.sources[0].source), dtype="int16")
    return samples


def _join(rows: Sequence[_Row]) -> Clips:
    frames = np.array([len(row.log_mel) for row in rows])
    return Clips(
        names=[row.name for row in rows],
        log_mel=torch.from_numpy(np.concatenate([row.log_mel for row in rows])),
        controls=torch.from_numpy(np.concatenate([row.controls for row in rows])),
        f0=torch.from_numpy(np.concatenate([row.f0 for row in rows])),
        audio=torch.from_numpy(np.concatenate([row.audio for row in rows])),
        first=torch.from_numpy(np.cumsum(frames) - frames),
        frames=torch.from_numpy(frames),
        timbre=torch.tensor([row.timbre for row in rows]),
        spoken=[row.spoken for row in rows],
        ids=[row.ids for row in rows],
    )
