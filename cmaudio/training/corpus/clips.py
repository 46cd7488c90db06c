"""Clips in memory as tensors, and the statistics that normalise their mels.

Shapes: S frames of all clips one after the other, P phonemes, M mel bands, C controls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from cmaudio.training.corpus.alignment import Ints, Spoken


@dataclass(frozen=True)
class Clips:
    """Clips on one device.

    Attributes:
        names: of the clips.
        log_mel: (S, M) half precision.
        controls: (S, C) half precision.
        f0: (S,) Hz, 0 where unvoiced.
        audio: (S, hop) 16-bit samples, or (0, hop).
        first: (clips,) index of each clip's first frame.
        frames: (clips,) number of frames.
        timbre: (clips,) index into the corpus's timbres.
        spoken: phonemes with their times, None where unknown.
        ids: (P, 4) phoneme ids of each clip, (0, 4) without text.
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
        """The frames of a clip."""
        first = int(self.first[index])
        return slice(first, first + int(self.frames[index]))

    def to(self, device: torch.device) -> Clips:
        moved: dict[str, Any] = {
            key: value.to(device) for key, value in vars(self).items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)


@dataclass(frozen=True)
class MelStatistics:
    """Mean and standard deviation of log-mel per band, (M,) each; the deviation is at least 0.5."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, clips: Clips) -> MelStatistics:
        log_mel = clips.log_mel.float()
        return cls(log_mel.mean(0), log_mel.std(0).clamp(min=0.5))
