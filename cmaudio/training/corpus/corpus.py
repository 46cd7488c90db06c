"""A prepared corpus as tensors, and the batches of every step: which crops a step reads depends on its number alone.

Shapes: S frames of all clips one after the other, B clips of a batch, T frames of a crop, M mel bands, C controls.
A corpus that is larger than the memory it may take is read in windows of whole shards, one after the other in an order
that depends on the seed alone; the next window is read while the present one is used.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import Tensor

from cmaudio.errors import CmaudioError
from cmaudio.speech.features import SPEECH_FEATURES
from cmaudio.training.config import Crops
from cmaudio.training.corpus.alignment import Ints, Spoken, frame_ends, frame_features, read_ids
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clip import f0_hz, life_features
from cmaudio.training.corpus.description import CorpusDescription, Split, read_description


@dataclass(frozen=True)
class Clips:
    """Clips in memory, on one device.

    log_mel (S, M) half, controls (S, C) half, f0 (S,) Hz, audio (S, hop) 16-bit samples or (0, hop);
    by clip: first and frames (into S), timbre (index), what is said (ids (P, 4), (0, 4) without text), and when where
    that is known.
    """

    names: list[str]
    log_mel: Tensor
    controls: Tensor
    f0: Tensor
    audio: Tensor
    first: Tensor
    frames: Tensor
    timbre: Tensor
    spoken: list[Spoken | None]
    ids: list[Ints]

    def rows(self, index: int) -> slice:
        """Where a clip's frames lie."""
        first = int(self.first[index])
        return slice(first, first + int(self.frames[index]))

    def to(self, device: torch.device) -> Clips:
        moved: dict[str, Any] = {
            key: value.to(device) for key, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)


def read_clips(
    folder: Path,
    description: CorpusDescription,
    split: Split,
    shards: Sequence[int] | None,
    with_audio: bool,
    ends: Mapping[str, Sequence[float]] | None = None,
) -> Clips:
    """Read shards (all for None) of a split. `ends` are those of phonemes by clip, for corpora that bring none.

    Raises CmaudioError for a shard that is missing, damaged or not finite."""
    from lhotse import CutSet

    signal = description.signal.signal()
    index = {timbre.name: i for i, timbre in enumerate(description.timbres)}
    columns: dict[str, list[np.ndarray]] = {"log_mel": [], "controls": [], "f0": [], "audio": []}
    names: list[str] = []
    timbres: list[int] = []
    said: list[Spoken | None] = []
    ids: list[Ints] = []
    chosen = range(description.splits[split].shards) if shards is None else shards
    for shard in chosen:
        fields = _shard_fields(folder / split, shard)
        try:
            for cut in CutSet.from_shar(fields=fields):
                custom = cut.custom
                log_mel, track = cut.load_log_mel(), cut.load_pitch_track()
                if not np.isfinite(log_mel).all() or not np.isfinite(track).all():
                    raise CmaudioError(
                        f"{folder / split}: clip {cut.id!r} of shard {shard} has values that are not finite"
                    )
                semitones, voiced = track[:, 0], track[:, 1]
                spoken = _spoken(cut.id, custom, description, len(log_mel), ends or {})
                if description.symbols and spoken is None and ends is not None:
                    continue  # no aligner could place its phonemes
                if spoken is not None:
                    features = frame_features(log_mel, semitones, voiced, spoken, description.signal.frame_rate)
                elif description.symbols:
                    features = np.zeros((len(log_mel), SPEECH_FEATURES), np.float32)
                else:
                    features = life_features(
                        signal,
                        semitones,
                        custom["pitch"],
                        custom["velocity"],
                        custom["onset_samples"],
                        custom["release_samples"],
                    )
                columns["log_mel"].append(log_mel.astype(np.float16))
                columns["controls"].append(np.concatenate([features, cut.load_harmonics()], 1).astype(np.float16))
                columns["f0"].append(f0_hz(semitones, voiced))
                if with_audio:
                    columns["audio"].append(_samples(cut).reshape(-1, signal.hop_length))
                names.append(cut.id)
                said.append(spoken)
                ids.append(read_ids(custom.get("phonemes", ()), description.symbols))
                timbres.append(index[custom["timbre"]])
        except CmaudioError:
            raise
        except Exception as error:  # a damaged archive shows in exceptions of tar, gzip, JSON, NumPy or Lhotse
            raise CmaudioError(
                f"{folder / split}: shard {shard:06d} cannot be read ({type(error).__name__}: {error}); delete its "
                "files and run the same `cmaudio prepare` again to make it anew"
            ) from error
    if not names:
        raise CmaudioError(f"{folder}: no clips in its {split} split")
    frames = np.array([len(rows) for rows in columns["log_mel"]])
    bands, hop = description.signal.bands, signal.hop_length
    audio = np.concatenate(columns["audio"]) if with_audio else np.zeros((0, hop), np.int16)
    controls = np.concatenate(columns["controls"])
    assert controls.shape[1] > bands
    return Clips(
        names,
        torch.from_numpy(np.concatenate(columns["log_mel"])),
        torch.from_numpy(controls),
        torch.from_numpy(np.concatenate(columns["f0"])),
        torch.from_numpy(audio),
        torch.from_numpy(np.cumsum(frames) - frames),
        torch.from_numpy(frames),
        torch.tensor(timbres),
        said,
        ids,
    )


