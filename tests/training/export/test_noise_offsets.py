"""The share of noise between partials is measured, and what a timbre lacks of it is found by key."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from cmaudio.model.correction import VELOCITIES
from cmaudio.signal.dsp import Mel
from cmaudio.training.export.key_grid import KeyGrid
from cmaudio.training.export.noise_offsets import noise_offsets, noise_shares
from cmaudio.training.export.spectrum_parts import PARTS, bins_of_parts

MEL = Mel(sample_rate=48_000, n_fft=2048, bands=128, f_min_hz=0, f_max_hz=24_000, floor=1e-4)
F0_HZ = 220.0
GRID = KeyGrid(48, 12)
PLACES = np.array(list(product(range(48, 60), VELOCITIES)))


def breathy(noise: float, seconds: float = 1.0) -> np.ndarray:
    """Partials of equal amplitude up to 12 kHz in white noise of a standard deviation."""
    t = np.arange(round(seconds * 48_000)) / 48_000
    partials = sum(np.sin(2 * np.pi * F0_HZ * k * t + k * k) for k in range(1, 55))
    return (0.02 * partials + noise * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)


def known(shares: np.ndarray) -> np.ndarray:
    """Of the parts that lie wholly below the highest partial."""
    edges = bins_of_parts(MEL, 2048).cumsum(0).argmax(0) * 24_000 / 1024
    return shares[(edges < 11_000) & np.isfinite(shares)]


def test_more_noise_is_a_larger_share() -> None:
    soft, loud = known(noise_shares(breathy(0.003), F0_HZ, MEL)), known(noise_shares(breathy(0.03), F0_HZ, MEL))
    assert len(soft) > 8
    np.testing.assert_allclose(np.median(10 * np.log10(loud / soft)), 19, atol=2)  # a little less: the total rises too


def test_the_share_is_that_of_the_noise_in_the_power() -> None:
    partials, noise = 54 * 0.02**2 / 2, 0.01**2 * 12_000 / 24_000
    assert np.median(known(noise_shares(breathy(0.01), F0_HZ, MEL))) == pytest.approx(
        noise / (partials + noise), rel=0.4
    )


@pytest.mark.parametrize(
    ("audio", "f0_hz"),
    [(breathy(0.01), 0.0), (breathy(0.01), 40.0), (breathy(0.01, 0.3), F0_HZ)],
    ids=["drum", "low", "short"],
)
def test_what_cannot_be_told_is_left_out(audio: np.ndarray, f0_hz: float) -> None:
    assert np.isnan(noise_shares(audio, f0_hz, MEL)).all()


def test_what_a_timbre_lacks_is_found_by_key() -> None:
    recorded = [np.full(PARTS, 0.01 * 10 ** ((pitch - 48) / 10)) for pitch, _ in PLACES]
    found = noise_offsets(GRID, PLACES, recorded, [np.full(PARTS, 0.01)] * len(PLACES))
    np.testing.assert_allclose(found, np.broadcast_to(np.arange(12.0)[:, None], found.shape), atol=1.5)


def test_nothing_known_changes_nothing() -> None:
    nothing = [np.full(PARTS, np.nan)] * len(PLACES)
    np.testing.assert_array_equal(noise_offsets(GRID, PLACES, nothing, nothing), 0)
