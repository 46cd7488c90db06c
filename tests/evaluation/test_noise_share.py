"""The share of noise between the partials of a held note."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.evaluation.breath import noise_shares
from cmaudio.signal.breath import WINDOW

RATE, F0_HZ = 48_000, 220.0
_HZ = np.fft.rfftfreq(WINDOW, 1 / RATE)
PARTS = np.array([(low <= _HZ) & (low + 2_000 > _HZ) for low in range(0, 10_000, 2_000)])


def breathy(noise: float, seconds: float = 1.0) -> np.ndarray:
    """Partials of equal amplitude up to 12 kHz in white noise of a standard deviation."""
    t = np.arange(round(seconds * RATE)) / RATE
    partials = sum(np.sin(2 * np.pi * F0_HZ * k * t + k * k) for k in range(1, 55))
    return (0.02 * partials + noise * np.random.default_rng(0).standard_normal(len(t))).astype(np.float32)


@pytest.mark.parametrize("noise", [0.001, 0.003, 0.01, 0.03])
def test_the_share_is_that_of_the_noise_in_the_power(noise: float) -> None:
    partials_per_hz, noise_per_hz = 0.02**2 / 2 / F0_HZ, noise**2 / (RATE / 2)
    expected = noise_per_hz / (partials_per_hz + noise_per_hz)
    assert noise_shares(breathy(noise), F0_HZ, RATE, PARTS) == pytest.approx(np.full(len(PARTS), expected), rel=0.4)


def test_partials_alone_have_hardly_any() -> None:
    assert noise_shares(breathy(0), F0_HZ, RATE, PARTS).max() < 1e-4


def test_another_series_between_the_partials_is_not_noise() -> None:
    t = np.arange(RATE) / RATE
    odd = np.sum([0.02 * np.sin(2 * np.pi * F0_HZ * (k + 0.5) * t + k) for k in range(54)], 0)
    sounds = breathy(0.003), breathy(0.003) + odd.astype(np.float32)
    alone, both = (noise_shares(sound, F0_HZ, RATE, PARTS) for sound in sounds)
    assert (10 * np.log10(both / alone) < 3).all()


@pytest.mark.parametrize(
    ("audio", "f0_hz"),
    [(breathy(0.01), 0.0), (breathy(0.01), 40.0), (breathy(0.01, 0.3), F0_HZ), (np.zeros(RATE, np.float32), F0_HZ)],
    ids=["unpitched", "low", "short", "silent"],
)
def test_what_cannot_be_told_is_left_out(audio: np.ndarray, f0_hz: float) -> None:
    assert np.isnan(noise_shares(audio, f0_hz, RATE, PARTS)).all()
