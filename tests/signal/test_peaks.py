"""Spectral peaks of sounds whose partials are known."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Float
from cmaudio.signal.peaks import lasting_peaks, power_share, spectral_peaks

RATE = 48_000


def tones(partials: dict[float, float], seconds: float = 0.8, decay: float = 0.0) -> Float:
    time = np.arange(round(seconds * RATE)) / RATE
    parts = [a * np.sin(2 * np.pi * hz * time + hz) for hz, a in partials.items()]
    return (np.sum(parts, 0) * np.exp(-decay * time)).astype(np.float32)


def noise(scale: float, seconds: float = 0.8) -> Float:
    return np.random.default_rng(0).normal(0, scale, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize("decay", [0.0, 6.0])
def test_frequencies_are_found_within_a_fifth_of_a_cent(decay: float) -> None:
    partials = {261.63: 0.3, 721.1: 0.1, 1413.7: 0.05, 5003.3: 0.01}
    found = spectral_peaks(tones(partials, decay=decay), RATE, lowest_hz=50, apart_hz=30, count=4)
    assert [peak.hz for peak in found] == pytest.approx(list(partials), rel=2e-4)
    assert [peak.level_db for peak in found] == pytest.approx([0.0, -9.5, -15.6, -29.5], abs=0.5)


def test_weaker_peaks_beside_a_strong_one_are_left_out() -> None:
    found = spectral_peaks(tones({440: 0.3, 455: 0.2, 600: 0.1}), RATE, lowest_hz=50, apart_hz=30, count=2)
    assert [round(peak.hz) for peak in found] == [440, 600]


def test_noise_and_what_ends_early_are_no_lasting_peaks() -> None:
    short = np.concatenate([tones({900: 0.2}, 0.35), np.zeros(round(0.45 * RATE), np.float32)])
    sound = tones({440: 0.3}) + short + noise(0.01)
    found = lasting_peaks(sound, RATE, lowest_hz=50, apart_hz=20, count=10, range_db=30)
    assert [round(peak.hz) for peak in found] == [440]


@pytest.mark.parametrize(("scale", "low", "high"), [(0.0, 0.99, 1.0), (0.2, 0.4, 0.7), (3.0, 0.0, 0.05)])
def test_share_of_power_tells_tones_from_noise(scale: float, low: float, high: float) -> None:
    sound = tones({440: 0.3}) + noise(scale)
    assert low <= power_share(sound, RATE, [440.0]) <= high
