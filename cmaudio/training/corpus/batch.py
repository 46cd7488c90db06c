"""The batch of a training step.

Shapes: B clips, T frames, N = T * hop_length samples, M mel bands, C control channels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Crops of clips, on the device that trains.

    Attributes:
        mel: (B, T, M) normalised log-mel.
        controls: (B, T, C) inputs of the control encoder besides the timbre.
        timbre: (B,) index into the corpus's timbres.
        f0: (B, T) Hz, base of the excitation that a vocoder filters; 0 where it is only noise.
        audio: (B, N) samples including the corpus's gain, or (B, 0) where the step does not need them.
        scored: (B, T) bool, False for the first frames of a crop from inside a clip, which lack their context.
        loudness: (B, T, M) dB by which the level of a frame changes with a unit of each band, 0 where it is nearly
            silent; empty where no prior predicts the frame.
    """

    mel: Tensor
    controls: Tensor
    timbre: Tensor
    f0: Tensor
    audio: Tensor
    scored: Tensor
    loudness: Tensor = field(default_factory=lambda: torch.zeros(0))
