"""Training of the aligner, and decoding of phoneme boundaries."""

from __future__ import annotations

import torch
from torch import Tensor

from cmaudio.training.corpus.sentences import SentenceBatch
from cmaudio.training.networks.aligner import diagonal_prior, forward_sum_loss
from cmaudio.training.tasks.monotone_path import monotone_ends
from cmaudio.training.tasks.sentence import SentenceTask
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
