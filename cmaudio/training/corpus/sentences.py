"""Batches of whole utterances with their phonemes, for the aligner and the prosody network.

Shapes: B utterances, T frames of the longest, P phonemes of the longest, M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cmaudio.errors import CmaudioError
from cmaudio.training.config import SentenceStage
from cmaudio.training.corpus.clips import Clips, MelStatistics
from cmaudio.training.corpus.corpus import Corpus, batch_seed
from cmaudio.training.corpus.prosody_targets import Phonology, ProsodyTargets, breath_groups

_LONGEST_FRAMES = 1600  # a batch is as large as its longest utterance


@dataclass(frozen=True)
class SentenceBatch:
    """Utterances padded with zeros.

    Attributes:
        mel: (B, T, M) normalised log-mel.
        frames: (B,) number of frames that are not padding.
        ids: (B, P, 4) of `phoneme_ids`.
        phonemes: (B,) number of phonemes that are not padding.
        timbre: (B,) index into the corpus's timbres.
    """

    mel: Tensor
    frames: Tensor
    ids: Tensor
    phonemes: Tensor
    timbre: Tensor


class Sentences:
    """Batches of whole utterances; like crops, they depend only on step number and seed."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        clips = corpus.clips
        self._usable = [
            i for i, ids in enumerate(clips.ids) if len(ids) and len(ids) <= int(clips.frames[i]) <= _LONGEST_FRAMES
        ]
        if not self._usable:
            raise CmaudioError(
                f"{corpus.folder}: no clip with phonemes that is shorter than {_LONGEST_FRAMES} frames; prepare the "
                "corpus with --language"
            )

    def batch(self, step: int, chunk: int, stage: SentenceStage) -> tuple[SentenceBatch, torch.Generator]:
        """Chunk `chunk` of step `step`, and the generator for further random numbers."""
        seed = batch_seed(self._corpus.seed, step, chunk)
        chosen = np.random.default_rng(seed).choice(self._usable, stage.clips)
        device = self._corpus.device
        batch = sentence_batch(self._corpus.clips, chosen.tolist(), self._corpus.statistics)
        return batch, torch.Generator(device).manual_seed(seed)


def sentence_batch(clips: Clips, chosen: Sequence[int], statistics: MelStatistics) -> SentenceBatch:
    """The batch of some clips."""
    device = clips.log_mel.device
    mels = [(clips.log_mel[clips.rows(i)].float() - statistics.mean) / statistics.std for i in chosen]
    ids = [torch.from_numpy(clips.ids[i]).to(device) for i in chosen]
    return SentenceBatch(
        pad_sequence(mels, batch_first=True),
        torch.tensor([len(mel) for mel in mels], device=device),
        pad_sequence(ids, batch_first=True),
        torch.tensor([len(row) for row in ids], device=device),
        clips.timbre[torch.tensor(chosen, device=device)],
    )


class BreathGroups:
    """Batches of breath groups with their prosody."""

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        about = corpus.description
        phonology = Phonology(about.language or "", about.symbols)
        count = len(corpus.clips.names)
        self._groups = [group for i in range(count) for group in _groups_of(corpus.clips, i, phonology)]
        if not self._groups:
            raise CmaudioError(f"{corpus.folder}: no clip whose phonemes have times; train the aligner first")

    def batch(self, step: int, chunk: int, stage: SentenceStage) -> tuple[ProsodyTargets, torch.Generator]:
        """Chunk `chunk` of step `step`, and the generator for further random numbers."""
        seed = batch_seed(self._corpus.seed, step, chunk)
        chosen = np.random.default_rng(seed).integers(0, len(self._groups), stage.clips)
        device = self._corpus.device
        return ProsodyTargets.join([self._groups[i] for i in chosen], device), torch.Generator(device).manual_seed(seed)


def _groups_of(clips: Clips, index: int, phonology: Phonology) -> list[ProsodyTargets]:
    spoken = clips.spoken[index]
    if spoken is None:
        return []
    rows = clips.rows(index)
    f0 = clips.f0[rows].cpu().numpy()
    log_mel = clips.log_mel[rows].float().cpu().numpy()
    return breath_groups(spoken, log_mel, f0, int(clips.timbre[index]), phonology)
