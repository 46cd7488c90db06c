"""Loudness against the values that ITU-R BS.1770 and EBU Tech 3341 give for sines."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.loudness import loudness_lufs


def sine(hz: float, db: float, seconds: float = 5.0, sample_rate: int = 48_000) -> np.ndarray:
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    return (10 ** (db / 20) * np.sin(2 * np.pi * hz * times)).astype(np.float32)


# The filter's coefficients at 48 kHz, from tables 1 and 2 of the recommendation.
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)


def weight_db(hz: float) -> float:
    z = np.exp(-2j * np.pi * hz / 48_000) ** np.arange(3)
    return float(sum(20 * np.log10(np.abs(np.dot(above, z) / np.dot(below, z))) for above, below in (SHELF, HIGH_PASS)))


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("hz", [40, 100, 997, 3000, 10_000])
def test_a_sine_has_its_weighted_loudness(hz: float, sample_rate: int) -> None:
    expected = -0.691 - 3.01 + weight_db(hz)
    assert loudness_lufs(sine(hz, 0, 5, sample_rate), sample_rate) == pytest.approx(expected, abs=0.05)
    if hz == 997:
        assert expected == pytest.approx(-3.01, abs=0.01)


def test_two_channels_add_up_and_level_counts_in_decibels() -> None:
    mono = sine(997, -23)
    assert loudness_lufs(np.stack([mono, mono], 1), 48_000) == pytest.approx(-23, abs=0.1)
    assert loudness_lufs(mono, 48_000) == pytest.approx(-26, abs=0.1)


def test_pauses_are_gated() -> None:
    tone = sine(997, -20)
    gapped = np.concatenate([tone, np.zeros(10 * 48_000, np.float32), sine(997, -60, 10)])
    assert loudness_lufs(gapped, 48_000) == pytest.approx(loudness_lufs(tone, 48_000), abs=0.2)


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.05, 0.39])
def test_short_sounds_are_one_block(seconds: float) -> None:
    found = loudness_lufs(sine(997, -20, seconds), 48_000)
    assert found == -np.inf if seconds == 0 else found == pytest.approx(-23, abs=3 if seconds < 0.01 else 0.5)


def test_silence_has_no_loudness() -> None:
    assert loudness_lufs(np.zeros((48_000, 2), np.float32), 48_000) == -np.inf
