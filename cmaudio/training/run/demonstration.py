"""Spectrograms and audio of a stage in training: always the same few held-out clips, free running."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from cmaudio.files.place import Place
from cmaudio.training.config import RunConfig
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import Split, read_description
from cmaudio.training.run.journal import Journal
from cmaudio.training.tasks.generate import free_run
from cmaudio.training.tasks.residual import Target
from cmaudio.training.tasks.torch_dsp import synthesise

_CLIPS, _FRAMES = 4, 320


class Demonstration:
    """Runs a stage's averaged network on a few held-out clips (training clips if there are none)."""

    def __init__(self, folder: Place, corpus: Corpus, config: RunConfig, journal: Journal, stage: str) -> None:
        self.config, self.journal, self.stage, self.corpus = config, journal, stage, corpus
        described = read_description(folder)
        split: Split = "held_out" if described.splits["held_out"].clips else "train"
        device = corpus.device
        shown = Corpus(
            folder,
            split=split,
            device=device,
            with_audio=True,
            statistics=corpus.statistics,
            memory_gb=1,
            ends=corpus.ends,
            note_kind=corpus.note_kind,
        )
        count = len(shown.clips.names)
        chosen = torch.linspace(0, count - 1, min(_CLIPS, count), device=device).long()
        k = config.network.block_frames
        self.batch: Batch = shown.crops(chosen, torch.full_like(chosen, -k), _FRAMES - _FRAMES % k, 0)
        self.signal = described.signal.signal()

    def network(self, average: nn.Module, step: int, target: Target) -> None:
        """Recording above, one-step free running below; their distance within the clips, in dB."""
        generator = torch.Generator(self.batch.mel.device).manual_seed(0)
        sampled = free_run(average, target(self.batch, generator), self.config.sigma, generator)  # type: ignore[arg-type]
        generated = target.to_mel(self.batch, sampled)
        error = ((generated - self.batch.mel).abs() * self.corpus.statistics.std).mean(-1) * 20 / np.log(10)
        distance = error[self.batch.scored].mean()
        self.journal.metrics(self.stage, step, {"held_out_mel_db": float(distance)})
        for index, (ours, theirs) in enumerate(zip(generated, self.batch.mel, strict=True)):
            self.journal.picture(f"{self.stage}/{index}", self._unit(torch.cat([ours, theirs], 1)), step)

    @torch.no_grad()
    def vocoder(self, average: nn.Module, step: int) -> None:
        """Copy-synthesis: the recordings' mels through the vocoder."""
        device = self.batch.mel.device
        generator = torch.Generator(device).manual_seed(0)
        noise = torch.randn(self.batch.audio.shape, generator=generator, device=device)
        phase = torch.zeros(len(noise), device=device)
        sound = synthesise(average, self.signal, self.batch.mel, self.batch.f0, noise, phase)  # type: ignore[arg-type]
        for index, row in enumerate(sound):
            rate = self.signal.sample_rate
            self.journal.audio(f"{self.stage}/{index}", row.float().cpu().numpy(), rate, step)
            if step == 0 or index == 0:
                self.journal.audio(f"recording/{index}", self.batch.audio[index].cpu().numpy(), rate, step)

    def _unit(self, mels: Tensor) -> np.ndarray:
        """(T, 2M) normalised log-mel of two sounds to 0..1, from the floor to the maximum."""
        mean, std = (x.repeat(2) for x in (self.corpus.statistics.mean, self.corpus.statistics.std))
        log_mel = (mels * std + mean).float()
        floor = float(np.log(self.signal.mel.floor))
        return ((log_mel - floor) / (log_mel.max() - floor)).clamp(0, 1).cpu().numpy()
