"""Batches of a prepared corpus: the crops of a step depend only on its number and the seed.

A corpus that does not fit into memory is read in windows of whole shards, in an order that depends only on the seed;
the next window is prefetched while the current one is used.

Shapes: B clips of a batch, T frames of a crop, M mel bands, C controls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from cmaudio.files.place import Place
from cmaudio.synthesis.sources import base_ratio
from cmaudio.training.config import Crops
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clips import Clips, MelStatistics
from cmaudio.training.corpus.description import Split, read_description
from cmaudio.training.corpus.reading import read_clips


class Corpus:
    """Batches of one split, on a device.

    Args:
        folder: of the corpus, on disk or in object storage.
        split: "train" or "held_out".
        device: where the batches are.
        with_audio: whether batches have samples.
        seed: of the batches.
        memory_gb: maximum memory for clips.
        window_steps: steps per window of a corpus that exceeds it.
        statistics: for normalisation; None: those of the first window.
        ends: phoneme times for corpora without their own, see `read_clips`.
        lead_frames: silence before a clip's first frame, one block of the network: when playing, the context starts
            with a silent block, and the network has to learn what follows it.
        note_kind: of the note features, see `read_clips`.
    """

    def __init__(
        self,
        folder: Place,
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
        note_kind: str = "note-1",
    ) -> None:
        self.note_kind = note_kind
        self.folder, self.description = folder, read_description(folder)
        self.split, self.device, self.with_audio, self.seed = split, torch.device(device), with_audio, seed
        self.window_steps, self.ends, self.lead_frames = window_steps, ends, lead_frames
        self.window_shards = self._shards_per_window(memory_gb)
        self._at = -1
        self._next: tuple[int, Future[Clips]] | None = None
        self._reader = ThreadPoolExecutor(1, "cmaudio-corpus")
        self._clips = self._window(0)
        given = statistics or MelStatistics.of(self._clips)
        self.statistics = MelStatistics(given.mean.to(self.device), given.std.to(self.device))
        self._weights: dict[tuple[int, float], Tensor] = {}
        ratios = [base_ratio(timbre.partials) for timbre in self.description.timbres]
        self._base_ratios = torch.tensor(ratios, device=self.device)

    @property
    def clips(self) -> Clips:
        """The clips of the current window."""
        return self._clips

    def clips_at(self, step: int) -> Clips:
        """The clips from which a step reads."""
        return self._window(step // self.window_steps)

    def settle(self) -> None:
        """Wait for the prefetched window."""
        if self._next:
            self._next[1].result()

    @property
    def needed_gb(self) -> float:
        """The memory of all clips of the split."""
        signal = self.description.signal
        frames = self.description.splits[self.split].seconds * signal.sample_rate / signal.hop_length
        frame_bytes = 2 * (2 * signal.bands + 16) + 4 + (2 * signal.hop_length if self.with_audio else 0)
        return frames * frame_bytes / 1e9

    def _shards_per_window(self, memory_gb: float) -> int:
        """The number of shards per window: all if they fit."""
        shards, needed_gb = self.description.splits[self.split].shards, self.needed_gb
        # While the next window is read, two are in memory.
        return shards if needed_gb <= memory_gb else max(1, int(shards * memory_gb / 2 / needed_gb))

    def _shards(self, window: int) -> list[int]:
        count, size = self.description.splits[self.split].shards, self.window_shards
        per_epoch = -(-count // size)
        order = np.random.default_rng([self.seed, window // per_epoch]).permutation(count)
        return sorted(order[(window % per_epoch) * size :][:size].tolist())

    def _window(self, window: int) -> Clips:
        whole = self.window_shards >= self.description.splits[self.split].shards
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
        shards = self._shards(window)
        return read_clips(self.folder, self.description, self.split, shards, self.with_audio, self.ends, self.note_kind)

    def _cumulative(self, clips: Clips, crop_frames: int, balance: float) -> Tensor:
        """(clips,) cumulative sampling probability: by duration, with timbres equalised by `balance`."""
        key = (crop_frames, balance)
        if key not in self._weights:
            length = clips.frames.clamp(min=crop_frames).double()
            total = torch.zeros(len(self.description.timbres), dtype=torch.float64, device=self.device)
            total.index_add_(0, clips.timbre, length)
            weight = length * total[clips.timbre] ** -balance
            self._weights[key] = (weight.cumsum(0) / weight.sum()).float()
        return self._weights[key]

    def batch(self, step: int, chunk: int, crops: Crops) -> tuple[Batch, torch.Generator]:
        """Chunk `chunk` of the crops of step `step`, and the generator for further random numbers."""
        clips = self.clips_at(step)
        generator = torch.Generator(self.device).manual_seed(batch_seed(self.seed, step, chunk))
        count = crops.chunk_clips or crops.clips
        u = torch.rand(3, count, generator=generator, device=self.device)
        cumulative = self._cumulative(clips, crops.frames, crops.balance)
        clip = torch.searchsorted(cumulative, u[0]).clamp(max=len(cumulative) - 1)
        spare = (clips.frames[clip] - crops.frames).clamp(min=0)
        begin = torch.where(u[1] < crops.from_start, -self.lead_frames, (u[2] * (spare + 1)).long())
        return self.crops(clip, begin, crops.frames, crops.warm_up_frames), generator

    def crops(self, clip: Tensor, begin: Tensor, frames: int, warm_up_frames: int) -> Batch:
        """Crops of clips (B,) from frame `begin` (B,) on; past the end of a clip its last frame is repeated.

        Negative frames are silence with the controls of the first frame. The first `warm_up_frames` of a crop that
        starts inside its clip are not scored, nor are frames past the end.
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
            f0=clips.f0[index].masked_fill(before, 0) * self._base_ratios[clips.timbre[clip]][:, None],
            audio=audio,
            scored=inside & known,
        )


def batch_seed(seed: int, step: int, chunk: int) -> int:
    """A 63-bit seed for a chunk of a step, independent of its neighbours'."""
    return int(np.random.SeedSequence([seed, step, chunk]).generate_state(1, np.uint64)[0] >> np.uint64(1))
