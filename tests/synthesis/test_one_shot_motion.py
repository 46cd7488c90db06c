"""The motion of a one-shot: each strike takes another course from onset to end, and a seed brings it back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.model.motion import Motion, coded
from cmaudio.synthesis.courses import MotionControls
from cmaudio.synthesis.motion import MotionPath
from cmaudio.synthesis.one_shot_motion import OneShotMotion

BANDS, RATE = 4, 93.75
OFFSET = np.linspace(-3, 3, BANDS)
LEVELS = np.array([[1.0, 0.5], [-1.0, -0.5], [0.0, 1.0]])  # of three recordings along two directions
LENGTHS = (20, 30, 40)
DIRECTIONS = np.array([[20.0] * BANDS, [-5.0, -5.0, 5.0, 5.0]])


def recorded(lengths: tuple[int, ...] = LENGTHS) -> list[np.ndarray]:
    """(T, 2) courses, each decaying from the levels of its recording."""
    return [np.exp(-np.arange(n) / 6)[:, None] * row for n, row in zip(lengths, LEVELS, strict=False)]


def motion(lengths: tuple[int, ...] = LENGTHS) -> Motion:
    courses = recorded(lengths)
    return Motion.model_validate(
        {
            "takes": [
                {"point": [0.25], "offset_db": OFFSET.tolist(), "ends": np.cumsum([len(c) for c in courses]).tolist()}
            ],
            "directions_db": DIRECTIONS.tolist(),
            "course": coded(np.concatenate(courses)),
            "kept": [0.5] * BANDS,
        }
    )


def strike(seed: int, humanity: float = 1.0, frames: int = 40, block: int = 4, of: Motion | None = None) -> np.ndarray:
    found = OneShotMotion(of or motion(), seed)
    parts = np.split(np.arange(frames), range(block, frames, block))
    ones = [np.ones(len(part)) for part in parts]
    return np.concatenate(
        [found.at(part, MotionControls(one / 2, humanity * one)) for part, one in zip(parts, ones, strict=True)]
    )


def held(lengths: tuple[int, ...] = LENGTHS) -> np.ndarray:
    """(N, 40, 2) the courses, each with its last frame held."""
    return np.stack([np.pad(c, ((0, 40 - len(c)), (0, 0)), mode="edge") for c in recorded(lengths)])


def test_each_direction_follows_one_of_the_recordings_from_its_onset_to_its_end() -> None:
    courses, seen = held(), set()
    for seed in range(60):
        along = np.linalg.lstsq(DIRECTIONS.T, (strike(seed) - OFFSET).T, rcond=None)[0].T
        nearest = np.abs(courses - along).max(1).argmin(0)
        np.testing.assert_allclose(along, courses[nearest, :, [0, 1]].T, atol=0.01)
        seen.add(tuple(nearest.tolist()))
    assert len(seen) == 9  # more than there are recordings


def test_strikes_have_the_mean_and_variance_of_the_recordings() -> None:
    strikes = np.stack([strike(seed) for seed in range(400)])
    levels = held() @ DIRECTIONS + OFFSET
    np.testing.assert_allclose(strikes.mean(0), levels.mean(0), atol=2.5)
    # with these recordings, the directions are correlated by 0.33, and the variances are those of the directions alone
    alone = np.square(held() - held().mean(0)).mean(0) @ np.square(DIRECTIONS)
    np.testing.assert_allclose(strikes.var(0)[:10], alone[:10], rtol=0.2)


@pytest.mark.parametrize("block", [1, 3, 40])
def test_a_seed_brings_a_strike_back_whatever_the_blocks(block: int) -> None:
    np.testing.assert_array_equal(strike(7, block=block), strike(7))


@pytest.mark.parametrize("humanity", [0.0, 0.5, 2.0])
def test_humanity_scales_the_deviation_from_the_mean_of_the_recordings(humanity: float) -> None:
    mean = strike(3, 0.0)
    np.testing.assert_allclose(mean, held().mean(0) @ DIRECTIONS + OFFSET, atol=0.2)
    np.testing.assert_allclose(strike(3, humanity) - mean, humanity * (strike(3) - mean), atol=1e-9)


@pytest.mark.parametrize(("frame", "same_as"), [(40, 39), (4000, 39)], ids=["one after it", "long after it"])
def test_the_last_frame_is_held(frame: int, same_as: int) -> None:
    one = np.ones(1)
    late, last = (OneShotMotion(motion(), 1).at(np.array([n]), MotionControls(one / 2, one)) for n in (frame, same_as))
    np.testing.assert_array_equal(late, last)


def test_there_is_none_before_the_onset() -> None:
    ones = np.ones(4)
    assert not OneShotMotion(motion(), 1).at(np.arange(-4, 0), MotionControls(ones / 2, ones)).any()


def test_one_recording_gives_one_course() -> None:
    single = motion(LENGTHS[:1])
    np.testing.assert_array_equal(strike(1, of=single), strike(2, of=single))


def test_a_motion_that_has_played_still_compares_and_copies() -> None:
    played, again = motion(), motion()
    assert len(strike(1, of=played)) == len(strike(1, of=again))
    assert played == again
    other = played.model_copy(update={"course": coded(-np.concatenate(recorded()))})
    np.testing.assert_allclose(strike(1, of=other) - OFFSET, OFFSET - strike(1, of=played), atol=1e-9)


def moved(path: MotionPath, start: int, **asked: Any) -> np.ndarray:
    ones = np.ones(4)
    found = path.at(np.arange(start, start + 4), MotionControls(asked.get("density", 0.5) * ones, ones))
    assert found is not None
    return found


def test_a_voice_that_ends_takes_the_course_of_a_one_shot() -> None:
    path = MotionPath(motion(), 5, RATE, endless=False)
    np.testing.assert_array_equal(moved(path, 0), strike(5)[:4])
    assert path.point is not None
    assert path.point.tolist() == [0.25]
    np.testing.assert_array_equal(moved(path, 8, density=1.0), strike(5)[8:12])


def test_a_morph_leads_into_the_other_course_at_the_same_age() -> None:
    path, other = MotionPath(motion(), 5, RATE, endless=False), motion(LENGTHS[:2])
    moved(path, 0)
    path.follow(other)
    blocks = [moved(path, start) for start in range(4, 40, 4)]
    np.testing.assert_allclose(
        blocks[-1], OneShotMotion(other, 5).at(np.arange(36, 40), MotionControls(np.ones(4), np.ones(4)))
    )


def at(frames: np.ndarray, **changed: float) -> np.ndarray:
    ones = np.ones(len(frames))
    return OneShotMotion(motion(), 3).at(
        frames, MotionControls(ones / 2, ones, **{name: v * ones for name, v in changed.items()})
    )


def test_half_the_speed_is_the_same_course_at_half_the_age() -> None:
    whole, slow = at(np.arange(20)), at(np.arange(40), speed=0.5)
    np.testing.assert_allclose(slow[::2], whole, atol=1e-9)
    np.testing.assert_allclose(slow[1:-1:2], (whole[:-1] + whole[1:]) / 2, atol=1e-9)


def test_flicker_scales_what_is_fast() -> None:
    slow, whole, fast = (at(np.arange(40), flicker=share) for share in (0.0, 1.0, 2.0))
    np.testing.assert_allclose(fast - slow, 2 * (whole - slow), atol=1e-9)
    assert np.abs(np.diff(slow, axis=0)).max() < 0.9 * np.abs(np.diff(whole, axis=0)).max()