def _spoken(
    name: str,
    custom: Mapping[str, Any],
    description: CorpusDescription,
    frames: int,
    ends: Mapping[str, Sequence[float]],
) -> Spoken | None:
    """Whose phonemes have times, by the corpus or by `ends`, and no more of them than frames."""
    phonemes, seconds = custom.get("phonemes", ()), custom.get("ends") or ends.get(name, ())
    if not phonemes or len(phonemes) != len(seconds):
        return None
    in_frames = frame_ends(seconds, frames, description.signal.frame_rate)
    return None if in_frames is None else Spoken(read_ids(phonemes, description.symbols), in_frames)


def _samples(cut: Any) -> np.ndarray:
    """(N,) 16-bit samples; decoded here, since Lhotse would take torchaudio, whose binary has to fit torch's."""
    samples, _ = soundfile.read(io.BytesIO(cut.recording.sources[0].source), dtype="int16")
    return samples


def _shard_fields(folder: Path, shard: int) -> dict[str, list[str]]:
    fields = {"cuts": [str(folder / f"cuts.{shard:06d}.jsonl.gz")]}
    for name in ("recording", "log_mel", "harmonics", "pitch_track"):
        fields[name] = [str(folder / f"{name}.{shard:06d}.tar")]
    missing = [path for paths in fields.values() for path in paths if not Path(path).is_file()]
    if missing:
        raise CmaudioError(f"{', '.join(missing)} missing; run the same `cmaudio prepare` again to make it anew")
    return fields


