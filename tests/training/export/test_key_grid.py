"""A grid of keys and velocities gives the values of its notes again, and smooths what they leave open."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

from cmaudio.model.correction import VELOCITIES
from cmaudio.training.export.key_grid import KeyGrid, KeyPull, regressed

GRID = KeyGrid(50, 8)
EVERY = list(product(range(50, 58), VELOCITIES))


def values_of(
    truth: Callable[[float, float], float],
    notes: list[tuple[int, float]],
    pull: tuple[float, float, float],
    weight: float = 1,
) -> np.ndarray:
    """(K, V) values of the grid for notes (key, velocity)."""
    shares = GRID.shares(*zip(*notes, strict=True))
    values = np.array([[truth(*note)] for note in notes])
    return regressed(shares, values, np.full_like(values, weight), GRID.pull(KeyPull(*pull))).reshape(GRID.shape)


@pytest.mark.parametrize(
    "truth",
    [lambda key, velocity: 4.0, lambda key, velocity: 5.0 * (-1) ** key, lambda key, velocity: np.log(velocity)],
    ids=["level", "every other key", "velocity"],
)
def test_a_note_at_every_point_gives_its_values(truth: Callable[[float, float], float]) -> None:
    found = values_of(truth, EVERY, (1e-4, 1e-4, 1e-4))
    np.testing.assert_allclose(
        found, [[truth(key, velocity) for velocity in VELOCITIES] for key in range(50, 58)], atol=0.05
    )


def test_a_note_between_points_is_shared_by_its_neighbours() -> None:
    between = float(np.sqrt(VELOCITIES[0] * VELOCITIES[1]))
    shares = GRID.shares([50.25], [between]).reshape(GRID.shape)
    np.testing.assert_allclose(shares[:2, :2], np.outer([0.75, 0.25], [0.5, 0.5]), atol=1e-9)
    assert shares.sum() == pytest.approx(1)


def test_neighbours_decide_where_there_is_no_note() -> None:
    notes = [(key, velocity) for key, velocity in EVERY if key not in (53, 54)]
    found = values_of(lambda key, velocity: 3.0 * (key - 50), notes, (0.01, 0.01, 1e-6))
    np.testing.assert_allclose(found[3:5, 1], [9, 12], atol=0.3)


def test_a_strong_prior_keeps_few_notes_small() -> None:
    found = values_of(lambda key, velocity: 8.0, EVERY[:1], (1.0, 1.0, 1.0))
    assert 0 < found[0, 0] < 4


def test_notes_of_no_weight_say_nothing() -> None:
    np.testing.assert_allclose(values_of(lambda key, velocity: 30.0, EVERY, (0.1, 0.1, 0.1), weight=0), 0)
