"""The batch of a training step.

Shapes: B clips, T frames, N = T * hop_length samples, M mel bands, C control channels.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Crops of clips, on the device that trains.

    Attributes:
        mel: (B, T, M) normalised log-mel.
        controls: (B, T, C) inputs of the control encoder besides the timbre.
        timbre: (B,) index into the corpus's timbres.
        f0: (B, T) Hz, 0 where unpitched.
        audio: (B, N) samples including the corpus's gain, or (B, 0) where the step does not need them.
        scored: (B, T) bool, False for the first frames of a crop from inside a clip, which lack their context.
    """

    mel: Tensor
    controls: Tensor
    timbre: Tensor
    f0: Tensor
    audio: Tensor
    scored: Tensor
