"""Learned timbres in a model file: what is inconsistent is refused, and their axes are their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import TinyModel
from pydantic import ValidationError

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.model.timbres import TimbreSpace, fitted, full_vectors

SPECTRUM: dict[str, Any] = {
    "key": 60,
    "ages_s": [0.1, 0.2],
    "offsets_db": [[1.0, 2.0], [3.0, 4.0]],
    "spread_db": [0, 0],
}


@pytest.mark.parametrize(
    "change",
    [
        {"ages_s": []},
        {"ages_s": [0.2, 0.1]},
        {"ages_s": [0.1, 0.2, 0.3]},
        {"ages_s": [0.0, 0.1]},
        {"offsets_db": [[1.0], [3.0, 4.0]]},
        {"offsets_db": [[1.0, 2.0], [3.0, 1e9]]},
        {"offsets_db": [[1.0, 2.0], [3.0, float("nan")]]},
        {"spread_db": [0]},
        {"spread_db": [0, 100]},
        {"key": 200},
    ],
    ids=str,
)
def test_inconsistent_spectra_are_refused(change: dict[str, Any]) -> None:
    LearnedSpectrum.model_validate(SPECTRUM)
    with pytest.raises(ValidationError):
        LearnedSpectrum.model_validate(SPECTRUM | change)


@pytest.mark.parametrize("keys", [(), (60, 60), (62, 60), (60, None)])
def test_keys_of_several_spectra_rise(keys: tuple[int | None, ...]) -> None:
    with pytest.raises(ValidationError):
        Learned.model_validate({"spectra": [SPECTRUM | {"key": key} for key in keys]})


def learned(model: Model, bands: int) -> TimbreDefinition:
    spectrum = LearnedSpectrum(ages_s=[1.0], offsets_db=[[1.0] * bands], spread_db=[0.0] * bands)
    first = model.manifest.timbres[0]
    return TimbreDefinition(name="mine", vector=first.vector, learned=Learned(spectra=[spectrum]))


def test_only_models_with_a_prior_and_the_same_bands_take_one(model: Model, tiny: TinyModel) -> None:
    for other, bands in ((model, 5), (tiny.model, 16)):
        with pytest.raises(CmaudioError, match="learned"):
            with_timbre(other.manifest, learned(other, bands))


def test_a_learned_timbre_has_an_axis_of_its_own(model: Model) -> None:
    manifest = with_timbre(model.manifest, learned(model, model.manifest.mel.bands))
    space = TimbreSpace(manifest)
    dims = manifest.timbre_dims
    assert full_vectors(manifest.timbres).shape == (len(manifest.timbres), dims + 1)
    assert space.vector("mine")[dims] == 1
    assert space.vector({"violin": 1, "flute": 1})[dims] == 0
    assert space.vector({"violin": 1, "mine": 3})[dims] == 0.75
    assert space.nearest(space.vector("mine")).name == "mine"
    assert space.nearest(space.vector(manifest.timbres[0].name)).name == manifest.timbres[0].name
    earlier = np.array(manifest.timbres[3].vector)  # from before it was learned
    assert space.vector(earlier)[dims] == 0
    with pytest.raises(CmaudioError, match="finite numbers"):
        space.vector(np.zeros(dims + 2))


def test_vectors_are_fitted() -> None:
    assert fitted(np.ones(2), 3).tolist() == [1, 1, 0]
    assert fitted(np.ones((2, 4)), 3).shape == (2, 3)
