"""Every control of an instrument by name: its effect, its listeners, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.controls.controls import Controls
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model


@pytest.fixture
def engine() -> Engine:
    return Engine(seed=1)


@pytest.fixture
def controls(engine: Engine) -> Controls:
    return Controls(engine)


@pytest.mark.parametrize("name", ["pan", "reverb", "reverb_decay"])
def test_controls_of_two_channels_are_named_on_one(name: str) -> None:
    controls = Controls(Engine(seed=1, channels=1))
    with pytest.raises(CmaudioError, match=f"'{name}' needs stereo and this instrument is mono"):
        controls.set(name, 0.5)


def test_every_control_can_be_set_to_its_ends_and_back(controls: Controls, engine: Engine) -> None:
    engine.note_on(60, timbre="flute")
    for name, control in controls.definitions.items():
        for value in (control.min, control.max, control.default):
            assert controls.set(name, value) == value == controls[name]
        engine.read(64)


@pytest.mark.parametrize("value", [float("nan"), 1e9, "loud", True])
def test_a_value_out_of_range_changes_nothing(controls: Controls, value: Any) -> None:
    with pytest.raises(CmaudioError, match="brightness must be a number from -6 to 6 "):
        controls.set("brightness", value)
    assert controls["brightness"] == 0


def test_unknown_control_error_lists_the_controls(controls: Controls) -> None:
    with pytest.raises(CmaudioError, match="no control 'cutoff'; this model has velocity, bend, "):
        controls.set("cutoff", 1)


def test_controls_act_on_sounding_notes(controls: Controls, engine: Engine) -> None:
    note = engine.note_on(60, timbre="flute", channel=5)
    engine.read(64)
    controls.set("vibrato", 0.5)
    controls.set("bend", -2)
    controls.set("steps", 1.7)
    engine.read(64)
    assert note.voice is not None
    assert note.voice.expression["vibrato"].target == 0.5
    assert note.voice.pitch.target == 58
    assert engine.allocator.steps == 2 == controls["steps"]


def test_timbre_map_position_morphs_sounding_notes(controls: Controls, engine: Engine) -> None:
    note = engine.note_on(60, timbre="flute")
    engine.read(64)
    x, y = controls.timbre_map.places[controls.timbre_map.names.index("cello")].tolist()
    controls.set("timbre_x", x)
    controls.set("timbre_y", y)
    engine.read(64)
    cello = engine.model.timbre_vector("cello")
    assert note.voice is not None
    np.testing.assert_allclose(note.voice.timbre.target, cello)
    np.testing.assert_allclose(controls.vector, cello)
    assert controls.timbre == {"cello": 1.0}


def test_a_named_timbre_moves_the_point_to_its_place(controls: Controls) -> None:
    controls.set_timbre(" Oboe ")
    place = controls.timbre_map.places[controls.timbre_map.names.index("oboe")]
    assert (controls["timbre_x"], controls["timbre_y"]) == pytest.approx(tuple(place))
    assert controls.timbre == {"oboe": 1.0}


def test_an_unknown_timbre_changes_nothing(controls: Controls) -> None:
    before = controls.vector
    with pytest.raises(CmaudioError, match="unknown timbre"):
        controls.set_timbre("theremin")
    np.testing.assert_array_equal(controls.vector, before)


def test_listeners_get_name_value_and_source_until_unsubscribed(controls: Controls) -> None:
    told: list[tuple[str, object, str]] = []
    leave = controls.subscribe(lambda *change: told.append(change))
    controls.set("gain", -6, source="osc")
    controls.set_seed(7, source="panel")
    leave()
    leave()
    controls.set("gain", 0)
    assert told == [("gain", -6.0, "osc"), ("seed", 7, "panel")]


def test_locked_seed_is_not_rolled(controls: Controls) -> None:
    controls.set_seed(5)
    controls.lock_seed(True)
    assert controls.roll_seed() == 5
    controls.lock_seed(False)
    assert controls.roll_seed() != 5


def test_reset_restores_defaults_except_timbre_and_seed(controls: Controls) -> None:
    controls.set_timbre("cello")
    controls.set_seed(5)
    controls.set("brightness", 3)
    controls.reset()
    assert controls["brightness"] == 0
    assert (controls.timbre, controls.seed) == ({"cello": 1.0}, 5)


def test_voice_model_has_style_controls_and_no_keyboard_controls(tiny_voice: Model) -> None:
    controls = Controls(Engine(tiny_voice))
    assert "bend_range" not in controls.definitions
    assert set(controls.style) <= set(controls.definitions)
    assert controls.set("gain", -3) == -3
