"""Pads: on which keys of the percussion channel the sounds of a model without pitches lie."""

from __future__ import annotations

import pytest

from cmaudio.model.file import load_model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.pads import pad_keys, texture_family


def timbre(name: str, *, pitched: bool = False, sustained: bool = False, key: int | None = None) -> TimbreDefinition:
    return TimbreDefinition(name=name, vector=[0.0], pitched=pitched, sustained=sustained, key=key)


@pytest.mark.parametrize(
    ("timbres", "expected"),
    [
        ([timbre("snare", key=38), timbre("flute", pitched=True)], {38: "snare"}),
        ([timbre("flute", pitched=True), timbre("wind")], {}),
        ([timbre("alone")], {}),
        ([timbre("rain", sustained=True), timbre("thud"), timbre("crash")], {36: "crash", 37: "thud", 38: "rain"}),
        ([timbre("snare", key=38), timbre("thud")], {38: "snare"}),
    ],
)
def test_each_sound_without_a_pitch_has_a_key(timbres: list[TimbreDefinition], expected: dict[int, str]) -> None:
    assert pad_keys(timbres) == expected


def test_there_are_no_more_pads_than_keys() -> None:
    keys = pad_keys([timbre(f"sound {number:03d}") for number in range(200)])
    assert (min(keys), max(keys), len(keys)) == (36, 127, 92)


@pytest.mark.parametrize(
    ("name", "sustained", "family"),
    [("rain", True, "beds"), ("hammering", True, "rhythms"), ("thunder", False, "one-shots")],
)
def test_families_of_textures(name: str, sustained: bool, family: str) -> None:
    assert texture_family(timbre(name, sustained=sustained)) == family


def test_all_embedded_textures_have_pads_and_three_families() -> None:
    model = load_model("textures")
    assert sorted(model.drums.values()) == sorted(each.name for each in model.manifest.timbres)
    families = [texture_family(each) for each in model.manifest.timbres]
    assert {name: families.count(name) > 8 for name in families} == {"beds": True, "rhythms": True, "one-shots": True}


def test_pads_follow_a_timbre_that_is_added_in_memory() -> None:
    model = load_model("textures")
    before, vector = model.drum_keys, model.manifest.timbres[0].vector
    model.add_timbre(TimbreDefinition(name="a first one-shot", vector=vector, pitched=False))
    assert model.drum_keys["a first one-shot"] == min(before.values())
    assert {key: name for name, key in model.drum_keys.items()} == model.drums
