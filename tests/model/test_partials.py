"""Where a timbre's partials lie, as a model file says it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.partials import PartialSets, StretchedPartials

STRINGS = {"kind": "stretched", "strings": [{"key": 40, "b": 1e-4}, {"key": 60, "b": 4e-4}]}
BELL = {"kind": "sets", "sets": [{"key": 60, "ratios": [1.0, 2.7]}, {"key": 72, "ratios": [1.0, 2.6]}]}


def timbre(partials: Any) -> TimbreDefinition:
    return TimbreDefinition.model_validate({"name": "bell", "vector": [0.0], "partials": partials})


@pytest.mark.parametrize("partials", [None, STRINGS, BELL, {"kind": "lower_base", "divisor": 2}])
def test_partials_survive_json(partials: Any) -> None:
    before = timbre(partials)
    assert TimbreDefinition.model_validate_json(before.model_dump_json()) == before


@pytest.mark.parametrize(
    "partials",
    [
        {"kind": "bell"},
        {"kind": "lower_base", "divisor": 3},
        {"kind": "lower_base", "divisor": 2, "octaves": 1},
        {"kind": "stretched", "strings": []},
        {"kind": "stretched", "strings": [{"key": 60, "b": 0.0}]},
        {"kind": "stretched", "strings": [{"key": 60, "b": float("nan")}]},
        {"kind": "stretched", "strings": [{"key": 60, "b": 1e-4}, {"key": 60, "b": 2e-4}]},
        {"kind": "sets", "sets": [{"key": 128, "ratios": [1.0]}]},
        {"kind": "sets", "sets": [{"key": 60, "ratios": []}]},
        {"kind": "sets", "sets": [{"key": 60, "ratios": [0.0]}]},
        {"kind": "sets", "sets": [{"key": 60, "ratios": [float("inf")]}]},
        {"kind": "sets", "sets": [{"key": 60, "ratios": [1.0] * 41}]},
        {"kind": "sets", "sets": [{"key": 72, "ratios": [1.0]}, {"key": 60, "ratios": [1.0]}]},
        [1.0, 2.7],
    ],
)
def test_partials_outside_their_ranges_are_refused(partials: Any) -> None:
    with pytest.raises(ValidationError):
        timbre(partials)


@pytest.mark.parametrize(("key", "b"), [(20, 1e-4), (40, 1e-4), (50, 2e-4), (60, 4e-4), (99, 4e-4)])
def test_stiffness_is_interpolated_between_keys(key: float, b: float) -> None:
    assert StretchedPartials.model_validate(STRINGS).b(key) == pytest.approx(b)


@pytest.mark.parametrize(("key", "nearest"), [(0, 60), (66, 60), (66.5, 72), (127, 72)])
def test_a_key_takes_the_nearest_set(key: float, nearest: int) -> None:
    assert PartialSets.model_validate(BELL).nearest(key).key == nearest


def test_files_without_partials_are_harmonic(model: Model) -> None:
    fields = model.manifest.model_dump(mode="json", exclude={"picture", "timbres"})
    timbres = [t.model_dump(mode="json", exclude={"partials"}) for t in model.manifest.timbres]
    old = type(model.manifest).model_validate({**fields, "timbres": timbres})
    assert old.picture == "harmonic"
    assert all(timbre.partials is None for timbre in old.timbres)
