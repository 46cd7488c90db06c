"""What the prosody network is to say: for each stretch between pauses how long, how loud and how high each phoneme is.

Shapes: B stretches, P phonemes, T frames, M mel bands. The first phoneme of a stretch is the pause before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cmaudio.dsp import Float
from cmaudio.speech.features import KNOTS, pitch_feature
from cmaudio.training.data.alignment import Spoken, energies, knots

_REST_SEMITONES = 57.0


@dataclass(frozen=True)
class ProsodyTargets:
    """Stretches padded with zeros.

    Attributes:
        ids: (B, P, 4) of `phoneme_ids`. timbre: (B,). scored: (B, P) bool, False for padding and for pauses before a
            stretch that another one ends with. timed: (B, P) bool, False also for the last pause of a clip, whose end
            is arbitrary; how loud it is, is not, and in a corpus of single sentences no other pause ends one.
        durations: (B, P) frames. energy: (B, P). pitch, voiced: (B, P, 4) at the knots.
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


def breath_groups(spoken: Spoken, log_mel: Float, f0: Float, timbre: int) -> list[ProsodyTargets]:
    """The stretches of a clip, each up to a pause; `f0` (T,) in Hz, 0 where unvoiced."""
    sounding = f0 > 0
    semitones = np.full(len(f0), _REST_SEMITONES)
    if sounding.any():
        known = 69 + 12 * np.log2(f0[sounding] / 440)
        semitones = np.interp(np.arange(len(f0)), np.flatnonzero(sounding), known)
    pitch = pitch_feature(knots(semitones.astype(np.float32), spoken))
    voiced = knots(sounding.astype(np.float32), spoken)
    energy = energies(log_mel, spoken)
    count, is_pause = len(spoken.ids), spoken.ids[:, 3]
    cuts = [i for i in range(1, count) if is_pause[i]]
    groups = []
    for begin, end in zip([0, *cuts[:-1]], cuts, strict=True):
        rows = slice(begin, end + 1)
        scored = np.ones(end + 1 - begin, bool)
        scored[0] = begin == 0
        timed = scored.copy()
        timed[-1] = end + 1 < count
        groups.append(_target(spoken, rows, scored, timed, energy, pitch, voiced, timbre))
    return groups


def _target(
    spoken: Spoken,
    rows: slice,
    scored: np.ndarray,
    timed: np.ndarray,
    energy: Float,
    pitch: Float,
    voiced: Float,
    timbre: int,
) -> ProsodyTargets:
    def row(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values))[None]

    return ProsodyTargets(
        row(spoken.ids[rows]),
        torch.tensor([timbre]),
        row(scored),
        row(timed),
        row(spoken.durations[rows].astype(np.float32)),
        row(energy[rows]),
        row(pitch[rows].reshape(-1, KNOTS)),
        row((voiced[rows] > 0.5).astype(np.float32).reshape(-1, KNOTS)),
    )
