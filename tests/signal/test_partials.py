"""Excitations with partials of their own, against sums of cosines."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cmaudio.signal.dsp import PULSE_SCALE, pulse_train
from cmaudio.signal.partials import lower_pulses, partial_sum, stretched_ratios

RATE, SAMPLES = 48_000, 2048
STEADY = np.full(SAMPLES, 220.0)
VIBRATO = 220 * (1 + 0.02 * np.sin(np.arange(SAMPLES) / 300))
LATE = np.concatenate([STEADY[:1100], VIBRATO[1100:]])
BELL = np.array([0.5, 1.0, 2.756, 5.404, 8.933])


def cosines(cycles: NDArray[np.float64], ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cos(2 * np.pi * np.outer(ratios, cycles)).sum(0) * PULSE_SCALE


@pytest.mark.parametrize("f0", [STEADY, VIBRATO, LATE], ids=["steady", "vibrato", "late"])
@pytest.mark.parametrize("start", [0.0, 12_345.678])
@pytest.mark.parametrize("samples", [1, 63, 64, 700, SAMPLES])
def test_partials_are_cosines_at_their_ratios(f0: NDArray[np.float64], start: float, samples: int) -> None:
    cycles = np.cumsum(f0[:samples] / RATE) + start
    found = partial_sum(cycles, f0[:samples], BELL, RATE)
    np.testing.assert_allclose(found, cosines(cycles, BELL), atol=2e-3 * PULSE_SCALE)


@pytest.mark.parametrize(
    ("f0", "ratios", "heard"),
    [
        (1000.0, [1.0, 23.0, 24.0], [1.0, 23.0]),  # above 0.49 of the sample rate
        (30_000.0, [1.0], []),
        (8.0, [1.0, 2.0], []),  # unpitched
        (0.0, [1.0], []),
    ],
)
def test_inaudible_partials_are_left_out(f0: float, ratios: list[float], heard: list[float]) -> None:
    cycles = np.cumsum(np.full(SAMPLES, f0 / RATE))
    found = partial_sum(cycles, np.full(SAMPLES, f0), np.array(ratios), RATE)
    np.testing.assert_allclose(found, cosines(cycles, np.array(heard)), atol=1e-4 * PULSE_SCALE)


def test_pieces_of_any_length_join_without_a_step() -> None:
    cycles = np.cumsum(VIBRATO / RATE)
    whole = partial_sum(cycles, VIBRATO, BELL, RATE)
    parts = [partial_sum(cycles[a:b], VIBRATO[a:b], BELL, RATE) for a, b in ((0, 5), (5, 900), (900, SAMPLES))]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-3 * PULSE_SCALE)


@pytest.mark.parametrize("divisor", [2, 4])
def test_a_lower_base_is_the_pulse_train_of_that_pitch(divisor: int) -> None:
    cycles = np.cumsum(VIBRATO / RATE)
    expected, _ = pulse_train(VIBRATO / divisor, np.zeros(()), RATE)
    np.testing.assert_allclose(lower_pulses(cycles, VIBRATO, divisor, RATE), expected, atol=2e-5)


@pytest.mark.parametrize(("b", "tenth"), [(0.0, 10.0), (1e-4, 10.0493), (1e-3, 10.4828)])
def test_stiff_strings_stretch_from_the_first_partial_on(b: float, tenth: float) -> None:
    ratios = stretched_ratios(b, 10)
    assert ratios[0] == 1
    assert ratios[9] == pytest.approx(tenth, abs=1e-3)
