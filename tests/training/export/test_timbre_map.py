"""The timbre map of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lhotse")

from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.controls.timbre_map import TimbreMap
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.training.export.timbre_map import amend_places, family_of, map_places, sound_distances, timbre_pictures

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The embedded model with a map, by the command."""
    output = tmp_path_factory.mktemp("map") / "mapped.cmaudio"
    done = CliRunner().invoke(app, ["export", str(load_model().path), "--map", "-o", str(output)])
    assert done.exit_code == 0, done.output
    return load_model(output)


def nearest(distances: np.ndarray, count: int) -> np.ndarray:
    """(N, N) -> (N, count) indices of the nearest others."""
    return np.argsort(distances + np.diag(np.full(len(distances), np.inf)), 1)[:, :count]


def apart(places: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(np.square(places[:, None] - places).sum(-1)))


def test_neighbours_on_the_map_sound_alike_and_are_kin(mapped: Model) -> None:
    timbres = mapped.manifest.timbres
    alike = nearest(sound_distances(timbre_pictures(mapped)), 15)
    near = nearest(apart(TimbreMap(timbres).places), 5)
    hits = [np.isin(a, b).mean() for a, b in zip(near, alike, strict=True)]
    assert np.mean(hits) > 0.6
    families = np.array([str(family_of(timbre)) for timbre in timbres])
    assert (families[near] == families[:, None]).mean() > 0.3


def test_only_the_places_differ(mapped: Model, model: Model) -> None:
    plain = [timbre.model_copy(update={"place": None}) for timbre in mapped.manifest.timbres]
    before = [timbre.model_copy(update={"place": None}) for timbre in model.manifest.timbres]
    assert plain == before
    assert mapped.manifest.sha256 == model.manifest.sha256
    assert mapped.card == model.card


def test_a_file_without_places_has_the_map_of_its_vectors(tiny: TinyModel) -> None:
    assert all(timbre.place is None for timbre in tiny.model.manifest.timbres)
    assert np.abs(TimbreMap(tiny.model.manifest.timbres).places).max() <= 1


def test_models_that_cannot_be_mapped_are_refused(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="has no map: it takes a prior"):
        amend_places(tiny.model, tmp_path / "mapped.cmaudio")


@pytest.mark.parametrize("count", [4, 30])
def test_points_of_a_plane_keep_their_distances(count: int) -> None:
    points = np.random.default_rng(count).standard_normal((count, 2))
    places = map_places(apart(points), ["one"] * count)
    assert np.abs(places).max() == pytest.approx(1)
    above = np.triu_indices(count, 1)
    assert np.corrcoef(apart(places)[above], apart(points)[above])[0, 1] > 0.999


def test_families_lie_together_where_their_sounds_are_mixed() -> None:
    points = np.random.default_rng(1).standard_normal((60, 8))
    families = [number % 3 for number in range(60)]
    near = nearest(apart(map_places(apart(points), families)), 5)
    kin = np.array(families)
    assert (kin[near] == kin[:, None]).mean() > 0.6


def test_equal_sounds_share_a_place() -> None:
    distances = sound_distances(np.zeros((5, 3)))
    np.testing.assert_array_equal(map_places(distances, list("aabbc")) <= 1, True)
