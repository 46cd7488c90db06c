"""Distance between two sounds in the frames of the mel spectrogram, and in the power of many frames together.

A vocoder is given such frames and should sound as loud and as bright as they say. A mean over the logarithms of single
frames does not see to that: a sound that fluctuates may have the right median and lack half of the power.

Shapes: B clips, N samples, T frames, M mel bands.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cmaudio.training.corpus.clip import Signal
from cmaudio.training.tasks.torch_dsp import analyse

_SPANS = (1, 4, 16)  # frames
_HEARD = 10.0  # times the floor of the mel spectrogram


class FrameLoss(nn.Module):
    """Mean absolute difference of the log10 of the levels, of each band and of all bands together.

    (B, N), (B, N) and (B, T) bool, which frames are compared -> scalar. A level is the root of the mean power over 1, 4
    or 16 frames. Sums are divided by the number of bands that are heard in the recording, so that silence does not
    dilute them; what sounds in silence counts.
    """

    def __init__(self, signal: Signal) -> None:
        super().__init__()
        self._stft, self._floor = signal.stft, signal.mel.floor
        self.register_buffer("filterbank", torch.from_numpy(signal.mel.filterbank), persistent=False)

    def forward(self, ours: Tensor, recorded: Tensor, compared: Tensor) -> Tensor:
        pair = torch.stack([self._power(x) for x in (ours, recorded)])  # (2, B, T, M)
        clips, frames = compared.shape
        distances = []
        for span in _SPANS:
            spans, whole = frames // span, frames // span * span
            counted = compared[:, :whole].reshape(clips, spans, span).all(-1)
            powers = pair[:, :, :whole].reshape(2, clips, spans, span, -1).mean(3)[:, counted]  # (2, counted, M)
            distances += [self._distance(powers), self._distance(powers.mean(-1, keepdim=True))]
        return torch.stack(distances).mean()

    def _power(self, x: Tensor) -> Tensor:
        return (analyse(x, self._stft).abs() @ self.get_buffer("filterbank")).square()

    def _distance(self, powers: Tensor) -> Tensor:
        """Of the powers (2, S, M) of both."""
        ours, recorded = 0.5 * torch.log10(powers.clamp(min=self._floor**2))
        heard = powers[1] > (_HEARD * self._floor) ** 2
        return (ours - recorded).abs().sum() / heard.sum().clamp(min=1)
