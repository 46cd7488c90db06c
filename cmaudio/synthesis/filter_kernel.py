"""Compiled loops that apply the vocoder's filters: H E_pulses + N E_noise + D, in mono or stereo.

In NumPy they would take about forty passes over the filters of all voices, an eighth of the total time at 16 voices.
`cmaudio.signal.dsp.split_filters` defines the filters, and `cmaudio.synthesis.placement` the side signal.

exp, cos and sin are polynomials (Cephes' for single precision, within 2e-7 of the exact values), which the compiler
vectorises; those of the C library would be called for each number.

Shapes: B voices, K frames of a block, F STFT bins. complex64 arrays are read and written as pairs of float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import FILTER_LOG_MAX, Complex, Float
from cmaudio.signal.jit import compiled, inlined
from cmaudio.synthesis.placement import PARTIALS

_MOST, _LEAST = np.float32(FILTER_LOG_MAX), np.float32(-87.0)  # of a logarithm
_ROUND = np.float32(1.5 * 2**23)  # adding and subtracting it rounds to a whole number
_ONE, _TWO, _HALF, _QUARTER = np.float32(1), np.float32(2), np.float32(0.5), np.float32(0.25)

_LOG2_E, _LN2_HIGH, _LN2_LOW = np.float32(1.44269504), np.float32(0.693359375), np.float32(-2.12194440e-4)
_E0, _E1, _E2, _E3, _E4 = (
    np.float32(x) for x in (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1)
)
_TWO_BY_PI = np.float32(2 / np.pi)
_TURN_HIGH, _TURN_MIDDLE, _TURN_LOW = (np.float32(x) for x in (1.5703125, 4.837512969970703e-4, 7.549789948768648e-8))
_S0, _S1, _S2 = (np.float32(x) for x in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1))
_C0, _C1, _C2 = (np.float32(x) for x in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2))
_PARTIALS = np.float32(PARTIALS)


@inlined
def _exp(x: np.float32) -> np.float32:
    """e^x with x clipped to [-87, 6]; NaN stays NaN."""
    x = _MOST if x > _MOST else x
    x = _LEAST if x < _LEAST else x
    whole = (x * _LOG2_E + _ROUND) - _ROUND
    r = (x - whole * _LN2_HIGH) - whole * _LN2_LOW
    p = ((((_E0 * r + _E1) * r + _E2) * r + _E3) * r + _E4) * r + _HALF
    power = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)  # 2^whole by its bits
    return (p * (r * r) + r + _ONE) * power


@inlined
def cos_sin(x: np.float32) -> tuple[np.float32, np.float32]:
    """Cosine and sine of an angle in radians, to full precision up to some ten thousand turns."""
    quarters = (x * _TWO_BY_PI + _ROUND) - _ROUND
    r = ((x - quarters * _TURN_HIGH) - quarters * _TURN_MIDDLE) - quarters * _TURN_LOW
    halves = (quarters * _HALF - _QUARTER + _ROUND) - _ROUND
    odd = quarters - _TWO * halves  # 0 or 1: whether sine and cosine change places
    sign = _ONE - _TWO * (halves - _TWO * ((halves * _HALF - _QUARTER + _ROUND) - _ROUND))
    z = r * r
    sine = ((_S0 * z + _S1) * z + _S2) * z * r + r
    cosine = ((_C0 * z + _C1) * z + _C2) * (z * z) - _HALF * z + _ONE
    first = cosine if odd == 0 else sine
    second = sine if odd == 0 else cosine
    return first * (sign * (_ONE - _TWO * odd)), second * sign


@compiled
def _harmonic(raw: Float, used: int, h: Float) -> None:
    bins = raw.shape[2] // 5
    for b in range(raw.shape[0]):
        for t in range(raw.shape[1]):
            row, out = raw[b, t], h[b, t]
            log, phase = row[:bins], row[bins : 2 * bins]
            for f in range(used):
                level = _exp(log[f])
                cosine, sine = cos_sin(phase[f])
                out[2 * f] = level * cosine
                out[2 * f + 1] = level * sine
            out[2 * used :] = 0


@inlined
def _scale(spectrum: Float, gains: Float, used: int) -> None:
    """In a loop of its own: with one more array in the loops below, the compiler would no longer vectorise them."""
    for f in range(used):
        spectrum[2 * f] *= gains[f]
        spectrum[2 * f + 1] *= gains[f]


@compiled
def _middle(raw: Float, h: Float, pulses: Float, noise: Float, used: int, gains: Float, out: Float) -> None:
    bins = raw.shape[2] // 5
    for b in range(raw.shape[0]):
        for t in range(raw.shape[1]):
            row, hs, ps, ns, s = raw[b, t], h[b, t], pulses[b, t], noise[b, t], out[b, t]
            log_n, log_d, phase = row[2 * bins : 3 * bins], row[3 * bins : 4 * bins], row[4 * bins :]
            for f in range(used):
                i, j = 2 * f, 2 * f + 1
                gain, level = _exp(log_n[f]), _exp(log_d[f])
                cosine, sine = cos_sin(phase[f])
                s[i] = (hs[i] * ps[i] - hs[j] * ps[j]) + gain * ns[i] + level * cosine
                s[j] = (hs[i] * ps[j] + hs[j] * ps[i]) + gain * ns[j] + level * sine
            _scale(hs, gains[b, t], used)
            _scale(s, gains[b, t], used)
            s[2 * used :] = 0


@compiled
def _left_and_right(
    raw: Float,
    h: Float,
    pulses: Float,
    noise: Float,
    used: int,
    gains: Float,
    loop: Float,
    places: NDArray[np.int64],
    swing: Float,
    levels: Float,
    left_out: Float,
    right_out: Float,
) -> None:
    bins = raw.shape[2] // 5
    for b in range(raw.shape[0]):
        for t in range(raw.shape[1]):
            row, hs, ps, ns, os = raw[b, t], h[b, t], pulses[b, t], noise[b, t], loop[places[b, t]]
            log_n, log_d, phase = row[2 * bins : 3 * bins], row[3 * bins : 4 * bins], row[4 * bins :]
            level_of_side, left, right = levels[b, t], left_out[b, t], right_out[b, t]
            for f in range(used):
                i, j = 2 * f, 2 * f + 1
                gain, level = _exp(log_n[f]), _exp(log_d[f])
                cosine, sine = cos_sin(phase[f])
                x, y = hs[i] * ps[i] - hs[j] * ps[j], hs[i] * ps[j] + hs[j] * ps[i]
                u, v = level * cosine, level * sine
                side_x = (gain * os[i] - swing[f] * (_PARTIALS * y + v)) * level_of_side
                side_y = (gain * os[j] + swing[f] * (_PARTIALS * x + u)) * level_of_side
                x, y = x + gain * ns[i] + u, y + gain * ns[j] + v
                left[i], left[j] = x + side_x, y + side_y
                right[i], right[j] = x - side_x, y - side_y
            _scale(hs, gains[b, t], used)
            _scale(left, gains[b, t], used)
            _scale(right, gains[b, t], used)
            left[2 * used :] = 0
            right[2 * used :] = 0


def harmonic_filters(raw: Float, used: int) -> Complex:
    """H (B, K, F) of the vocoder's output (B, K, 5F), 0 from bin `used` on."""
    h = np.empty((*raw.shape[:2], raw.shape[2] // 5), np.complex64)
    _harmonic(raw, used, _pairs(h))
    return h


@dataclass(frozen=True)
class Sides:
    """Inputs of the side signal, which is added on the left and subtracted on the right.

    Attributes:
        loop: spectra of the side's own noise, `cmaudio.synthesis.placement.Side.loop`.
        places: (B, K) frames of it, `cmaudio.synthesis.placement.Side.places`.
        swing: (F,) `cmaudio.synthesis.placement.Side.swing`.
        levels: (B, K) of `cmaudio.synthesis.placement.side_level`.
    """

    loop: Complex
    places: NDArray[np.int64]
    swing: Float
    levels: Float


def filtered(
    raw: Float, h: Complex, pulses: Complex, noise: Complex, used: int, gains: Float, sides: Sides | None
) -> Complex:
    """(H E_pulses + N E_noise + D) times gains: mono (1, B, K, F), or left and right (2, B, K, F).

    Args:
        raw: (B, K, 5F) output of the vocoder.
        h: (B, K, F) output of `harmonic_filters`, which is multiplied by the gains as well.
        pulses: (B, K, F) spectra of the excitation.
        noise: (B, K, F) spectra of the noise.
        used: the number of bins that are computed; higher ones are 0.
        gains: (B, K, F).
        sides: None for mono.
    """
    out = np.empty((1 if sides is None else 2, *h.shape), np.complex64)
    given = raw, _pairs(h), _pairs(pulses), _pairs(noise), used, gains
    if sides is None:
        _middle(*given, _pairs(out)[0])
    else:
        _left_and_right(*given, _pairs(sides.loop), sides.places, sides.swing, sides.levels, *_pairs(out))
    return out


def load_kernels() -> None:
    """Compile or load all kernels: a width may change from 0 while voices sound."""
    raw, spectra = np.zeros((1, 1, 5), np.float32), np.zeros((1, 1, 1), np.complex64)
    nothing = np.zeros((1, 1), np.float32)
    for sides in (None, Sides(spectra[0], np.zeros((1, 1), np.int64), nothing[0], nothing)):
        filtered(raw, harmonic_filters(raw, 1), spectra, spectra, 1, nothing[None], sides)


def _pairs(spectra: Complex) -> Float:
    """(..., F) complex -> (..., 2F): real and imaginary parts in turn."""
    return np.ascontiguousarray(spectra).view(np.float32)
