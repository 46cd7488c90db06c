"""The motion of a texture: it is made of what was measured, never repeats, and a seed brings it back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cmaudio.model.motion import Motion, coded
from cmaudio.synthesis.courses import MotionControls
from cmaudio.synthesis.motion import EndlessMotion, MotionPath

RATE, BANDS = 93.75, 6
OFFSET = np.linspace(-3, 3, BANDS)


def strokes(frames: int = 600, apart: int = 60) -> np.ndarray:
    """(T, 2) sudden and decaying, in one direction, and a swell in another."""
    time = np.arange(frames)
    return np.stack([np.exp(-(time % apart) / 4), 0.2 * np.sin(time / 50)], 1)


def motion(**changed: Any) -> Motion:
    take = {"point": [0.5], "offset_db": OFFSET.tolist(), "ends": [240, 600]}
    take |= {name: changed.pop(name) for name in ("point", "offset_db", "ends") if name in changed}
    values: dict[str, Any] = {
        "takes": [take],
        "directions_db": [[20.0] * BANDS, [0.0] * (BANDS - 1) + [6.0]],
        "course": coded(strokes()),
        "kept": [0.5] * BANDS,
    }
    return Motion.model_validate(values | changed)


def moved(
    of: Motion,
    seconds: float = 60,
    density: float = 0.5,
    humanity: float = 1.0,
    seed: int = 1,
    block: int = 4,
    **more: float,
) -> np.ndarray:
    count = int(seconds * RATE) // block * block
    train, ones = EndlessMotion(of, seed, RATE), np.ones(block)
    parts = np.arange(count).reshape(-1, block)
    others = {name: value * ones for name, value in more.items()}
    return np.concatenate([train.at(part, MotionControls(density * ones, humanity * ones, **others)) for part in parts])


def onsets(level: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.diff(level, prepend=level[0]) > 8)


def test_events_keep_their_attack_and_decay() -> None:
    level = moved(motion())[:, 0] - OFFSET[0]
    starts = onsets(level)
    assert len(starts) > 40
    assert np.percentile(level, 99) == pytest.approx(20, abs=1.5)
    after = np.median([level[at : at + 9] for at in starts if at + 9 < len(level)], 0)
    np.testing.assert_allclose(after, 20 * np.exp(-np.arange(9) / 4), atol=1.5)


def test_their_order_is_another_one() -> None:
    level = moved(motion(), 120)[:, 0]
    level = level - level.mean()
    correlation = [float(level[lag:] @ level[:-lag] / (level @ level)) for lag in range(188, 1500)]
    assert max(correlation) < 0.3


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_the_same_whatever_the_blocks(block: int) -> None:
    whole = moved(motion(), 12, block=448)
    part = moved(motion(), 12, block=block)
    np.testing.assert_array_equal(part[:448], whole[:448])


def test_the_same_seed_brings_the_same_motion() -> None:
    np.testing.assert_array_equal(moved(motion(), 10, seed=4), moved(motion(), 10, seed=4))
    assert not np.array_equal(moved(motion(), 10, seed=4), moved(motion(), 10, seed=5))


def test_density_says_how_many_events_there_are() -> None:
    found = [len(onsets(moved(motion(), 60, density=density)[:, 0])) for density in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert found == sorted(found)
    assert found[0] < 0.6 * found[2]
    assert found[4] > 1.6 * found[2]


def test_speed_changes_all_of_it() -> None:
    found = [len(onsets(moved(motion(), 60, speed=speed)[:, 0])) for speed in (0.7, 1.0, 1.4)]
    np.testing.assert_allclose(np.array(found) / found[1], [0.7, 1.0, 1.4], atol=0.15)


def test_flicker_scales_what_is_fast() -> None:
    slow, whole, fast = (moved(motion(), 10, flicker=share) for share in (0.0, 1.0, 2.0))
    np.testing.assert_allclose(fast - slow, 2 * (whole - slow), atol=1e-9)
    assert np.abs(np.diff(slow, axis=0)).max() < 0.5 * np.abs(np.diff(whole, axis=0)).max()


def test_humanity_of_0_is_the_median() -> None:
    np.testing.assert_allclose(moved(motion(), 2, humanity=0.0), np.broadcast_to(OFFSET, (184, BANDS)))
    half, whole = (moved(motion(), 5, humanity=share) - OFFSET for share in (0.5, 1.0))
    np.testing.assert_allclose(half, whole / 2, atol=1e-9)


def test_frames_before_the_onset_and_known_ones_have_none() -> None:
    train, ones = EndlessMotion(motion(), 1, RATE), np.ones(4)
    assert not train.at(np.arange(-4, 0), MotionControls(ones / 2, ones)).any()
    assert train.at(np.arange(4), MotionControls(ones / 2, ones)).any()
    assert not train.at(np.arange(4), MotionControls(ones / 2, ones)).any()


def test_a_recording_of_a_few_frames_moves_too() -> None:
    short = motion(course=coded(strokes(3)), ends=[3])
    assert np.isfinite(moved(short, 2)).all()


def test_a_voice_is_one_of_the_takes() -> None:
    other = {"point": [-0.5], "offset_db": [50.0] * BANDS, "ends": [600]}
    two = motion(takes=[{"point": [0.5], "offset_db": [0.0] * BANDS, "ends": [300]}, other])
    trains = [EndlessMotion(two, seed, RATE) for seed in range(12)]
    assert {float(train.point[0]) for train in trains} == {-0.5, 0.5}
    ones = np.ones(4)
    for train in trains:
        assert (train.at(np.arange(4), MotionControls(ones / 2, 0 * ones)).mean() == 50) == (train.point[0] < 0)


def test_it_never_stays_where_recordings_end() -> None:
    ending = np.concatenate([strokes(300), np.full((60, 2), -1.0), strokes(300), np.full((60, 2), -1.0)])
    level = moved(motion(course=coded(ending), ends=[360, 720]), 60)[:, 0] - OFFSET[0]
    assert (level < -15).mean() < 0.25  # a sixth of what was recorded


def test_another_timbre_is_gone_over_to() -> None:
    still = motion(course=coded(np.zeros((600, 2))), kept=[1.0] * BANDS)
    loud = motion(course=coded(np.zeros((600, 2))), offset_db=[30.0] * BANDS, kept=[0.0] * BANDS)
    path, ones = MotionPath(still, 1, RATE), np.ones(4)
    blocks = [path.at(np.arange(4), MotionControls(ones / 2, ones))]
    path.follow(loud)
    for start in range(4, 40, 4):
        blocks.append(path.at(np.arange(start, start + 4), MotionControls(ones / 2, ones)))
    last = np.concatenate([block for block in blocks if block is not None])[:, -1]
    assert last[3] == OFFSET[-1]
    assert last[-1] == 30
    assert np.diff(last).max() < 1.5
    assert path.residual_gain is not None
    np.testing.assert_array_equal(path.residual_gain, 0)


def test_it_ends_where_the_timbre_has_none() -> None:
    path, ones = MotionPath(motion(), 1, RATE), np.ones(4)
    path.follow(None)
    found = [path.at(np.arange(start, start + 4), MotionControls(ones / 2, ones)) for start in range(0, 48, 4)]
    assert found[0] is not None
    assert found[-1] is None
    assert path.residual_gain is None
    assert MotionPath(None, 1, RATE).at(np.arange(4), MotionControls(ones, ones)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"course": "not base 64!"},
        {"course": coded(strokes(599))},
        {"ends": [600, 240]},
        {"ends": [0, 600]},
        {"ends": []},
        {"kept": [1.0]},
        {"kept": [-1.0] * BANDS},
        {"takes": []},
        {"directions_db": []},
        {"directions_db": [[1.0] * BANDS, [1.0]]},
        {"offset_db": [float("nan")] * BANDS},
    ],
)
def test_what_no_motion_is_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        motion(**changed)
