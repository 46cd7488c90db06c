"""The gains of the sides, and the side of a sound."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Stft, white_noise
from cmaudio.synthesis.placement import Side, side_gains, side_gains_over, side_level

STFT = Stft(2048, 512)
FRAMES = 200
SIDE = Side(STFT, 48_000)


@pytest.mark.parametrize("pan", np.linspace(-1, 1, 41).tolist())
def test_the_total_power_is_the_same_at_every_pan(pan: float) -> None:
    gains = side_gains(pan)
    assert abs(10 * np.log10(np.square(gains).sum() / 2)) < 0.1
    np.testing.assert_allclose(side_gains_over(np.full(3, pan)), np.repeat(gains, 3, 1), rtol=1e-6)


@pytest.mark.parametrize(("width", "correlation"), [(0.0, 1.0), (0.25, 0.75), (0.5, 0.5), (1.0, 0.0)])
def test_width_sets_the_correlation_of_noise(width: float, correlation: float) -> None:
    samples = white_noise(np.random.default_rng(5), STFT.overlap + FRAMES * 512)
    middle = STFT.overlap_add(STFT.analyse(samples))
    side = STFT.overlap_add(SIDE.loop[SIDE.places([7], [0], FRAMES)][0] * side_level(np.full((FRAMES, 1), width)))
    assert np.corrcoef(middle + side, middle - side)[0, 1] == pytest.approx(correlation, abs=0.02)


def test_partials_spread_gently_and_leave_both_sides_equally_loud() -> None:
    rng = np.random.default_rng(1)
    spectra = rng.standard_normal((FRAMES, STFT.bins)) * np.exp(2j * np.pi * rng.random((FRAMES, STFT.bins)))
    side = SIDE.partials(spectra.astype(np.complex64), np.ones(FRAMES, np.float32))
    left, right = np.abs(spectra + side), np.abs(spectra - side)
    np.testing.assert_allclose(left, right, rtol=1e-4)
    assert 20 * np.log10((left / np.abs(spectra)).max()) < 1.0


def test_voices_have_their_own_places_in_the_loop() -> None:
    first, second, again = (SIDE.loop[SIDE.places([seed], [4 * 512], 4)] for seed in (1, 2, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).min() > 0
    later = SIDE.loop[SIDE.places([1], [5 * 512], 4)]
    np.testing.assert_array_equal(later[0, :3], first[0, 1:])
