"""Training of the aligner, and decoding of phoneme boundaries."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cmaudio.signal.jit import compiled
from cmaudio.training.corpus.sentences import SentenceBatch
from cmaudio.training.networks.aligner import diagonal_prior, forward_sum_loss
from cmaudio.training.tasks.single_network import SentenceTask
from cmaudio.training.tasks.task import Draws


class AlignerTask(SentenceTask):
    """`cmaudio.training.tasks.task.Task` for an aligner."""

    name = "aligner"
    weight_decay = 1e-6

    def loss(self, turn: str, batch: SentenceBatch, draws: Draws, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        loss = forward_sum_loss(self._score(batch), batch.frames, batch.phonemes)
        return loss, {"loss": loss.detach()}

    def _score(self, batch: SentenceBatch) -> Tensor:
        """(B, T, P) log-probabilities with the prior; padding is nearly impossible."""
        logits = self.network(batch.mel, batch.ids, batch.phonemes)
        score = torch.log_softmax(logits, -1).clamp(min=-1e4)
        for row, (frames, phonemes) in enumerate(zip(batch.frames.tolist(), batch.phonemes.tolist(), strict=True)):
            score[row, :frames, :phonemes] += diagonal_prior(frames, phonemes).to(score)
        return score

    @torch.no_grad()
    def ends(self, batch: SentenceBatch) -> list[list[int]]:
        """For each utterance the frame after the last of each phoneme."""
        scores = self._score(batch).float().cpu().numpy()
        sizes = zip(batch.frames.tolist(), batch.phonemes.tolist(), strict=True)
        return [
            monotone_ends(score[:frames, :phonemes]).tolist()
            for score, (frames, phonemes) in zip(scores, sizes, strict=True)
        ]


@compiled
def monotone_ends(log_probability: NDArray[np.float32]) -> NDArray[np.int64]:
    """(T, P) log-probability of phoneme p at frame t -> (P,) the frame after the last of each; each has at least one.

    T must be at least P. The most probable monotone alignment, by dynamic programming; Kim et al., "Glow-TTS" (2020,
    arXiv 2005.11129), algorithm 1. `torchaudio.functional.forced_align` with an impossible blank finds the same path.
    It took 120 times as long: 36 ms against 0.3 ms an utterance (300 random ones of up to 1000 frames and 120 phonemes,
    all with equal boundaries).
    """
    frames, phonemes = log_probability.shape
    best = np.full((frames, phonemes), -np.inf)
    best[0, 0] = log_probability[0, 0]
    for t in range(1, frames):
        for p in range(max(0, phonemes - frames + t), min(phonemes, t + 1)):
            stay = best[t - 1, p]
            come = best[t - 1, p - 1] if p else -np.inf
            best[t, p] = max(stay, come) + log_probability[t, p]
    ends = np.empty(phonemes, np.int64)
    p = phonemes - 1
    ends[p] = frames
    for t in range(frames - 1, 0, -1):
        if p and (best[t - 1, p - 1] > best[t - 1, p] or t == p):
            p -= 1
            ends[p] = t
    return ends
