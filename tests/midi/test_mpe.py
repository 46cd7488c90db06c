"""MPE: zones by their configuration message, notes with bend, pressure and brightness of their own, the manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fixtures.midi import Rig, control, off, on, parameter, rig, still_synth, wheel
from hypothesis import given
from hypothesis import strategies as st

from cmaudio.controls.binding import Binding
from cmaudio.engine.engine import Engine
from cmaudio.midi.bindings import Bindings
from cmaudio.score.mpe import Zones
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture(scope="module")
def synth(tiny: TinyModel) -> Synth:
    return still_synth(Engine(tiny.model, polyphony=4))


@pytest.fixture
def keys(synth: Synth) -> Iterator[Rig]:
    """In MPE from the start: a lower zone of 15."""
    with rig(synth, mpe=True) as made:
        yield made


def test_zones_take_channels_from_each_other() -> None:
    zones = Zones()
    assert zones.configure(0, 15) == list(range(16))
    assert zones.manager_of(15) == 0
    zones.configure(15, 4)
    assert (zones.lower, zones.upper) == (10, 4)
    assert [zones.manager_of(c) for c in (0, 1, 10, 11, 14, 15)] == [None, 0, 0, 15, 15, None]
    assert zones.speaks_for(15) == [15, 14, 13, 12, 11]
    assert zones.siblings(12) == [14, 13, 12, 11]
    assert zones.speaks_for(12) == [12]
    assert zones.speaks_for(4) == [4]
    assert zones.configure(15, 0) == list(range(16))
    assert (zones.lower, zones.upper) == (10, 0)
    assert zones.speaks_for(15) == [15]
    assert zones.configure(7, 3) == []


@given(st.lists(st.tuples(st.sampled_from([0, 15]), st.integers(0, 127)), max_size=8))
def test_no_channel_is_ever_in_two_zones(wanted: list[tuple[int, int]]) -> None:
    zones = Zones()
    for manager, members in wanted:
        zones.configure(manager, members)
        assert (zones.lower, zones.upper)[manager == 15] == min(members, 15)
        lower, upper = ([] if not n else zones.speaks_for(m) for m, n in ((0, zones.lower), (15, zones.upper)))
        assert not set(lower) & set(upper)
        for channel in range(16):
            assert (zones.manager_of(channel) is not None) == (channel in lower[1:] + upper[1:])


def test_notes_have_bend_pressure_and_brightness_of_their_own(keys: Rig) -> None:
    keys.send(wheel(0.25, 1), [0xD1, 127], control(74, 127, 1), on(60, channel=1))
    keys.send(wheel(-1, 2), [0xD2, 0], control(74, 64, 2), on(60, channel=2))
    assert keys.channels[1].bend == pytest.approx(12, abs=0.01)
    assert keys.channels[2].bend == pytest.approx(-48)
    assert keys.channels[1].expression == {"pressure": 1.0, "brightness": 6.0}
    assert not any(keys.channels[2].expression.values())
    assert keys.sounding() == [(1, 60), (2, 60)]
    keys.send(off(60, channel=1))
    assert keys.sounding() == [(2, 60)]


def test_the_manager_adds_to_all_of_its_zone(keys: Rig) -> None:
    keys.send(wheel(1 / 48, 3), wheel(1.0, 0), control(74, 127, 0), control(7, 64, 0), control(11, 64, 3))
    manager_range = keys.synth.controls["bend_range"]
    assert keys.channels[3].bend == pytest.approx(1 + manager_range, abs=0.01)
    assert keys.channels[15].bend == pytest.approx(manager_range)
    assert keys.channels[3].expression["brightness"] == 6.0
    assert float(keys.channels[15].gain.target) == pytest.approx((64 / 127) ** 2)
    assert float(keys.channels[3].gain.target) == pytest.approx((64 / 127) ** 4)
    keys.send(on(60, channel=3), on(64, channel=9), control(64, 127, 0), off(60, channel=3), off(64, channel=9))
    assert keys.sounding() == [(3, 60), (9, 64)]  # channel 10 too: no drums in a zone
    keys.send(control(64, 0, 0))
    assert keys.sounding() == []
    keys.send(on(60, channel=3), on(64, channel=9), control(120, 0, 0))
    assert keys.sounding() == []


def test_the_managers_program_is_the_zones(keys: Rig) -> None:
    keys.send([0xC0, 2], on(60, channel=5))
    (note,) = keys.synth.engine.allocator.notes.values()
    assert note.voice is not None
    assert keys.synth.model.nearest_program(note.voice.timbre.target) == 2


def test_the_bend_range_of_one_member_is_that_of_all(keys: Rig) -> None:
    keys.send(wheel(1.0, 2), parameter(0, 12, channel=1))
    assert keys.channels[2].bend == pytest.approx(12)
    keys.send(parameter(0, 1, channel=0), wheel(1.0, 0))
    assert keys.channels[2].bend == pytest.approx(13)


def test_a_configuration_message_makes_a_zone_and_what_it_held_ends(synth: Synth) -> None:
    with rig(synth) as keys:
        keys.send(on(60, channel=2), wheel(1.0, 2), control(74, 127, 2), on(62, channel=7))
        keys.send(parameter(6, 4))
        assert keys.sounding() == [(7, 62)]
        assert keys.channels[2].bend == 0
        assert keys.channels[2].expression["brightness"] == 0
        keys.send(wheel(1.0, 4), wheel(1.0, 5))
        assert keys.channels[4].bend == pytest.approx(48)
        assert keys.channels[5].bend == pytest.approx(keys.synth.controls["bend_range"])
        keys.send(parameter(6, 3, channel=15), wheel(-0.5, 13))
        assert keys.channels[13].bend == pytest.approx(-24, abs=0.01)
        keys.send(parameter(6, 0), wheel(1.0, 4))
        assert keys.channels[4].bend == pytest.approx(keys.synth.controls["bend_range"])


def test_bindings_take_nothing_from_a_notes_own_channel(synth: Synth) -> None:
    bound = Bindings([Binding(controller=74, control="resonance", min=-1, max=1)])
    with rig(synth, mpe=True, bindings=bound) as keys:
        keys.midi.learn("vibrato")
        keys.send(control(74, 127, 1), [0xD1, 127])
        assert keys.channels[1].expression["brightness"] == 6.0
        assert keys.midi.bindings.learning == "vibrato"
        keys.send(control(74, 127, 0))
        assert keys.synth.controls["resonance"] == 1.0
        keys.synth.controls.reset()
