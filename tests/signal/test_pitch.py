"""The pitch of one held sound."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.examples import RATE, hiss, note

from cmaudio.signal.pitch import find_pitch


@pytest.mark.parametrize("key", [28.0, 45.3, 60.0, 69.0, 84.5, 96.0])
def test_a_held_note_is_found_within_a_tenth_of_a_semitone(key: float) -> None:
    found = find_pitch(note(key, 1.0), RATE)
    assert found.key == pytest.approx(key, abs=0.1)
    assert found.share > 0.9
    assert found.range_semitones < 0.5


@pytest.mark.parametrize("samples", [hiss(), np.zeros(RATE, np.float32), np.zeros(10, np.float32)])
def test_noise_and_silence_have_no_pitch(samples: np.ndarray) -> None:
    assert find_pitch(samples, RATE).share < 0.1


def test_a_melody_has_a_range() -> None:
    melody = np.concatenate([note(key, 0.5) for key in (57, 64, 60, 69)])
    assert find_pitch(melody, RATE).range_semitones > 5
