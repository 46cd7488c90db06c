"""How strikes differ is measured on recordings, frame by frame from the onset."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.learning.example import DB
from cmaudio.learning.one_shot_motion import LONGEST_FRAMES, followed, one_shot_motion_of
from cmaudio.model.motion import MOST_FRAMES, Motion
from cmaudio.signal.dsp import Float

BANDS, FLOOR, LEVEL = 16, -8.0, -3.0


def strike(frames: int, decay: float, level: float = LEVEL, seed: int = 0, spread_db: float = 0.5) -> Float:
    """(T, M) decaying to the floor, in nepers."""
    drawn = np.random.default_rng(seed).standard_normal((frames, BANDS)) * spread_db / DB
    return np.maximum(level - np.arange(frames)[:, None] / decay + drawn, FLOOR).astype(np.float32)


def rendered(spread_db: float) -> list[Float]:
    return [strike(100, 20, seed=seed, spread_db=spread_db) for seed in range(10, 14)]


def measured(recorded: list[Float], drawn_db: float = 2.0) -> Motion:
    found = one_shot_motion_of([0.0], followed(recorded, FLOOR), rendered(drawn_db), rendered(0.5)[:2], FLOOR)
    assert found is not None
    return found


def levels(motion: Motion) -> list[np.ndarray]:
    """(T, M) dB of each recording beside the renderings."""
    take = motion.takes[0]
    moved = np.array(take.offset_db) + motion.places() @ np.array(motion.directions_db)
    return np.split(moved, take.ends[:-1])


def test_courses_are_what_lies_between_renderings_and_recordings() -> None:
    recorded = [strike(60, 20, LEVEL + 1, 1), strike(60, 20, LEVEL - 1, 2), strike(60, 8, LEVEL, 3)]
    mean = np.mean(rendered(2.0), 0)
    for course, mel in zip(levels(measured(recorded)), recorded, strict=True):
        np.testing.assert_allclose(course[:30].mean(1), DB * (mel - mean[: len(mel)])[:30].mean(1), atol=1.0)


@pytest.mark.parametrize("shorter", [20, 40])
def test_a_course_ends_in_the_silence_of_its_recording(shorter: int) -> None:
    cut = strike(60, 20)[:shorter]
    course = levels(measured([cut, strike(60, 20, seed=1)]))[0]
    after = np.mean(rendered(2.0), 0)[len(course) - 1] + course[-1] / DB
    assert np.abs(after - FLOOR).max() * DB < 3


@pytest.mark.parametrize(("drawn_db", "least", "most"), [(8.0, 0.0, 0.2), (0.8, 0.0, 2.0)])
def test_the_residual_is_scaled_to_what_directions_leave(drawn_db: float, least: float, most: float) -> None:
    kept = np.array(measured([strike(60, 20, seed=1), strike(60, 20, seed=2)], drawn_db).kept)
    assert least <= kept.mean() <= most


@pytest.mark.parametrize(
    ("count", "frames"), [(1, 2 * LONGEST_FRAMES), (40, LONGEST_FRAMES), (100, 300)], ids=["long", "many", "too many"]
)
def test_recordings_are_cut_to_what_fits_into_a_file(count: int, frames: int) -> None:
    found = followed([np.zeros((frames, BANDS), np.float32)] * count, FLOOR)
    assert sum(map(len, found)) <= MOST_FRAMES
    assert max(map(len, found)) <= LONGEST_FRAMES


def test_silence_has_no_motion() -> None:
    silent = np.full((60, BANDS), FLOOR, np.float32)
    assert one_shot_motion_of([0.0], followed([silent], FLOOR), [silent] * 4, [silent] * 2, FLOOR) is None
