"""Given phoneme times are moved to where the sound falls silent at pauses."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.training.prepare.pause_onsets import with_pause_onsets

RATE = 16_000


def speech(*silences: tuple[float, float], seconds: float = 2.0) -> np.ndarray:
    audio = 0.1 * np.random.default_rng(0).normal(size=round(seconds * RATE))
    for begin, end in silences:
        audio[round(begin * RATE) : round(end * RATE)] *= 1e-4
    return audio.astype(np.float32)


@pytest.mark.parametrize(
    ("phonemes", "given", "silences", "expected"),
    [
        ("|a|t|.", [0.1, 0.6, 1.7, 2.0], [(1.5, 2.0)], [0.1, 0.6, 1.5, 2.0]),  # late at the end
        ("|a|,|t|.", [0.1, 0.95, 1.1, 1.9, 2.0], [(0.85, 1.1), (1.8, 2.0)], [0.1, 0.85, 1.1, 1.8, 2.0]),  # and inside
        ("|a|,|t|.", [0.1, 0.8, 1.1, 1.8, 2.0], [(0.9, 1.1), (1.8, 2.0)], [0.1, 0.9, 1.1, 1.8, 2.0]),  # early
        ("|a|,|t|.", [0.1, 0.8, 0.9, 1.8, 2.0], [(1.8, 2.0)], [0.1, 0.8, 0.9, 1.8, 2.0]),  # a comma without a pause
        ("|a|t|.", [0.1, 1.6, 1.7, 2.0], [(1.5, 2.0)], [0.1, 1.6, 1.63, 2.0]),  # a phoneme keeps 30 ms
        ("|a|t", [0.1, 0.6, 2.0], [(1.5, 2.0)], [0.1, 0.6, 2.0]),  # no pause
        ("", [2.0], [], [2.0]),
    ],
)
def test_pauses_begin_where_the_sound_falls_silent(
    phonemes: str, given: list[float], silences: list[tuple[float, float]], expected: list[float]
) -> None:
    moved = with_pause_onsets(given, phonemes.split("|"), speech(*silences), RATE, -60.0)
    assert moved == pytest.approx(expected, abs=0.006)
    assert list(moved) == sorted(moved)


def test_a_noisy_recording_keeps_its_times() -> None:
    given = [0.1, 0.9, 1.9, 2.0]
    assert with_pause_onsets(given, ["", " a", "t", "."], speech(), RATE, -60.0) == tuple(given)
