"""Every control of an instrument by name: what it does, who is told, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.controls.surface import Surface
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.score.ranges import GAIN_RANGE_DB


@pytest.fixture
def engine() -> Engine:
    return Engine(seed=1)


@pytest.fixture
def surface(engine: Engine) -> Surface:
    return Surface(engine, GAIN_RANGE_DB)


def test_every_control_can_be_set_to_its_ends_and_back(surface: Surface, engine: Engine) -> None:
    engine.note_on(60, timbre="flute")
    for name, control in surface.definitions.items():
        for value in (control.min, control.max, control.default):
            assert surface.set(name, value) == value == surface[name]
        engine.read(64)


@pytest.mark.parametrize("value", [float("nan"), 1e9, "loud", True])
def test_a_value_out_of_range_changes_nothing(surface: Surface, value: Any) -> None:
    with pytest.raises(CmaudioError, match="brightness must be a number from -6 to 6 "):
        surface.set("brightness", value)
    assert surface["brightness"] == 0


def test_an_unknown_control_is_said_with_those_there_are(surface: Surface) -> None:
    with pytest.raises(CmaudioError, match="no control 'cutoff'; this model has velocity, bend, "):
        surface.set("cutoff", 1)


def test_controls_reach_what_sounds(surface: Surface, engine: Engine) -> None:
    note = engine.note_on(60, timbre="flute", channel=5)
    engine.read(64)
    surface.set("vibrato", 0.5)
    surface.set("bend", -2)
    surface.set("steps", 1.7)
    engine.read(64)
    assert note.voice is not None
    assert note.voice.expression["vibrato"].target == 0.5
    assert note.voice.pitch.target == 58
    assert engine.stage.steps == 2 == surface["steps"]


def test_moving_on_the_map_morphs_what_sounds_to_the_timbre_there(surface: Surface, engine: Engine) -> None:
    note = engine.note_on(60, timbre="flute")
    engine.read(64)
    x, y = surface.timbre_map.places[surface.timbre_map.names.index("cello")].tolist()
    surface.set("timbre_x", x)
    surface.set("timbre_y", y)
    engine.read(64)
    cello = engine.model.timbre_vector("cello")
    assert note.voice is not None
    np.testing.assert_allclose(note.voice.timbre.target, cello)
    np.testing.assert_allclose(surface.vector, cello)
    assert surface.timbre == {"cello": 1.0}


def test_a_named_timbre_moves_the_point_to_its_place(surface: Surface) -> None:
    surface.set_timbre(" Oboe ")
    place = surface.timbre_map.places[surface.timbre_map.names.index("oboe")]
    assert (surface["timbre_x"], surface["timbre_y"]) == pytest.approx(tuple(place))
    assert surface.timbre == {"oboe": 1.0}


def test_an_unknown_timbre_changes_nothing(surface: Surface) -> None:
    before = surface.vector
    with pytest.raises(CmaudioError, match="unknown timbre"):
        surface.set_timbre("theremin")
    np.testing.assert_array_equal(surface.vector, before)


def test_listeners_are_told_what_and_by_whom_until_they_leave(surface: Surface) -> None:
    told: list[tuple[str, object, str]] = []
    leave = surface.subscribe(lambda *change: told.append(change))
    surface.set("gain", -6, source="osc")
    surface.set_seed(7, source="panel")
    leave()
    leave()
    surface.set("gain", 0)
    assert told == [("gain", -6.0, "osc"), ("seed", 7, "panel")]


def test_a_locked_seed_is_not_drawn_anew(surface: Surface) -> None:
    surface.set_seed(5)
    surface.lock_seed(True)
    assert surface.roll_seed() == 5
    surface.lock_seed(False)
    assert surface.roll_seed() != 5


def test_reset_brings_controls_back_and_leaves_timbre_and_seed(surface: Surface) -> None:
    surface.set_timbre("cello")
    surface.set_seed(5)
    surface.set("brightness", 3)
    surface.reset()
    assert surface["brightness"] == 0
    assert (surface.timbre, surface.seed) == ({"cello": 1.0}, 5)


def test_a_model_that_reads_has_its_manner_and_no_keys(tiny_voice: Model) -> None:
    surface = Surface(Engine(tiny_voice), GAIN_RANGE_DB)
    assert "bend_range" not in surface.definitions
    assert set(surface.manner) <= set(surface.definitions)
    assert surface.set("gain", -3) == -3
