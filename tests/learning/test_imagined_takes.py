"""Takes imagined from one recording differ from it as takes of one sound do, and are about it."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.learning.example import DB
from cmaudio.learning.imagined_takes import imagined_takes
from cmaudio.signal.dsp import Float

BANDS, FLOOR, FRAMES = 64, -9.0, 60


def recording() -> Float:
    """(T, M) decaying into silence."""
    fall = np.arange(FRAMES)[:, None] / (8 + 0.1 * np.arange(BANDS))
    return np.maximum(-1.0 - fall, FLOOR).astype(np.float32)


def levels_db(takes: list[Float]) -> np.ndarray:
    """(takes, M) of the first frames."""
    return DB * np.stack([take[:4].mean(0) for take in takes])


def test_their_mean_is_the_recording() -> None:
    np.testing.assert_allclose(
        levels_db(imagined_takes(recording(), FLOOR)).mean(0), levels_db([recording()])[0], atol=0.5
    )


def test_they_differ_in_level_colour_and_duration() -> None:
    takes = imagined_takes(recording(), FLOOR)
    differences = levels_db(takes) - levels_db([recording()])
    assert 1 < differences.mean(1).std() < 5
    assert 2 < (differences - differences.mean(1, keepdims=True)).std() < 6
    lengths = sorted(len(take) for take in takes)
    assert lengths[0] < 0.9 * FRAMES
    assert 1.1 * FRAMES < lengths[-1] < 3 * FRAMES


def test_colours_are_smooth() -> None:
    differences = levels_db(imagined_takes(recording(), FLOOR)) - levels_db([recording()])
    assert np.abs(np.diff(differences, axis=1)).max() < 2


def test_a_recording_always_has_the_same_ones() -> None:
    for one, other in zip(imagined_takes(recording(), FLOOR), imagined_takes(recording(), FLOOR), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("frames", [1, 2, FRAMES])
def test_silence_stays_silent(frames: int) -> None:
    for take in imagined_takes(np.full((frames, BANDS), FLOOR, np.float32), FLOOR):
        assert len(take)
        np.testing.assert_array_equal(take, np.float32(FLOOR))
