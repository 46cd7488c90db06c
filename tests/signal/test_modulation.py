"""Modulation of partials, on tones that are known."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Float
from cmaudio.signal.modulation import amplitude_modulation, frequency_modulation, partial_tracks

RATE, F0 = 48_000, 220.0


def tone(cents: float = 0.0, rate: float = 5.0, tremolo_db: float = 0.0) -> Float:
    time = np.arange(3 * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(F0 * 2 ** (cents / 1200 * np.sin(2 * np.pi * rate * time))) / RATE
    level = 10 ** (tremolo_db / 20 * np.sin(2 * np.pi * 2 * time))
    return (0.1 * level * sum(np.sin(k * phase) / k for k in range(1, 9))).astype(np.float32)


@pytest.mark.parametrize(("cents", "rate"), [(0.0, 5.0), (10.0, 2.0), (10.0, 5.0), (30.0, 3.0)])
def test_the_common_swing_of_the_partials_is_found(cents: float, rate: float) -> None:
    tracks = partial_tracks(tone(cents, rate), RATE, F0).between(0.5, 2.5)
    assert tracks.common_cents().std() == pytest.approx(cents / np.sqrt(2), rel=0.03, abs=0.01)


def test_each_partial_is_measured_in_cents_of_its_own() -> None:
    tracks = partial_tracks(tone(10.0, 2.0), RATE, F0).between(0.5, 2.5)
    assert tracks.cents.std(1) == pytest.approx(np.full(8, 10 / np.sqrt(2)), rel=0.1)


@pytest.mark.parametrize(("cents", "tremolo_db"), [(0.0, 0.0), (10.0, 0.0), (0.0, 4.0), (10.0, 4.0)])
def test_frequency_and_level_are_told_apart(cents: float, tremolo_db: float) -> None:
    tracks = partial_tracks(tone(cents, 2.0, tremolo_db), RATE, F0).between(0.5, 2.5)
    assert frequency_modulation(tracks) == pytest.approx(cents / np.sqrt(2), rel=0.15, abs=0.1)
    assert amplitude_modulation(tracks) == pytest.approx(tremolo_db / np.sqrt(2), rel=0.15, abs=0.1)


def test_a_high_note_has_the_partials_that_fit() -> None:
    assert len(partial_tracks(tone(), RATE, 5_000.0).envelopes) == 2
