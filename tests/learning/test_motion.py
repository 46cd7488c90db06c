"""How a bed moves is measured on recordings: what is common to many bands, and how much of what is drawn is left."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.learning.example import DB
from cmaudio.learning.motion import Compared, alike, motion_of, still_at, usable
from cmaudio.model.motion import MOST_FRAMES
from cmaudio.signal.dsp import Float

BANDS = 32


def noise(frames: int, spread_db: float, level: float = -6.0, seed: int = 0) -> Float:
    drawn = np.random.default_rng(seed).standard_normal((frames, BANDS))
    return (level + spread_db / DB * drawn).astype(np.float32)


def strokes(frames: int, rise_db: float, seed: int = 0) -> Float:
    """Of the upper half of the bands, once in half a second."""
    course = np.exp(-(np.arange(frames) % 47) / 5)[:, None] * (np.arange(BANDS) >= BANDS // 2)
    return noise(frames, 2.0, seed=seed) + np.float32(rise_db / DB) * course.astype(np.float32)


def test_what_bands_do_together_is_a_direction_and_its_course() -> None:
    motion = motion_of([Compared([0.0], [strokes(600, 25)], [noise(600, 4.0)], [noise(600, 1.0, seed=1)])])
    first = np.array(motion.directions_db[0])
    assert np.abs(first[: BANDS // 2]).max() < 1.5
    rise = motion.places()[:, :1] * first
    assert rise[:, BANDS // 2 :].max() == pytest.approx(25, abs=3)
    np.testing.assert_allclose(rise[47 * 5 : 47 * 5 + 8, -8:].mean(1), 25 * np.exp(-np.arange(8) / 5), atol=3)


def test_every_band_varies_as_recorded() -> None:
    recorded, drawn, undrawn = [strokes(900, 25)], [noise(600, 4.0)], [noise(600, 1.0, seed=1)]
    motion = motion_of([Compared([0.0], recorded, drawn, undrawn)])
    moved = motion.places() @ np.array(motion.directions_db)
    own = 1.0 + np.square(motion.kept) * (16.0 - 1.0)
    wanted = np.square(DB * (recorded[0] - np.median(recorded[0], 0))).mean(0)
    np.testing.assert_allclose(np.square(moved).mean(0) + own, wanted, rtol=0.2)


def test_the_median_of_a_take_is_its_recordings() -> None:
    played = [noise(300, 3.0, -6.0)]
    motion = motion_of(
        [
            Compared([0.5], [noise(300, 3.0, -4.0), noise(300, 3.0, -4.2)], played, played),
            Compared([-0.5], [noise(200, 3.0, -7.0)], played, played),
        ]
    )
    assert [take.ends for take in motion.takes] == [[300, 600], [800]]
    assert motion.start(1) == 600
    np.testing.assert_allclose(motion.takes[0].offset_db, 1.9 * DB, atol=1.5)
    np.testing.assert_allclose(motion.takes[1].offset_db, -1.0 * DB, atol=1.5)


def test_pieces_of_one_recording_are_one_take() -> None:
    mels = {0: noise(300, 3.0), 2: noise(300, 3.0, -4.0), 5: noise(300, 3.0, seed=3)}
    assert alike(mels) == [[0, 5], [2]]


def test_long_recordings_fit_into_a_file_and_short_ones_are_left_out() -> None:
    found = usable([noise(MOST_FRAMES, 3.0), noise(10, 3.0), noise(MOST_FRAMES // 2, 3.0)])
    assert list(found) == [0, 2]
    assert sum(map(len, found.values())) <= MOST_FRAMES
    assert usable([]) == {}


def test_silence_moves_by_nothing() -> None:
    still = [np.full((300, BANDS), -8.0, np.float32)]
    motion = motion_of([Compared([0.0], still, still, still)])
    assert np.abs(motion.places() @ np.array(motion.directions_db)).max() < 0.01


def test_a_still_one_moves_by_nothing_and_keeps_all_that_is_drawn() -> None:
    motion = still_at([0.25], BANDS)
    assert not motion.places().any()
    assert set(motion.kept) == {1.0}
