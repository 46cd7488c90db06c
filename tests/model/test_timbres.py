"""The timbres of a model by name, program, mix and vector; models by name and language."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import TinyModel

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, embedded_models, load_model


@pytest.mark.parametrize("name", ["en", "EN", "en-us", "English", "english"])
def test_a_voice_is_also_found_by_its_language(name: str) -> None:
    assert load_model(name).path == embedded_models()["english"]


def test_timbres_by_name_mix_and_vector(model: Model) -> None:
    violin, oboe = (np.array(model.timbres[name].vector) for name in ("violin", "oboe"))
    assert violin.shape == (32,)
    np.testing.assert_array_equal(model.timbre_vector(" Violin "), violin)
    np.testing.assert_array_equal(model.timbre_vector(None), model.timbres[model.manifest.default_timbre].vector)
    np.testing.assert_allclose(model.timbre_vector({"violin": 3, "oboe": 1}), 0.75 * violin + 0.25 * oboe)
    np.testing.assert_allclose(model.timbre_vector({"violin": 2, "oboe": -1}), 2 * violin - oboe)
    np.testing.assert_array_equal(model.timbre_vector(violin.astype(np.float32)), violin.astype(np.float32))
    model.timbre_vector("violin")[:] = 0
    np.testing.assert_array_equal(model.timbre_vector("violin"), violin)


@pytest.mark.parametrize("timbre", [40, np.int64(40), "40", {40: 1.0}], ids=repr)
def test_a_timbre_may_be_a_general_midi_program(model: Model, timbre: Any) -> None:
    np.testing.assert_array_equal(model.timbre_vector(timbre), model.timbre_vector("violin"))


def test_a_program_that_a_model_lacks_is_refused_with_the_remedy(tiny: TinyModel) -> None:
    has = sorted(tiny.model.programs)
    with pytest.raises(CmaudioError, match=rf"lacks this General MIDI program; the nearest is {has[-1]}"):
        tiny.model.timbre_vector(has[-1] + 1)
    with pytest.raises(CmaudioError, match="no General MIDI programs; name one of its timbres"):
        load_model("english").timbre_vector(0)


def test_unknown_name_error_suggests_the_nearest(model: Model) -> None:
    with pytest.raises(CmaudioError, match=r"unknown timbre 'trumpt'; the nearest are 'trumpet'.*of 175.*inspect"):
        model.timbre_vector("trumpt")
    with pytest.raises(CmaudioError, match="'oboe'"):
        model.timbre_vector({"violin": 1, "obeo": 1})


@pytest.mark.parametrize(
    "timbre",
    [
        {},
        {"violin": 1, "oboe": -1},
        {"violin": float("nan")},
        [1.0] * 31,
        [[0.0] * 32],
        [float("nan")] * 32,
        ["a"] * 32,
        True,
        5.0,
        128,
        -1,
        b"violin",
        pytest.param(object(), id="object"),
        pytest.param({"violin": "loud"}),
        pytest.param({5.5: 1.0}),
    ],
    ids=str,
)
def test_wrong_timbre(model: Model, timbre: Any) -> None:
    with pytest.raises(CmaudioError, match="timbre"):
        model.timbre_vector(timbre)
