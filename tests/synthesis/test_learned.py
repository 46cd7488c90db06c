"""What learned timbres add to the prior."""

from __future__ import annotations

import numpy as np

from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.synthesis.learned import LearnedOffsets, ages_of, keys_of
from cmaudio.synthesis.note_features import all_note_features

BANDS = 40
DB = 20 / np.log(10)


def spectrum(key: float | None, ages: list[float], offsets: np.ndarray, spread: float = 0.0) -> LearnedSpectrum:
    rows = np.broadcast_to(offsets, (len(ages), BANDS)).tolist()
    return LearnedSpectrum(key=key, ages_s=ages, offsets_db=rows, spread_db=[spread] * BANDS)


def features(age: float, key: float = 60.0) -> np.ndarray:
    times = np.full((1, 1), age)
    return all_note_features(times, times - 100, np.full((1, 1), key), np.array([key]), np.array([100.0]))


def added(learned: Learned, age: float, key: float = 60.0, share: float = 1.0) -> np.ndarray:
    """(M,) dB added to the median."""
    add = LearnedOffsets([learned], np.full(BANDS, 2.0, np.float32))
    zeros, shares = np.zeros((1, 1, BANDS), np.float32), np.full((1, 1, 1), share, np.float32)
    median, _ = add(features(age, key), shares, zeros, zeros + 1)
    return np.asarray(median[0, 0] * 2 * DB)


def test_age_and_key_are_read_from_the_features() -> None:
    for age in (0.01, 0.5, 8.0):
        np.testing.assert_allclose(ages_of(features(age)), age, rtol=1e-4)
    assert ages_of(features(100.0)) <= 12.001
    np.testing.assert_allclose(keys_of(features(1.0, 71.25)), 71.25, atol=1e-4)


def test_offsets_follow_the_age_and_hold_at_both_ends() -> None:
    table = Learned(spectra=[spectrum(None, [0.1, 0.3], np.array([[2.0], [6.0]]))])
    for age, expected in ((0.01, 2), (0.1, 2), (0.2, 4), (0.3, 6), (10.0, 6)):
        np.testing.assert_allclose(added(table, age), expected, atol=1e-2)
    np.testing.assert_allclose(added(table, 0.3, share=0.25), 1.5, atol=1e-2)


def test_every_band_holds_at_the_learned_pitch_and_their_course_elsewhere() -> None:
    comb = np.where(np.arange(BANDS) % 2, 10.0, 0.0)
    table = Learned(spectra=[spectrum(60.0, [1.0], comb)])
    np.testing.assert_allclose(added(table, 1.0), comb, atol=1e-2)
    elsewhere = added(table, 1.0, key=67)[10:-10]
    assert np.ptp(elsewhere) < 0.5
    np.testing.assert_allclose(elsewhere, 2.5, atol=0.3)


def test_between_two_learned_pitches_both_are_heard() -> None:
    low, high = (spectrum(key, [1.0], np.full(BANDS, level)) for key, level in ((60.0, 4.0), (72.0, 8.0)))
    table = Learned(spectra=[low, high])
    for key, expected in ((60.0, 4), (72.0, 8), (66.0, 3), (40.0, 2)):
        np.testing.assert_allclose(added(table, 1.0, key=key), expected, atol=1e-2)


def test_the_spread_grows_by_what_was_learned() -> None:
    add = LearnedOffsets([Learned(spectra=[spectrum(None, [1.0], np.zeros(BANDS), 6.0)])], np.ones(BANDS, np.float32))
    zeros = np.zeros((1, 1, BANDS), np.float32)
    _, spread = add(features(1.0), np.ones((1, 1, 1), np.float32), zeros, zeros + 1)
    np.testing.assert_allclose(spread, 10 ** (6 / 20), rtol=1e-3)
