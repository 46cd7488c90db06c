"""Discriminators of audio, and the losses of both networks.

Shapes: B clips, N samples, F bins, T frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

_SLOPE = 0.1
_COMPRESSION = 0.3
Judgement = tuple[Tensor, list[Tensor]]  # logits, and the features on the way to them


class StftDiscriminator(nn.Module):
    """Judges a complex spectrogram of one resolution: (B, N) -> logits (B, 1, T, F') and features.

    As in EnCodec (Defossez et al. 2022, arXiv 2210.13438), with magnitudes to the power of 0.3, so that weak partials
    also count.
    """

    def __init__(self, n_fft: int, channels: int = 32) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        shapes = [  # in, kernel, stride, dilation; time first
            (2, (3, 9), (1, 1), (1, 1)),
            (channels, (3, 9), (1, 2), (1, 1)),
            (channels, (3, 9), (1, 2), (2, 1)),
            (channels, (3, 9), (1, 2), (4, 1)),
            (channels, (3, 3), (1, 1), (1, 1)),
        ]
        self.convs = nn.ModuleList(
            weight_norm(
                nn.Conv2d(n, channels, kernel, stride, (dilation[0] * (kernel[0] // 2), kernel[1] // 2), dilation)
            )
            for n, kernel, stride, dilation in shapes
        )
        self.out = weight_norm(nn.Conv2d(channels, 1, (3, 3), padding=1))

    def forward(self, x: Tensor) -> Judgement:
        window = self.get_buffer("window")
        with torch.autocast(x.device.type, enabled=False):
            spectra = torch.stft(
                x.float(), self.n_fft, self.n_fft // 4, window=window, center=False, return_complex=True
            )
            power = spectra.real.square() + spectra.imag.square() + 1e-10
            planes = torch.stack([spectra.real, spectra.imag], 1) * power[:, None] ** ((_COMPRESSION - 1) / 2)
        return _through(self.convs, self.out, planes.transpose(2, 3))


class PeriodDiscriminator(nn.Module):
    """Judges every p-th sample as a separate row (HiFi-GAN, Kong et al. 2020, arXiv 2010.05646)."""

    def __init__(self, period: int, channels: int = 16) -> None:
        super().__init__()
        self.period = period
        widths = [1, channels, 4 * channels, 8 * channels, 8 * channels]
        self.convs = nn.ModuleList(weight_norm(nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0))) for a, b in pairwise(widths))
        self.out = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, x: Tensor) -> Judgement:
        rows = x.shape[-1] // self.period
        return _through(self.convs, self.out, x[:, : rows * self.period].reshape(-1, 1, rows, self.period))


def _through(convs: nn.ModuleList, out: nn.Module, x: Tensor) -> Judgement:
    features = []
    for conv in convs:
        x = F.leaky_relu(conv(x), _SLOPE)
        features.append(x)
    return out(x), features


class Discriminators(nn.Module):
    """An ensemble of both kinds: (B, N) -> one judgement each; `channels` is the width of the STFT ones."""

    def __init__(self, windows: Sequence[int], periods: Sequence[int], channels: int = 32) -> None:
        super().__init__()
        spectral = [StftDiscriminator(window, channels) for window in windows]
        self.members = nn.ModuleList([*spectral, *map(PeriodDiscriminator, periods)])

    def forward(self, x: Tensor) -> list[Judgement]:
        return [member(x) for member in self.members]


def discriminator_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> Tensor:
    """Hinge: real above 1, fake below -1; mean over discriminators."""
    parts = [
        F.relu(1 - r.float()).mean() + F.relu(1 + f.float()).mean() for (r, _), (f, _) in zip(real, fake, strict=True)
    ]
    return torch.stack(parts).mean()


def adversarial_loss(fake: Sequence[Judgement]) -> Tensor:
    """Loss of the vocoder: its output should be judged as real."""
    return torch.stack([-logits.float().mean() for logits, _ in fake]).mean()


def feature_matching_loss(real: Sequence[Judgement], fake: Sequence[Judgement]) -> Tensor:
    """L1 between features, each relative to its size in the recording."""
    parts = [
        (r.float() - f.float()).abs().mean() / r.float().abs().mean().clamp(min=1e-3)
        for (_, reals), (_, fakes) in zip(real, fake, strict=True)
        for r, f in zip(reals, fakes, strict=True)
    ]
    return torch.stack(parts).mean()
