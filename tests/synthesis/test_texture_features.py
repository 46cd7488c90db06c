"""Features and takes of textures."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_CONTROLS, TEXTURE_KINDS, texture_features
from cmaudio.synthesis.texture_voice import take_of


def features(seconds: float, *, steady: bool, control: float = 0.5, released: float = -1.0) -> np.ndarray:
    found = texture_features(
        np.full((1, 1), seconds),
        np.full((1, 1), released),
        np.array([100.0]),
        np.full((1, 1), steady),
        np.full((1, 1, len(TEXTURE_CONTROLS)), control),
        np.zeros((1, 1, TAKE_DIMS)),
    )
    assert found.shape == (1, 1, TEXTURE_KINDS["texture-1"])
    return found[0, 0]


def test_a_steady_texture_has_no_clock() -> None:
    np.testing.assert_array_equal(features(0.02, steady=True), features(36_000, steady=True))
    assert not np.array_equal(features(0.02, steady=False), features(0.5, steady=False))
    assert features(-0.1, steady=True)[0] == 0
    assert not np.array_equal(features(5, steady=True), features(5, steady=True, released=0.1))


def test_typical_controls_are_zero() -> None:
    columns = slice(23, 23 + len(TEXTURE_CONTROLS))
    for control, expected in ((0.0, -1), (0.5, 0), (1.0, 1)):
        assert (features(1, steady=True, control=control)[columns] == expected).all()


@pytest.mark.parametrize("takes", [[], [[0.0] * TAKE_DIMS], [[2.0] * TAKE_DIMS, [-2.0] * TAKE_DIMS]])
def test_a_seed_brings_back_a_take_and_another_gives_another(takes: list[list[float]]) -> None:
    timbre = TimbreDefinition(name="knock", vector=[0.0], takes=takes)
    points = [take_of(timbre, seed) for seed in range(20)]
    np.testing.assert_array_equal(points[3], take_of(timbre, 3))
    assert len({tuple(point) for point in points}) == 20
    assert np.abs(points).max() < 5
