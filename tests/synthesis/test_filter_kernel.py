"""The compiled filters against their definitions in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Complex, Float, Stft, split_filters, white_noise
from cmaudio.synthesis.filter_kernel import Sides, filtered, harmonic_filters
from cmaudio.synthesis.placement import PARTIALS, Side, side_level

STFT = Stft(2048, 512)
SIDE = Side(STFT, 48_000)
VOICES, FRAMES, HEARD = 3, 4, 993
GAINS = np.random.default_rng(3).uniform(0, 2, (VOICES, FRAMES, STFT.bins)).astype(np.float32)


def raw_filters(log_spread: float, phase_spread: float) -> Float:
    rng = np.random.default_rng(0)
    spreads = np.repeat([log_spread, phase_spread, log_spread, log_spread, phase_spread], STFT.bins)
    return (rng.standard_normal((VOICES, FRAMES, len(spreads))) * spreads).astype(np.float32)


def spectra(seed: int) -> Complex:
    rng = np.random.default_rng(seed)
    return STFT.analyse(np.stack([white_noise(rng, STFT.overlap + FRAMES * 512) for _ in range(VOICES)]))


def sides() -> Sides:
    levels = side_level(np.random.default_rng(4).random((VOICES, FRAMES)))
    return Sides(SIDE.loop, SIDE.places([1, 2, 3], [0, 512, 1024], FRAMES), SIDE.swing, levels)


def defined(raw: Float, pulses: Complex, noise: Complex, of: Sides) -> tuple[Complex, Complex]:
    """Mid and side signals at `GAINS`, in double precision where `split_filters` allows it."""
    h, n, d = split_filters(raw.astype(np.float64))
    for part in (h, n, d):
        part[..., HEARD:] = 0
    partials = h * pulses
    side = n * of.loop[of.places] + 1j * of.swing * (PARTIALS * partials + d)
    return (partials + n * noise + d) * GAINS, side * of.levels[..., None] * GAINS


def off_db(found: Complex, expected: Complex) -> float:
    return float(10 * np.log10(np.square(np.abs(found - expected)).sum() / np.square(np.abs(expected)).sum()))


@pytest.mark.parametrize(("log_spread", "phase_spread"), [(1, 1), (2, 10), (8, 3), (0, 1000), (40, 0)])
def test_filters_are_as_defined(log_spread: float, phase_spread: float) -> None:
    raw, pulses, noise, of = raw_filters(log_spread, phase_spread), spectra(1), spectra(2), sides()
    middle, side = defined(raw, pulses, noise, of)
    h = harmonic_filters(raw, HEARD)
    assert off_db(h[..., :HEARD], split_filters(raw.astype(np.float64))[0][..., :HEARD]) < -125
    assert off_db(filtered(raw, h.copy(), pulses, noise, HEARD, GAINS, None)[0], middle) < -125
    left, right = filtered(raw, h, pulses, noise, HEARD, GAINS, of)
    assert off_db(left, middle + side) < -125
    assert off_db(right, middle - side) < -125
    assert not np.any([h[..., HEARD:], left[..., HEARD:], right[..., HEARD:]])


def test_a_voice_does_not_depend_on_its_batch() -> None:
    raw, pulses, noise, of = raw_filters(2, 5), spectra(1), spectra(2), sides()
    together = filtered(raw, harmonic_filters(raw, HEARD), pulses, noise, HEARD, GAINS, of)
    for i in range(VOICES):
        own = slice(i, i + 1)
        alone = Sides(of.loop, of.places[own], of.swing, of.levels[own])
        h = harmonic_filters(raw[own], HEARD)
        np.testing.assert_array_equal(
            filtered(raw[own], h, pulses[own], noise[own], HEARD, GAINS[own], alone)[:, 0], together[:, i]
        )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", [1, 4])
def test_faults_of_a_model_stay_visible(value: float, part: int) -> None:
    raw, pulses, noise = raw_filters(1, 1), spectra(1), spectra(2)
    raw[1, 2, part * STFT.bins + 77] = value
    out = filtered(raw, harmonic_filters(raw, HEARD), pulses, noise, HEARD, GAINS, None)[0]
    finite = np.isfinite(out)
    assert not finite[1, 2, 77]
    assert finite.sum() == out.size - 1


@pytest.mark.parametrize("part", [0, 2, 3])
def test_a_logarithm_that_is_no_number_stays_visible(part: int) -> None:
    raw, pulses, noise = raw_filters(1, 1), spectra(1), spectra(2)
    raw[1, 2, part * STFT.bins + 77] = np.nan
    assert not np.isfinite(filtered(raw, harmonic_filters(raw, HEARD), pulses, noise, HEARD, GAINS, None)[0, 1, 2, 77])
