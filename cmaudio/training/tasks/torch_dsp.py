"""The transforms of `cmaudio.signal.dsp` in torch, differentiable and on any device; tests compare each with it.

Shapes: B clips, T frames, N = T * hop_length samples, F bins. Frame t covers hop t and ends with its last sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from cmaudio.signal.dsp import VOICED_ABOVE_HZ, Stft
from cmaudio.training.corpus.clip import Signal
from cmaudio.training.networks.vocoder import VocoderNetwork

_FILTER_LOG_MAX = 6.0
_PULSE_SCALE = 1 / 512
_NOISE_SCALE = 1 / math.sqrt(768)


def analyse(x: Tensor, stft: Stft) -> Tensor:
    """(B, N) samples after silence -> (B, T, F) spectra."""
    frames = F.pad(x, (stft.overlap, 0)).unfold(-1, stft.n_fft, stft.hop_length)
    return torch.fft.rfft(frames * _windows(stft, x.device)[0])


def overlap_add(spectra: Tensor, stft: Stft) -> Tensor:
    """(B, T, F) spectra -> (B, N) samples aligned with the input of `analyse`; the last overlap is incomplete."""
    frames = torch.fft.irfft(spectra, stft.n_fft) * _windows(stft, spectra.device)[1]
    clips, count, _ = frames.shape
    hop, parts = stft.hop_length, stft.n_fft // stft.hop_length
    # A frame's four hops overlap with its neighbours': a sum of shifted copies needs no scatter.
    pieces = frames.reshape(clips, count, parts, hop)
    y = sum(F.pad(pieces[:, :, j], (0, 0, j, parts - 1 - j)) for j in range(parts))
    assert isinstance(y, Tensor)
    return y.flatten(1)[:, stft.overlap :]


@lru_cache
def _windows(stft: Stft, device: torch.device) -> tuple[Tensor, Tensor]:
    """Analysis and synthesis windows, cached on the device: copying them at every step would make the host wait."""
    gain = float(stft.window.astype("float64") @ stft.window) / stft.hop_length
    window = torch.from_numpy(stft.window).to(device)
    return window, window / gain


def sample_f0(f0: Tensor, hop_length: int) -> Tensor:
    """(B, T) Hz per frame -> (B, N) Hz per sample, linear between the frames' centres."""
    return F.interpolate(f0[:, None], scale_factor=hop_length, mode="linear", align_corners=False)[:, 0]


def pulse_train(f0: Tensor, phase: Tensor, sample_rate: int) -> Tensor:
    """(B, N) Hz, (B,) phase in cycles before the first sample -> (B, N) source (`cmaudio.signal.dsp.pulse_train`).

    The phase runs in double precision: single loses a tenth of a cycle within a minute.
    """
    exact = torch.device("cpu") if f0.device.type == "mps" else f0.device  # Apple's GPUs have no doubles
    cycles = torch.cumsum(f0.to(exact, torch.float64) / sample_rate, -1) + phase.to(exact, torch.float64)[:, None]
    x = ((cycles - cycles.floor()) * (2 * math.pi)).to(f0)
    harmonics = (0.49 * sample_rate / f0.clamp(min=VOICED_ABOVE_HZ)).floor()
    half = torch.sin(0.5 * x)
    regular = half.abs() > 1e-4
    kernel = torch.sin((harmonics + 0.5) * x) / (2 * torch.where(regular, half, 1.0)) - 0.5
    source = torch.where(regular, kernel, harmonics) * _PULSE_SCALE
    return torch.where(f0 > VOICED_ABOVE_HZ, source, 0.0)


@dataclass(frozen=True)
class Excitation:
    """Spectra (B, T, F) of the harmonic source and of the noise source."""

    harmonic: Tensor
    noise: Tensor


def excite(f0: Tensor, noise: Tensor, phase: Tensor, signal: Signal) -> Excitation:
    """(B, T) Hz, (B, N) standard normal numbers, (B,) start phase in cycles."""
    pulses = pulse_train(sample_f0(f0, signal.hop_length), phase, signal.sample_rate)
    return Excitation(analyse(pulses, signal.stft), analyse(noise * _NOISE_SCALE, signal.stft))


def apply_filters(filters: Tensor, excitation: Excitation) -> Tensor:
    """(B, T, 5F) network output -> (B, T, F) spectra S = H E_harmonic + N E_noise + D."""
    log_h, phase_h, log_n, log_d, phase_d = filters.float().chunk(5, -1)
    noise_gain = torch.exp(log_n.clamp(max=_FILTER_LOG_MAX))
    return _polar(log_h, phase_h) * excitation.harmonic + noise_gain * excitation.noise + _polar(log_d, phase_d)


def _polar(log_magnitude: Tensor, phase: Tensor) -> Tensor:
    return torch.polar(torch.exp(log_magnitude.clamp(max=_FILTER_LOG_MAX)), phase)


def synthesise(
    vocoder: VocoderNetwork, signal: Signal, mel: Tensor, f0: Tensor, noise: Tensor, phase: Tensor
) -> Tensor:
    """Mel (B, T, M) and f0 (B, T) through a vocoder -> (B, N) samples; noise and phase as in `excite`."""
    filters, _ = vocoder(mel, f0, vocoder.init_state(len(mel)))
    with torch.autocast(mel.device.type, enabled=False):
        spectra = apply_filters(filters, excite(f0, noise, phase, signal))
        return overlap_add(spectra, signal.stft)
