"""The timbre space on a plane."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.controls.timbre_map import TimbreMap
from cmaudio.model.file import load_model


@pytest.fixture(scope="module")
def places() -> TimbreMap:
    return TimbreMap(load_model().manifest.timbres)


def test_every_name_has_room_within_the_plane(places: TimbreMap) -> None:
    assert np.abs(places.places).max() <= 1
    apart = np.sqrt(np.square(places.places[:, None] - places.places).sum(-1))
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 0.05


def test_each_named_timbre_is_exact_at_its_place(places: TimbreMap) -> None:
    for name, (x, y), vector in zip(places.names, places.places.tolist(), places.vectors, strict=True):
        np.testing.assert_allclose(places.vector(x, y), vector)
        assert places.mix(x, y) == {name: 1.0}


def test_between_names_the_timbre_moves_without_jumps(places: TimbreMap) -> None:
    path = np.linspace((-1, -0.7), (1, 0.9), 4001)
    vectors = np.array([places.vector(x, y) for x, y in path.tolist()])
    steps = np.sqrt(np.square(np.diff(vectors, axis=0)).sum(-1))
    spread = np.sqrt(np.square(places.vectors - places.vectors.mean(0)).sum(-1)).mean()
    assert steps.max() < 0.1 * spread


def test_a_mix_adds_up_and_gives_the_vector(places: TimbreMap) -> None:
    mix = places.mix(0.123, -0.321)
    assert sum(mix.values()) == pytest.approx(1)
    weighted = sum(weight * places.vectors[places.names.index(name)] for name, weight in mix.items())
    np.testing.assert_allclose(weighted, places.vector(0.123, -0.321))


def test_a_known_vector_lies_at_its_name(places: TimbreMap) -> None:
    for index in (0, 40, 95):
        assert places.place(places.vectors[index]) == pytest.approx(tuple(places.places[index]))


@pytest.mark.parametrize(("place", "found"), [(None, (0, 0)), ((0.25, -0.5), (0.25, -0.5))])
def test_a_single_timbre_lies_where_its_model_says_or_in_the_middle(
    place: tuple[float, float] | None, found: tuple[float, float]
) -> None:
    alone = TimbreMap([load_model().manifest.timbres[0].model_copy(update={"place": place})])
    assert alone.mix(0.5, -0.5) == {alone.names[0]: 1.0}
    np.testing.assert_array_equal(alone.places, [found])
