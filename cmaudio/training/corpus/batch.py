"""What a training step reads.

Shapes: B clips, T frames, N = T * hop_length samples, M mel bands, C control channels.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Crops of clips, on the device that trains.

    Attributes:
        mel: (B, T, M) normalised log-mel. controls: (B, T, C) what the control encoder reads beside the timbre.
        timbre: (B,) index into the corpus's timbres. f0: (B, T) Hz, 0 = unpitched.
        audio: (B, N) samples as the network is to hear them, or (B, 0) where the step does not need them.
        scored: (B, T) bool, False for the first frames of a crop that begins inside a clip: their past is not there.
    """

    mel: Tensor
    controls: Tensor
    timbre: Tensor
    f0: Tensor
    audio: Tensor
    scored: Tensor
