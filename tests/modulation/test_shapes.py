"""Oscillators and the envelope, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.modulation.phase import Phase
from cmaudio.modulation.settings import SHAPES, ModulationEnvelope
from cmaudio.modulation.shapes import envelope, oscillation


@pytest.mark.parametrize("shape", SHAPES)
def test_an_oscillator_stays_within_its_range_and_reaches_far(shape: str) -> None:
    values = oscillation(shape, np.linspace(0, 200, 20_001))
    assert np.abs(values).max() <= 1
    assert values.min() < -0.9
    assert values.max() > 0.9
    assert abs(values.mean()) < 0.1


@pytest.mark.parametrize(
    ("shape", "values"),
    [
        ("sine", [0, 1, 0, -1]),
        ("triangle", [0, 1, 0, -1]),
        ("rise", [-1, -0.5, 0, 0.5]),
        ("fall", [1, 0.5, 0, -0.5]),
        ("square", [1, 1, -1, -1]),
    ],
)
def test_quarters_of_a_cycle(shape: str, values: list[float]) -> None:
    quarters = np.array([0, 0.25, 0.5, 0.75], np.float64)
    np.testing.assert_allclose(oscillation(shape, quarters), values, atol=1e-9)
    np.testing.assert_allclose(oscillation(shape, quarters - 3), values, atol=1e-9)


def test_chance_is_the_same_in_every_run_and_another_for_each_oscillator() -> None:
    cycles = np.arange(64, dtype=np.float64) + 0.5
    steps = oscillation("steps", cycles, 0)
    np.testing.assert_array_equal(steps, oscillation("steps", cycles[::-1], 0)[::-1])
    assert abs(np.corrcoef(steps, oscillation("steps", cycles, 1))[0, 1]) < 0.4
    drift = oscillation("drift", np.linspace(0, 64, 6401), 0)
    assert np.abs(np.diff(drift)).max() < 0.05
    np.testing.assert_allclose(drift[:-1:100], oscillation("steps", np.arange(64.0), 0), atol=1e-9)


@pytest.mark.parametrize(
    ("seconds", "value"), [(0, 0), (0.1, 0.5), (0.2, 1), (0.4, 0.75), (0.6, 0.5), (0.9, 0.5), (1.25, 0.25), (2, 0)]
)
def test_the_envelope_passes_its_corners(seconds: float, value: float) -> None:
    shape = ModulationEnvelope(attack=0.2, decay=0.4, sustain=0.5, release=0.5)
    assert envelope(shape, np.array([seconds]), 1.0)[0] == pytest.approx(value)


def test_a_key_that_goes_up_during_the_attack_falls_from_there() -> None:
    shape = ModulationEnvelope(attack=1.0, release=1.0)
    np.testing.assert_allclose(envelope(shape, np.array([0.5, 1.0, 1.5]), 0.5), [0.5, 0.25, 0])


def test_a_phase_goes_on_where_its_rate_changes_and_drops_later_plans() -> None:
    phase = Phase(100, 1.0)
    phase.set_rate(5.0, 400)
    phase.set_rate(2.0, 200)
    np.testing.assert_allclose(phase.at(np.array([0.0, 100, 200, 300, 500])), [0, 1, 2, 4, 8])
    phase.jump(0.0, 300)
    np.testing.assert_allclose(phase.at(np.array([250.0, 300, 350])), [3, 0, 1])
