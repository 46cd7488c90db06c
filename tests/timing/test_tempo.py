"""The tempo map and the line through noisy points: no jump, no drift, and back again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.output.sample_clock import LockedLine, SampleClock
from cmaudio.timing.tempo import TempoMap, next_multiple

RATE = 48_000


def test_beats_and_samples_do_not_drift_apart() -> None:
    tempo = TempoMap(RATE, 112)
    beats = range(10 * 112 + 1)
    off = [tempo.sample_at(beat) - beat * 60 * RATE / 112 for beat in beats]
    assert max(np.abs(off)) < 1e-6, "ten minutes, in samples"
    assert [round(tempo.beat_at(round(tempo.sample_at(beat)))) for beat in beats] == list(beats)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(10, 400)), max_size=8), st.floats(0, 2e6))
def test_a_change_of_tempo_moves_no_beat(changes: list[tuple[float, float]], sample: float) -> None:
    tempo = TempoMap(RATE, 120)
    for at, value in sorted(changes):
        before = tempo.beat_at(at)
        tempo.set_tempo(value, at)
        assert tempo.beat_at(at) == pytest.approx(before, abs=1e-9)
        assert tempo.tempo_at(at) == value
    samples = np.linspace(0, 2e6, 200)
    assert (np.diff([tempo.beat_at(s) for s in samples]) > 0).all()
    assert tempo.sample_at(tempo.beat_at(sample)) == pytest.approx(sample, abs=1e-3)


def test_events_planned_for_a_beat_stay_at_their_beat() -> None:
    tempo = TempoMap(RATE, 120)
    tempo.plan_tempo(60, 8)
    tempo.plan_tempo(240, 10)
    tempo.set_tempo(240, RATE)  # beat 2
    assert tempo.sample_at(8) == pytest.approx(RATE * (1 + 6 / 4))
    assert tempo.sample_at(9) == pytest.approx(RATE * (1 + 6 / 4 + 1))
    assert tempo.sample_at(11) == pytest.approx(RATE * (1 + 6 / 4 + 2 + 1 / 4))
    tempo.plan_tempo(120, 8)
    assert tempo.sample_at(9) == pytest.approx(RATE * (1 + 6 / 4 + 1 / 2))
    tempo.drop_planned(RATE)
    assert tempo.sample_at(11) == pytest.approx(RATE * (1 + 9 / 4))


def test_a_stopped_clock_resumes_where_it_was() -> None:
    tempo = TempoMap(RATE, 120)
    tempo.plan_tempo(60, 4)
    tempo.stop(RATE)
    assert [tempo.beat_at(s) for s in (RATE, 5 * RATE)] == [2, 2]
    assert tempo.sample_at(2) == tempo.sample_at(5) == math.inf
    assert tempo.sample_at(1) == RATE / 2
    tempo.set_tempo(240, 2 * RATE)
    assert tempo.beat_at(3 * RATE) == 2
    tempo.start(4 * RATE)
    assert tempo.sample_at(4) == 4.5 * RATE
    assert tempo.sample_at(5) == 5.5 * RATE, "as it was planned"
    tempo.start(6 * RATE, 0)
    assert tempo.beat_at(5 * RATE) == tempo.beat_at(6 * RATE) == 0
    tempo.forget_before(7 * RATE)
    assert tempo.sample_at(1) == pytest.approx(7 * RATE)


@pytest.mark.parametrize("wrong", [0, 9, 401, math.nan, "fast", True])
def test_a_tempo_is_a_number_within_its_range(wrong: Any) -> None:
    with pytest.raises(CmaudioError, match="tempo must be a number from 10 to 400"):
        TempoMap(RATE, wrong)


def test_the_next_multiple_is_never_one_too_far() -> None:
    assert [next_multiple(beat, 4) for beat in (0, 0.1, 4, 4.0000001, 3.9999999, 4.1)] == [0, 4, 4, 4, 4, 8]


def test_a_line_is_learnt_from_few_points_and_then_hardly_moves() -> None:
    """Pulses of 120 beats per minute with 3 ms of jitter, to a line that expects 60."""
    rng = np.random.default_rng(0)
    line = LockedLine(24, bandwidth=0.5, lost=1, rate_range=(4, 160), learns=True)
    errors = []
    for count in range(480):
        line.update(count / 48 + rng.uniform(-0.0015, 0.0015), count)
        errors.append((line.at(count / 48 + 0.2) - (count + 0.2 * 48)) / 48)
    assert line.rate == pytest.approx(48, rel=0.02)
    assert max(np.abs(errors[48:])) < 0.003, "0.2 s ahead, in seconds"


def test_a_lost_line_is_fitted_again() -> None:
    learns = LockedLine(48, bandwidth=0.5, lost=1, rate_range=(4, 160), learns=True)
    for count in range(96):
        learns.update(count / 48, count)
    for count in range(48):
        learns.update(2 + count / 80, 96 + count)
    assert learns.rate == pytest.approx(80, rel=0.02), "another tempo"
    heard = SampleClock(RATE)
    for period in range(200):
        heard.update(period * 0.01, period * 480)
    heard.update(3.0, 200 * 480)
    assert heard.at(3.0) == 200 * 480, "a card that stopped for a second"
    assert heard.rate == RATE
