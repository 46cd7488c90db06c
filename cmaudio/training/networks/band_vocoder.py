"""A vocoder without trainable weights: noise filtered by the mel bands.

For sound that is entirely noise, such as textures: gains follow the bands exactly, so level and spectrum are those of
the frames, and it costs a hundredth of a `VocoderNetwork`. It has no partials and no phase to sharpen an attack with.

Shapes: B voices, T frames, M mel bands, F STFT bins.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cmaudio.signal.dsp import Mel

_SILENT = -20.0  # log-magnitude of the filters that it lacks
_RAYLEIGH = math.sqrt(math.pi) / 2  # mean magnitude of noise of unit power
_UNIT_POWER_FFT = 2048  # the window under which `white_noise` has unit power
_ABOVE_FLOOR, _STEEPNESS = 0.5, 8.0  # nepers above the floor, below which the gain falls more steeply


class BandVocoder(nn.Module):
    """(B, T, M) normalised log-mel, (B, T) f0 (ignored) -> (B, T, 5F) filters, in the form of `VocoderNetwork`.

    Args:
        mel: of the model.
        mean: (M,) with which its frames were normalised.
        std: (M,)
    """

    def __init__(self, mel: Mel, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        hz = np.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
        bands = np.stack([np.interp(hz, mel.centres_hz, row) for row in np.eye(mel.bands)], 1)  # (F, M)
        weight = torch.from_numpy(bands.astype(np.float32))
        self.weight: Tensor
        self.bias: Tensor
        self.register_buffer("weight", weight * std.float())
        self.register_buffer("bias", weight @ mean.float())
        # A band sums magnitudes under a triangle of unit area in Hz.
        power = mel.n_fft / _UNIT_POWER_FFT  # of a bin of the noise
        self._unit = math.log(mel.sample_rate / mel.n_fft / _RAYLEIGH / math.sqrt(power))
        self._quiet = math.log(mel.floor) + _ABOVE_FLOOR

    def init_state(self, batch: int) -> list[Tensor]:
        return []

    def forward(self, mel: Tensor, f0: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        amplitude = F.linear(mel.float(), self.weight, self.bias)
        noise = amplitude + self._unit - _STEEPNESS * (self._quiet - amplitude).clamp(min=0)
        none = torch.zeros_like(noise) + 0 * f0[..., None]
        silent = none + _SILENT
        return torch.cat([silent, none, noise, silent, none], -1), state
