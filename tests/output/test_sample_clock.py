"""Which sample is heard at a moment, seen through callbacks that take a period at a time."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.output.sample_clock import SampleClock

RATE = 48_000


def watched(rate: float, period: int, seconds: float, seed: int = 0, start: float = 100.0) -> SampleClock:
    """A clock that looked every 1 to 6 ms at a card of this true rate."""
    rng, clock = np.random.default_rng(seed), SampleClock(RATE)
    time = 0.0
    while time < seconds:
        time += rng.uniform(0.001, 0.006)
        clock.update(start + time, np.floor(time * rate / period) * period)
    return clock


@pytest.mark.parametrize("period", [64, 128, 1024])
def test_clock_interpolates_within_periods(period: int) -> None:
    clock = watched(RATE, period, 30)
    moments = 100 + np.linspace(29.5, 30.5, 101)
    errors = np.array([clock.at(moment) - (moment - 100) * RATE for moment in moments.tolist()]) + period / 2
    assert np.abs(errors).max() < max(24, 0.15 * period)  # samples: half a millisecond at small periods


def test_clock_follows_a_card_slightly_off_its_rate() -> None:
    clock = watched(RATE * 1.0005, 128, 60)
    assert (clock.at(161) - clock.at(160)) / RATE == pytest.approx(1.0005, abs=1e-4)


def test_clock_restarts_after_a_stop() -> None:
    clock = watched(RATE, 128, 10)
    clock.update(112.0, 10 * RATE)  # two seconds in which nothing was heard
    assert clock.at(112.0) == 10 * RATE
    assert clock.at(112.5) == pytest.approx(10.5 * RATE)


def test_clock_is_zero_before_the_first_observation() -> None:
    assert SampleClock(RATE).at(12.0) == 0
    assert SampleClock(RATE).where(12.0) is None


@pytest.mark.parametrize("seconds", [90.0, 105.5, 130.0])
def test_the_time_of_a_sample_is_the_inverse(seconds: float) -> None:
    clock = watched(RATE * 1.0005, 128, 10)
    assert clock.where(clock.at(seconds)) == pytest.approx(seconds, abs=1e-9)


def test_observations_out_of_order_are_ignored() -> None:
    clock = watched(RATE, 128, 5)
    before = clock.at(106)
    clock.update(101.0, 0)
    assert clock.at(106) == before
