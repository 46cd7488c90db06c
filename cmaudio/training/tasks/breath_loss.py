"""Distance between the noise of two sounds between their partials.

A mel spectrum hardly shows breath and bow noise, and the frame rate of a vocoder as lines beside each partial: both lie
far below the partials of the same band. Here long windows separate them.

Shapes: B clips, N samples, F bins of the window, P parts of the spectrum.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cmaudio.signal.breath import LEAST_SHARE, LOWEST_PERIODS, WINDOW, is_between
from cmaudio.training.tasks.mel_loss import scaled_window

_STEADY = 0.005  # largest relative change of the pitch
_PARTS_HZ = (250.0, 16_000.0, 18)  # a third of an octave each
_HEARD = 1e-6  # of the power of the loudest part
_QUARTILE, _LINE = 0.25, 8.0  # bins so far above the lower quartile are partials of another series


class BreathLoss(nn.Module):
    """Mean absolute difference of the log10 of the noise's share in the power of each part of the spectrum.

    (B, N), (B, N) and (B,) pitch in Hz -> scalar. 0 pitch, or one too low to separate its partials, counts nothing; N
    must be at least the longest window.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.length = scaled_window(WINDOW, sample_rate)
        low, high, parts = _PARTS_HZ
        hz = torch.fft.rfftfreq(self.length, 1 / sample_rate)
        edges = torch.logspace(math.log10(low), math.log10(high), parts + 1)
        self._lowest_hz = LOWEST_PERIODS * sample_rate / self.length
        self.register_buffer("hz", hz, persistent=False)
        bins = (hz >= edges[:-1, None]) & (hz < edges[1:, None])
        self.register_buffer("parts", bins[bins.any(-1)], persistent=False)  # others lie above half the sample rate
        self.register_buffer("window", torch.blackman_window(self.length), persistent=False)

    def forward(self, ours: Tensor, recorded: Tensor, f0: Tensor) -> Tensor:
        parts, hz = self.get_buffer("parts"), self.get_buffer("hz")
        between = is_between(hz / f0.clamp(min=1.0)[:, None]) & (f0 > self._lowest_hz)[:, None]
        power, recorded_power = self._mean_power(ours), self._mean_power(recorded)
        total = (recorded_power[:, None] * parts).sum(-1) / parts.sum(-1).clamp(min=1)  # (B, P)
        heard = total > _HEARD * total.amax(-1, keepdim=True).clamp(min=1e-12)
        used = between[:, None] & parts & ~self._lines(recorded_power, between)  # (B, P, F)
        count = used.sum(-1)
        heard &= count > 0
        shares = [
            ((x[:, None] * used).sum(-1) / count.clamp(min=1) / total.clamp(min=1e-20)).clamp(max=1.0) + LEAST_SHARE
            for x in (power, recorded_power)
        ]
        distance = (torch.log10(shares[0]) - torch.log10(shares[1])).abs()
        return (distance * heard).sum() / heard.sum().clamp(min=1)

    def _mean_power(self, x: Tensor) -> Tensor:
        """(B, N) -> (B, F), mean of overlapping windows (Welch 1967)."""
        window = self.get_buffer("window")
        spectra = torch.stft(x, self.length, self.length // 4, window=window, center=False, return_complex=True)
        return (spectra.real.square() + spectra.imag.square()).mean(-1)

    def _lines(self, power: Tensor, between: Tensor) -> Tensor:
        """(B, P, F) bins that stand out of the noise of their part."""
        parts = self.get_buffer("parts")
        lines = torch.zeros(len(power), *parts.shape, dtype=torch.bool, device=power.device)
        for index, part in enumerate(parts):
            of_part = power[:, part]
            quartile = torch.nanquantile(of_part.masked_fill(~between[:, part], torch.nan), _QUARTILE, -1)
            lines[:, index, part] = of_part > _LINE * quartile.nan_to_num()[:, None]
        return lines


def steady_pitch(f0: Tensor, counted: Tensor) -> Tensor:
    """(B, T) Hz, (B, T) bool -> (B,) the pitch of the counted frames; 0 where it moves or is missing."""
    low = f0.masked_fill(~counted, torch.inf).amin(-1)
    high = f0.masked_fill(~counted, 0.0).amax(-1)
    return torch.where(high - low <= _STEADY * high, high, torch.zeros_like(high))
