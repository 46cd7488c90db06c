"""Trajectories and note features: what moves, when, and what the network reads."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.note_features import note_features
from cmaudio.synthesis.trajectory import Trajectory


def values(trajectory: Trajectory, *times: float) -> list[float]:
    return [float(value) for value in trajectory.at(np.array(times))]


def test_trajectory_moves_and_rests() -> None:
    trajectory = Trajectory(60.0)
    assert values(trajectory, -5, 0, 1e9) == [60, 60, 60]
    assert trajectory.rests_at(0)
    trajectory.move(100, 64.0, 40)
    assert values(trajectory, 0, 100, 110, 120, 140, 500) == [60, 60, 61, 62, 64, 64]
    assert not trajectory.rests_at(139)
    assert trajectory.rests_at(140)
    assert trajectory.target == 64


def test_what_is_set_at_the_onset_is_the_first_value() -> None:
    trajectory = Trajectory(1.0)
    trajectory.move(100, 5.0, 10)
    trajectory.begin_or_move(0, 3.0, 0)
    assert trajectory.constant
    assert values(trajectory, 0, 1, 500) == [3, 3, 3]


def test_trajectory_leaves_from_where_it_is_and_drops_later_plans() -> None:
    trajectory = Trajectory(0.0)
    trajectory.move(100, 10.0, 100)
    trajectory.move(400, 99.0, 1)
    trajectory.move(150, 0.0, 50)
    assert values(trajectory, 125, 150, 175, 200, 1000) == [2.5, 5, 2.5, 0, 0]


def test_trajectory_jumps_within_a_sample_and_from_its_start() -> None:
    trajectory = Trajectory(1.0)
    trajectory.move(0, 2.0, 0)
    assert values(trajectory, -1, 0, 0.5, 1, 2) == [1, 1, 1.5, 2, 2]


def test_trajectory_of_vectors() -> None:
    trajectory = Trajectory([0.0, 1.0])
    trajectory.move(0, [1.0, 0.0], 10)
    assert trajectory.at(np.array([0.0, 5.0, 20.0])).tolist() == [[0, 1], [0.5, 0.5], [1, 0]]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(-10, 10), st.integers(0, 80)), min_size=1, max_size=12),
    st.integers(0, 900),
)
def test_forgetting_the_past_changes_no_later_value(moves: list[tuple[int, float, int]], time: int) -> None:
    kept, trimmed, at = Trajectory(0.0), Trajectory(0.0), 0
    for step, value, over in moves:
        at += step
        kept.move(at, value, over)
        trimmed.move(at, value, over)
    trimmed.forget_before(time)
    times = np.arange(time, time + 300, dtype=np.float64)
    np.testing.assert_array_equal(kept.at(times), trimmed.at(times))


def test_forgetting_keeps_an_hour_of_bends_small() -> None:
    trajectory = Trajectory(0.0)
    for at in range(0, 100_000, 10):
        trajectory.forget_before(at - 1000)
        trajectory.move(at, float(at % 3), 10)
    assert len(trajectory._times) < 220


def test_semitones() -> None:
    np.testing.assert_allclose(semitones_to_hz(np.array([69.0, 57.0, 60.0])), [440, 220, 261.6255653])


def test_note_features_before_after_and_long_after_the_onset() -> None:
    seconds = np.array([[-0.01, 0.02, 3.3, 500.0]])
    features = note_features(seconds, seconds - 0.5, np.full((1, 4), 61.0), np.array([60.0]), np.array([64.0]))
    assert features.shape == (1, 4, 16)
    assert features[0, :, 0].tolist() == [0, 1, 1, 1]
    assert features[0, :, 1].tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(features[0, 0, [2, 3, 4, 5, 8]], [1 / 24, 0, 0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(features[0, 1, [5, 7, 8]], [np.log(2) / 4, 0.8, np.exp(-0.4)], atol=1e-6)
    # The networks never see a clock beyond what they were trained on.
    np.testing.assert_array_equal(features[0, 2, [0, 5, 7, 8, 9, 10]], features[0, 3, [0, 5, 7, 8, 9, 10]])


def test_over_a_span_is_a_number_once_the_value_rests() -> None:
    level = Trajectory(0.0)
    level.move(10, 1.0, 4)
    moving = level.over(10, 6)
    assert isinstance(moving, np.ndarray)
    assert moving.dtype == np.float32
    np.testing.assert_array_equal(moving, [0, 0.25, 0.5, 0.75, 1, 1])
    assert level.over(14, 6) == 1.0
    assert isinstance(level.over(14, 6), float)
