"""Offsets of the power are found where a model differs from a corpus, and not where the corpus says nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from cmaudio.model.correction import AGES_S, VELOCITIES
from cmaudio.model.file import Model
from cmaudio.training.export.key_grid import KeyGrid
from cmaudio.training.export.power_offsets import CENTRES_S, by_age_and_band, phase_powers, power_offsets
from cmaudio.training.export.spectrum_parts import PARTS, from_parts, parts_of

NOISE = np.full(PARTS, 1e-9)
GRID = KeyGrid(48, 12)
PLACES = np.array(list(product(range(48, 60), VELOCITIES)))  # one note of each key at each velocity
POWER = np.tile(10.0 ** -np.linspace(0, 3, PARTS), (len(CENTRES_S), 1))
HIGHS = np.where(np.arange(PARTS) > 12, 6.0, 0.0)
Off = Callable[[float, float], Any]


def found_of(off: Off, power: np.ndarray = POWER) -> np.ndarray:
    """(K, V, A, P) offsets for notes that are softer than recorded by so many dB."""
    made = [power * 10 ** (-np.asarray(off(*place)) / 10) for place in PLACES]
    return power_offsets(GRID, PLACES, [power] * len(PLACES), made, NOISE)


@pytest.mark.parametrize(
    "off",
    [
        lambda key, velocity: 0.0,
        lambda key, velocity: 5.0,
        lambda key, velocity: 3.0 * (-1) ** key,
        lambda key, velocity: 20 * np.log10(velocity / 90),
        lambda key, velocity: HIGHS,
        lambda key, velocity: np.array([[9.0], [0.0], [-3.0]]),
    ],
    ids=["none", "level", "every other key", "velocity", "highs", "attack"],
)
def test_what_a_model_lacks_is_found(off: Off) -> None:
    found = found_of(off)
    expected = [np.broadcast_to(off(*place), POWER.shape) for place in PLACES]
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=1.0)


def test_phases_that_no_note_has_change_nothing() -> None:
    found = found_of(lambda key, velocity: 5.0, np.where(np.arange(len(CENTRES_S))[:, None] > 1, np.nan, POWER))
    np.testing.assert_allclose(found[:, :, :2], 5, atol=0.3)
    np.testing.assert_allclose(found[:, :, 2], 0, atol=1e-9)


def test_what_cannot_be_heard_is_left_alone() -> None:
    quiet = POWER.copy()
    quiet[:, -1] = 1e-12
    made = [quiet * np.where(np.arange(PARTS) == PARTS - 1, 100, 1)] * len(PLACES)
    found = power_offsets(GRID, PLACES, [quiet] * len(PLACES), made, NOISE)
    np.testing.assert_allclose(found[..., -1], 0, atol=0.1)


def test_phases_that_a_note_has_not_are_left_out(model: Model) -> None:
    rate = model.manifest.sample_rate
    tone = np.sin(2 * np.pi * 440 / rate * np.arange(rate // 2)).astype(np.float32)
    powers = phase_powers(tone, model)
    assert powers.shape == (len(CENTRES_S), PARTS)
    assert np.isnan(powers[2]).all()
    assert np.isfinite(powers[:2]).all()
    assert (powers[1].argmax(), phase_powers(0.1 * tone, model)[1].argmax()) == (powers[1].argmax(),) * 2
    assert powers[1].max() / phase_powers(0.1 * tone, model)[1].max() == pytest.approx(100, rel=1e-3)


@pytest.mark.parametrize("bands", [8, 40, 64, 128])
def test_parts_cover_the_bands_and_their_values_are_interpolated(bands: int) -> None:
    parts = parts_of(bands)
    assert sum(part.stop - part.start for part in parts) == bands
    np.testing.assert_allclose(from_parts(bands).sum(0), 1)


def test_offsets_of_phases_become_a_table_by_age() -> None:
    offsets = np.array([[2.0], [6.0], [-3.0]]) + np.arange(6.0).reshape(2, 3, 1, 1) + np.zeros(PARTS)
    found = by_age_and_band(offsets, 128)
    assert found.shape == (2, len(VELOCITIES), len(AGES_S), 128)
    ages = [0, AGES_S.index(0.03), AGES_S.index(0.25), -1]
    assert found[1, 2, ages, 5] - 5 == pytest.approx([2, 2, 6, -3])
