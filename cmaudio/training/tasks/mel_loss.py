"""Distance between two sounds: L1 of log-mel spectra at several resolutions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cmaudio.signal.dsp import Mel

# (window, bands) at 48 kHz; windows at other rates last about as long.
RESOLUTIONS = ((4096, 160), (2048, 128), (1024, 80), (512, 64), (256, 32), (128, 16))
_FLOOR = 1e-5
_REFERENCE_RATE = 48_000


def windows(sample_rate: int) -> list[tuple[int, int]]:
    """The resolutions at a sample rate: powers of two from 64 samples on, each once, at least 8 samples per band."""
    scaled: dict[int, int] = {}
    for n, bands in RESOLUTIONS:
        n_fft = scaled_window(n, sample_rate)
        scaled.setdefault(n_fft, min(bands, n_fft // 8))
    return list(scaled.items())


def scaled_window(samples: int, sample_rate: int) -> int:
    """The power of two, at least 64, that lasts about as long as a window of so many samples at 48 kHz."""
    return max(64, 2 ** round(math.log2(samples * sample_rate / _REFERENCE_RATE)))


class MultiResolutionMelLoss(nn.Module):
    """Mean absolute difference of log10-mel (floor 1e-5) over resolutions: (B, N), (B, N) -> scalar.

    One resolution resolves either onsets or partials; six resolve both (multi-scale mel loss of DAC, Kumar et al. 2023,
    arXiv 2306.06546). N must be at least the longest window.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.lengths = []
        for n_fft, bands in windows(sample_rate):
            mel = Mel(sample_rate, n_fft, bands, 0.0, sample_rate / 2, _FLOOR)
            self.register_buffer(f"filterbank_{n_fft}", torch.from_numpy(mel.filterbank), persistent=False)
            self.register_buffer(f"window_{n_fft}", torch.hann_window(n_fft), persistent=False)
            self.lengths.append(n_fft)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        distances = [F.l1_loss(self._log_mel(a, n), self._log_mel(b, n)) for n in self.lengths]
        return torch.stack(distances).mean()

    def _log_mel(self, x: Tensor, n_fft: int) -> Tensor:
        window, filterbank = self.get_buffer(f"window_{n_fft}"), self.get_buffer(f"filterbank_{n_fft}")
        spectra = torch.stft(x, n_fft, n_fft // 4, window=window, center=False, return_complex=True)
        # The root of a sum of squares has no gradient at zero.
        magnitude = (spectra.real.square() + spectra.imag.square() + 1e-12).sqrt()
        return torch.log10((magnitude.transpose(1, 2) @ filterbank).clamp(min=_FLOOR))
