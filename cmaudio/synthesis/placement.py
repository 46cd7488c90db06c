"""Position and width of a sound in stereo: pan gains, and mid/side processing.

The mid signal of a voice is its mono sound. The side signal is added on the left and subtracted on the right, so that
both add up to the mono sound at any width. The side is independent noise, filtered like that of the mid; partials and
everything else are shifted by a quarter of a cycle, alternately along the spectrum, which keeps both sides equally loud
(Lauridsen's pseudo-stereo, without its comb).

Shapes: B voices, K frames of a block, F STFT bins, N samples.
"""

from __future__ import annotations

import math
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Complex, Float, Stft, white_noise

_FRAMES = 512  # 5.5 s at 48 kHz: a shorter loop of noise is heard to repeat
PARTIALS = 0.5  # gain of the partials' side: with more, a single partial wanders between left and right
_TURN_ERB = 2.6  # the side's sign changes twice in this many critical bands
_MONO_HZ, _WIDE_HZ = 80.0, 250.0  # bass stays in the middle
_MIXER = 0x9E3779B97F4A7C15  # spreads neighbouring seeds (Knuth's multiplicative hashing)


@lru_cache(maxsize=1024)
def side_gains(pan: float) -> Float:
    """(2, 1) gains of left and right for pan -1..1, whose squares add up to 2: 1 each in the middle."""
    return np.array([[math.sqrt(1 - pan)], [math.sqrt(1 + pan)]], np.float32)


def side_gains_over(pan: NDArray[np.float64]) -> Float:
    """(2, N) gains for a moving pan (N,)."""
    return np.sqrt(np.stack([1 - pan, 1 + pan])).astype(np.float32)


def side_level(width: NDArray[np.float64]) -> Float:
    """The level of the side noise relative to the mid's for which left and right correlate by 1 - width.

    The correlation of m + g s and m - g s is (1 - g^2) / (1 + g^2), m and s being independent and equally loud.
    """
    return np.sqrt(width / (2 - width)).astype(np.float32)


class Side:
    """The side signals of voices. Their white noise is a loop, analysed once; each voice starts at its own point."""

    def __init__(self, stft: Stft, sample_rate: int) -> None:
        self._stft, self._sample_rate = stft, sample_rate

    @cached_property
    def swing(self) -> Float:
        """(F,) factors from mid to side, in quadrature, with alternating sign along a scale of critical bands."""
        hz = np.linspace(0, self._sample_rate / 2, self._stft.bins)
        erb = 21.4 * np.log10(1 + 0.00437 * hz)  # Glasberg and Moore 1990, equation 4
        swing = np.sin(2 * np.pi * erb / _TURN_ERB) * np.clip((hz - _MONO_HZ) / (_WIDE_HZ - _MONO_HZ), 0, 1)
        swing[-1] = 0  # a real signal has no phase there
        return swing.astype(np.float32)

    @cached_property
    def loop(self) -> Complex:
        """(frames of the loop, F) spectra of the noise."""
        loop = white_noise(np.random.default_rng(0), _FRAMES * self._stft.hop_length)
        return self._stft.analyse(np.concatenate([loop[-self._stft.overlap :], loop]))

    def partials(self, spectra: Complex, levels: Float) -> Complex:
        """The side (K, F) of partials at the levels (K,) of `side_level`."""
        side: Complex = spectra * (np.float32(PARTIALS) * (1j * self.swing).astype(np.complex64))
        return side * levels[..., None]

    def places(self, seeds: list[int], ends: list[int], frames: int) -> NDArray[np.int64]:
        """(B, K) frames of the loop for the blocks of voices with these seeds that end at these voice times."""
        first = [(seed * _MIXER >> 32) + end // self._stft.hop_length for seed, end in zip(seeds, ends, strict=True)]
        places = np.array([place % _FRAMES for place in first])[:, None] + np.arange(frames)
        return np.asarray(places % _FRAMES)