@dataclass(frozen=True)
class MelStatistics:
    """Mean and standard deviation a band, (M,) each, of log-mel; the deviation is at least 0.5."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, clips: Clips) -> MelStatistics:
        log_mel = clips.log_mel.float()
        return cls(log_mel.mean(0), log_mel.std(0).clamp(min=0.5))


class Corpus:
    """Batches of a split of a corpus, on a device.

    `lead_frames` of silence come before a clip's beginning, as long as a block of the network that is trained: a
    player's past begins with a silent block, and what follows it has to be learned as well.
    """

    def __init__(
        self,
        folder: Path,
        *,
        split: Split = "train",
        device: torch.device | str = "cpu",
        with_audio: bool = False,
        seed: int = 0,
        memory_gb: float = 24.0,
        window_steps: int = 1000,
        statistics: MelStatistics | None = None,
        ends: Mapping[str, Sequence[float]] | None = None,
        lead_frames: int = 0,
    ) -> None:
        self.folder, self.description = folder, read_description(folder)
        self.split, self.device, self.with_audio, self.seed = split, torch.device(device), with_audio, seed
        self.window_steps, self.ends, self.lead_frames = window_steps, ends, lead_frames
        self._windows = self._plan_windows(memory_gb)
        self._at = -1
        self._next: tuple[int, Future[Clips]] | None = None
        self._reader = ThreadPoolExecutor(1, "cmaudio-corpus")
        self._clips = self._window(0)
        given = statistics or MelStatistics.of(self._clips)
        self.statistics = MelStatistics(given.mean.to(self.device), given.std.to(self.device))
        self._weights: dict[tuple[int, float], Tensor] = {}

    @property
    def clips(self) -> Clips:
        """The clips of the present window."""
        return self._clips

    def _plan_windows(self, memory_gb: float) -> int:
        """Shards a window; all where they fit."""
        part = self.description.splits[self.split]
        signal = self.description.signal
        frames = part.seconds * signal.sample_rate / signal.hop_length
        frame_bytes = 2 * (2 * signal.bands + 16) + 4 + (2 * signal.hop_length if self.with_audio else 0)
        needed_gb = frames * frame_bytes / 1e9
        # Two windows are in memory while the next one is read.
        return part.shards if needed_gb <= memory_gb else max(1, int(part.shards * memory_gb / 2 / needed_gb))

    def _shards(self, window: int) -> list[int]:
        count, size = self.description.splits[self.split].shards, self._windows
        a_round = -(-count // size)
        order = np.random.default_rng([self.seed, window // a_round]).permutation(count)
        return sorted(order[(window % a_round) * size :][:size].tolist())

    def _window(self, window: int) -> Clips:
        whole = self._windows >= self.description.splits[self.split].shards
        if whole:
            window = 0
        if window == self._at:
            return self._clips
        ready = self._next[1] if self._next and self._next[0] == window else self._reader.submit(self._read, window)
        self._clips, self._at = ready.result().to(self.device), window
        self._weights = {}
        self._next = None if whole else (window + 1, self._reader.submit(self._read, window + 1))
        return self._clips

    def _read(self, window: int) -> Clips:
        return read_clips(self.folder, self.description, self.split, self._shards(window), self.with_audio, self.ends)

    def _cumulative(self, clips: Clips, crop_frames: int, balance: float) -> Tensor:
        """(clips,) cumulative probability of drawing a clip: by its length, timbres evened out by `balance`."""
        key = (crop_frames, balance)
        if key not in self._weights:
            length = clips.frames.clamp(min=crop_frames).double()
            total = torch.zeros(len(self.description.timbres), dtype=torch.float64, device=self.device)
            total.index_add_(0, clips.timbre, length)
            weight = length * total[clips.timbre] ** -balance
            self._weights[key] = (weight.cumsum(0) / weight.sum()).float()
        return self._weights[key]

    def batch(self, step: int, chunk: int, crops: Crops) -> tuple[Batch, torch.Generator]:
        """Chunk `chunk` of step `step`'s crops, and the generator of all that is still to be drawn for them."""
        clips = self._window(step // self.window_steps)
        generator = torch.Generator(self.device).manual_seed(batch_seed(self.seed, step, chunk))
        count = crops.chunk_clips or crops.clips
        u = torch.rand(3, count, generator=generator, device=self.device)
        cumulative = self._cumulative(clips, crops.frames, crops.balance)
        clip = torch.searchsorted(cumulative, u[0]).clamp(max=len(cumulative) - 1)
        spare = (clips.frames[clip] - crops.frames).clamp(min=0)
        begin = torch.where(u[1] < crops.from_start, -self.lead_frames, (u[2] * (spare + 1)).long())
        return self.crops(clip, begin, crops.frames, crops.warm_up_frames), generator

    def crops(self, clip: Tensor, begin: Tensor, frames: int, warm_up_frames: int) -> Batch:
        """Crops of (B,) clips from their frame (B,) `begin` on; what lies past a clip's end repeats its last frame.

        Before a clip, at negative frames, is silence under its first frame's controls. The first `warm_up_frames` of a
        crop that begins inside its clip are not scored, nor is what lies past the end.
        """
        clips = self._clips
        position = begin[:, None] + torch.arange(frames, device=self.device)
        before, inside = position < 0, position < clips.frames[clip][:, None]
        index = clips.first[clip][:, None] + position.clamp(min=0).minimum(clips.frames[clip][:, None] - 1)
        known = position - begin[:, None] >= torch.where(begin <= 0, 0, warm_up_frames)[:, None]
        audio = torch.zeros(len(clip), 0, device=self.device)
        if self.with_audio:
            sounding = (inside & ~before)[..., None]
            audio = (clips.audio[index].float() * (self.description.gain / 32768) * sounding).flatten(1)
        log_mel = clips.log_mel[index].float().masked_fill(before[..., None], math.log(self.description.signal.floor))
        return Batch(
            mel=(log_mel - self.statistics.mean) / self.statistics.std,
            controls=clips.controls[index].float(),
            timbre=clips.timbre[clip],
            f0=clips.f0[index].masked_fill(before, 0),
            audio=audio,
            scored=inside & known,
        )


def batch_seed(seed: int, step: int, chunk: int) -> int:
    """A 63-bit seed for a chunk of a step; neighbours share nothing."""
    return int(np.random.SeedSequence([seed, step, chunk]).generate_state(1, np.uint64)[0] >> np.uint64(1))
