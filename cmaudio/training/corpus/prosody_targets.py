"""Targets of the prosody network: duration, energy and pitch of each phoneme of a breath group.

Shapes: B breath groups, P phonemes, T frames, M mel bands. A group starts with the pause before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cmaudio.signal.dsp import Float
from cmaudio.speech.features import pitch_feature
from cmaudio.speech.phonemes import Phoneme
from cmaudio.speech.sentences import StretchReader, prosody_ids
from cmaudio.training.corpus.alignment import Ints, Spoken, energies, knots

_REST_SEMITONES = 57.0


@dataclass(frozen=True)
class ProsodyTargets:
    """Breath groups padded with zeros.

    Attributes:
        ids: (B, P, 6) of `prosody_ids`.
        timbre: (B,) index.
        scored: (B, P) bool, False for padding and for leading pauses, with which the previous group ends.
        timed: (B, P) bool, False also for the last pause of a clip, whose end is arbitrary (its level is not).
        durations: (B, P) frames.
        energy: (B, P).
        pitch: (B, P, 4) at the knots.
        voiced: (B, P, 4) at the knots.
    """

    ids: Tensor
    timbre: Tensor
    scored: Tensor
    timed: Tensor
    durations: Tensor
    energy: Tensor
    pitch: Tensor
    voiced: Tensor

    @classmethod
    def join(cls, parts: Sequence[ProsodyTargets], device: torch.device) -> ProsodyTargets:
        """One batch."""

        def pad(name: str) -> Tensor:
            rows = [getattr(part, name)[0] for part in parts]
            return pad_sequence(rows, batch_first=True).to(device)

        padded = {name: pad(name) for name in ("ids", "scored", "timed", "durations", "energy", "pitch", "voiced")}
        return cls(timbre=torch.cat([part.timbre for part in parts]).to(device), **padded)


@dataclass(frozen=True)
class Phonology:
    """The language of a corpus, e.g. "en-us", and its symbols, by which its ids are read."""

    language: str
    symbols: Sequence[str]

    def phonemes(self, ids: Ints) -> list[Phoneme]:
        """Inverse of `phoneme_ids`."""
        return [Phoneme(self.symbols[symbol], stress, bool(begins)) for symbol, stress, begins, _ in ids.tolist()]


def breath_groups(spoken: Spoken, log_mel: Float, f0: Float, timbre: int, phonology: Phonology) -> list[ProsodyTargets]:
    """The breath groups of a clip, each up to a pause; `f0` (T,) in Hz, 0 where unvoiced."""
    sounding = f0 > 0
    semitones = np.full(len(f0), _REST_SEMITONES)
    if sounding.any():
        known = 69 + 12 * np.log2(f0[sounding] / 440)
        semitones = np.interp(np.arange(len(f0)), np.flatnonzero(sounding), known)
    columns = {
        "durations": spoken.durations.astype(np.float32),
        "energy": energies(log_mel, spoken),
        "pitch": pitch_feature(knots(semitones.astype(np.float32), spoken)),
        "voiced": (knots(sounding.astype(np.float32), spoken) > 0.5).astype(np.float32),
    }
    tensors = {name: torch.from_numpy(column)[None] for name, column in columns.items()}
    last = len(spoken.ids) - 1
    cuts = [i for i in range(1, last + 1) if spoken.ids[i, 3]]
    phonemes, reader = phonology.phonemes(spoken.ids), StretchReader(phonology.language)
    groups = []
    for begin, end in zip([0, *cuts[:-1]], cuts, strict=True):
        scored = torch.ones(1, end + 1 - begin, dtype=torch.bool)
        scored[:, 0] = begin == 0
        timed = scored.clone()
        timed[:, -1] = end < last
        stretch = {name: tensor[:, begin : end + 1] for name, tensor in tensors.items()}
        ids = prosody_ids(spoken.ids[begin : end + 1], reader.read(phonemes[begin : end + 1]))
        stretch["ids"] = torch.from_numpy(ids)[None]
        groups.append(ProsodyTargets(timbre=torch.tensor([timbre]), scored=scored, timed=timed, **stretch))
    return groups
