"""The signal definitions of the project: causal STFT and overlap-add, log-mel, and the vocoder's excitation.

Shapes: ... any leading axes (voices), T frames, N samples, F = n_fft / 2 + 1 bins, M mel bands.
Frame t of a signal ends with sample (t + 1) * hop_length - 1; it never sees later samples.
All arithmetic is row by row, so batching does not affect a voice's values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Complex = NDArray[np.complex64]

VOICED_ABOVE_HZ = 8.0
FILTER_LOG_MAX = 6.0
PULSE_SCALE = 1 / 512  # amplitude of each harmonic of the excitation
NOISE_SCALE = np.float32(1 / np.sqrt(768.0))  # so that every STFT bin has unit mean power under a Hann window of 2048


@dataclass(frozen=True)
class Stft:
    """Causal short-time Fourier transform with a periodic Hann window and its overlap-add inverse.

    With hop = n_fft / 4 the squared windows add up to 1.5, so `overlap_add(analyse(x))` reconstructs x.
    """

    n_fft: int
    hop_length: int

    @property
    def bins(self) -> int:
        return self.n_fft // 2 + 1

    @cached_property
    def overlap(self) -> int:
        """Past samples in a frame's window before its own hop; also the latency of the overlap-add."""
        return self.n_fft - self.hop_length

    @cached_property
    def window(self) -> Float:
        phase = 2 * np.pi * np.arange(self.n_fft) / self.n_fft
        return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)

    @cached_property
    def _raised_window(self) -> Float:
        return self.window * np.float32(self.n_fft)

    @cached_property
    def _synthesis_window(self) -> Float:
        gain = np.sum(np.square(self.window, dtype=np.float64)) / self.hop_length
        return (self.window / gain).astype(np.float32)

    def analyse(self, x: Float, precise: bool = True) -> Complex:
        """(..., overlap + T * hop) samples -> (..., T, F) spectra.

        `precise` transforms in double precision, since what the networks read is rounded to 8 bit there: a last digit
        that differs may be heard. Without it errors are below -130 dB, in half the time.
        """
        from cmaudio.signal.stft_kernel import window_frames  # imports numba

        shape = (*x.shape[:-1], (x.shape[-1] - self.overlap) // self.hop_length)
        if not x.any():  # the excitation of voices without a pitch
            return np.zeros((*shape, self.bins), np.complex64)
        frames = np.empty((*shape, self.n_fft), np.float64 if precise else np.float32)
        # With the default norm NumPy's factor is an integer, and the work done in double; "forward" divides by n_fft.
        window_frames(_flat(np.ascontiguousarray(x), 1), self._raised_window, self.hop_length, _flat(frames, 2))
        return np.fft.rfft(frames, norm="forward").astype(np.complex64, copy=False)

    def overlap_add(self, spectra: Complex) -> Float:
        """(..., T, F) spectra -> (..., overlap + T * hop): the frames' sum from the start of the first window on."""
        from cmaudio.signal.stft_kernel import add_frames  # imports numba

        frames = np.fft.irfft(spectra, self.n_fft).astype(np.float32, copy=False)
        y = np.zeros((*frames.shape[:-2], self.overlap + frames.shape[-2] * self.hop_length), np.float32)
        add_frames(_flat(frames, 2), self._synthesis_window, self.hop_length, _flat(y, 1))
        return y


def _flat(x: NDArray[Any], axes: int) -> NDArray[Any]:
    """A view of contiguous x with all but its last axes joined into one."""
    return x.reshape(-1, *x.shape[x.ndim - axes :])


def _slaney_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hz to mel: linear below 1 kHz, logarithmic above (Slaney 1998, Auditory Toolbox)."""
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1e-3) / 1000) / np.log(6.4))


def _slaney_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


@dataclass(frozen=True)
class Mel:
    """Log-mel spectrum: triangular Slaney bands of equal area over |STFT|, natural logarithm with a floor."""

    sample_rate: int
    n_fft: int
    bands: int
    f_min_hz: float
    f_max_hz: float
    floor: float

    @cached_property
    def filterbank(self) -> Float:
        """(F, M) weights, the same as librosa's and torchaudio's with `norm="slaney"`."""
        low, high = _slaney_mel(np.array([self.f_min_hz, self.f_max_hz]))
        edges = _slaney_hz(np.linspace(low, high, self.bands + 2))
        hz = np.linspace(0, self.sample_rate / 2, self.n_fft // 2 + 1)[:, None]
        rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
        triangles = np.maximum(0, np.minimum(rising, falling))
        return (triangles * 2 / (edges[2:] - edges[:-2])).astype(np.float32)

    @cached_property
    def centres_hz(self) -> NDArray[np.float64]:
        """(M,) centre of every band."""
        low, high = _slaney_mel(np.array([self.f_min_hz, self.f_max_hz]))
        return _slaney_hz(np.linspace(low, high, self.bands + 2))[1:-1]

    @cached_property
    def _sparse(self) -> tuple[NDArray[np.intp], Float, NDArray[np.intp]]:
        """Bins, their weights and the start of every band; a band without a bin gets one of weight zero."""
        bins: list[NDArray[np.intp]] = []
        weights: list[Float] = []
        starts: list[int] = []
        for column in self.filterbank.T:
            used = np.flatnonzero(column)
            used = used if len(used) else np.array([0])
            starts.append(sum(len(band) for band in bins))
            bins.append(used)
            weights.append(column[used])
        return np.concatenate(bins), np.concatenate(weights), np.array(starts)

    def __call__(self, spectra: Complex) -> Float:
        """(..., F) spectra -> (..., M) log-mel. Summing each band's own bins is far cheaper than the full product."""
        if not spectra.any():
            return np.full((*spectra.shape[:-1], self.bands), np.log(np.float32(self.floor)))
        bins, weights, starts = self._sparse
        energy = np.add.reduceat(np.abs(spectra)[..., bins] * weights, starts, axis=-1)
        return np.log(np.maximum(energy, np.float32(self.floor)))


def pulse_train(
    f0: NDArray[np.float64], phase: NDArray[np.float64], sample_rate: int
) -> tuple[Float, NDArray[np.float64]]:
    """Band-limited pulse train at f0, all harmonics below 0.98 of the Nyquist frequency with equal strength.

    Args:
        f0: (..., N) Hz for every sample; at most 8 Hz means unpitched and gives silence.
        phase: (...,) in cycles, before the first sample.
    Returns:
        (..., N) source, and (..., N) phase in cycles after each sample, in [0, 1).

    Closed form of sum_k cos(k x), k = 1 ... n: the Dirichlet kernel sin((n + 1/2) x) / (2 sin(x / 2)) - 1/2.
    """
    if not f0.any():
        return np.zeros(f0.shape, np.float32), np.repeat((phase - np.floor(phase))[..., None], f0.shape[-1], axis=-1)
    cycles = np.cumsum(f0 / sample_rate, axis=-1) + phase[..., None]
    cycles -= np.floor(cycles)
    return pulses(cycles, f0, sample_rate), cycles


def pulses(cycles: NDArray[np.float64], f0: NDArray[np.float64], sample_rate: int) -> Float:
    """The pulse train (..., N) of `pulse_train` at given phases (..., N) in cycles, in [0, 1)."""
    x = (cycles * (2 * np.pi)).astype(np.float32)
    harmonics = np.floor(0.49 * sample_rate / np.maximum(f0, VOICED_ABOVE_HZ)).astype(np.float32)
    half = np.sin(np.float32(0.5) * x)
    regular = np.abs(half) > 1e-4
    kernel = np.sin((harmonics + np.float32(0.5)) * x) / (2 * np.where(regular, half, np.float32(1))) - np.float32(0.5)
    source = np.where(regular, kernel, harmonics) * np.float32(PULSE_SCALE)
    return np.where(f0 > VOICED_ABOVE_HZ, source, np.float32(0)).astype(np.float32, copy=False)


def white_noise(rng: np.random.Generator, samples: int) -> Float:
    """(N,) noise source, scaled by `NOISE_SCALE`."""
    return rng.standard_normal(samples, dtype=np.float32) * NOISE_SCALE


def split_filters(filters: Float) -> tuple[Complex, Float, Complex]:
    """Network output (..., 5F) -> H (..., F) complex, N (..., F) gain, D (..., F) complex."""
    log_h, phase_h, log_n, log_d, phase_d = np.split(filters, 5, axis=-1)
    return _polar(log_h, phase_h), np.exp(np.minimum(log_n, FILTER_LOG_MAX)), _polar(log_d, phase_d)


def _polar(log_magnitude: Float, phase: Float) -> Complex:
    magnitude = np.exp(np.minimum(log_magnitude, FILTER_LOG_MAX))
    z = np.empty(phase.shape, np.complex64)
    np.multiply(magnitude, np.cos(phase), out=z.real)
    np.multiply(magnitude, np.sin(phase), out=z.imag)
    return z
