"""MIDI in: bytes from fake ports to what the engine does, with floods, damage, and ports that come and go."""

from __future__ import annotations

import json
import random
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fixtures.midi import KEYS, FakeSystem, Rig, control, off, on, parameter, rig, still_synth, wait_until, wheel
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.bench.midi_timing import TimingProbe, timing_metrics
from cmaudio.cli import midi as midi_commands
from cmaudio.controls.binding import Binding
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.flow import Inbox, Thinner
from cmaudio.midi.notices import Notices
from cmaudio.midi.ports import MidiPorts, find_input, list_midi_inputs
from cmaudio.midi.stream import Incoming, MidiStream
from cmaudio.midi.system import InputPort, LibremidiSystem, unique_names
from cmaudio.model.file import Model
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture(scope="module")
def synth(tiny: TinyModel) -> Synth:
    return still_synth(Engine(tiny.model, polyphony=4))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keys(synth: Synth, told: list[str]) -> Iterator[Rig]:
    with rig(synth, told=told) as made:
        yield made


# -- bytes to messages -------------------------------------------------------------------------------------------------


def test_running_status_real_time_bytes_and_sysex_in_between() -> None:
    stream = MidiStream()
    data = [0x90, 60, 0xF8, 100, 62, 101, 0xF0, 1, 2, 0xFE, 3, 0xF7, 0xC1, 5, 6, 0xF2, 1, 2, 0xE2, 0, 64]
    assert stream.feed(bytes(data)) == [
        (0xF8, 0, 0),
        (0x90, 60, 100),
        (0x90, 62, 101),
        (0xFE, 0, 0),
        bytes([1, 2, 3]),
        (0xC1, 5, 0),
        (0xC1, 6, 0),
        (0xF2, 1, 2),
        (0xE2, 0, 64),
    ]
    assert stream.malformed == 0


def test_damage_is_counted_and_the_next_message_is_whole() -> None:
    stream = MidiStream()
    assert stream.feed(bytes([1, 2, 0x90, 60, 0xB0, 64, 127, 0xF4, 9, 0xF7, 0xF9])) == [(0xB0, 64, 127)]
    assert stream.malformed == 2 + 1 + 1 + 1 + 1 + 1
    assert stream.feed(bytes([0x80, 60, 0])) == [(0x80, 60, 0)]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_how_bytes_are_cut_into_packets_changes_nothing(data: bytes, cuts: list[int]) -> None:
    whole, pieces = MidiStream(), MidiStream()
    found: list[Incoming] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        found += pieces.feed(data[start : max(start, end)])
    assert found == whole.feed(data)
    assert pieces.malformed == whole.malformed
    for message in found:
        assert isinstance(message, bytes) or message[0] >= 0x80
        assert all(byte < 0x80 for byte in (message if isinstance(message, bytes) else message[1:]))


# -- what messages do --------------------------------------------------------------------------------------------------


def test_keys_and_velocity_zero(keys: Rig) -> None:
    keys.send(on(60, 80), on(64, 100, channel=3))
    assert keys.sounding() == [(0, 60), (3, 64)]
    assert {n.voice.params.velocity for n in keys.synth.engine.allocator.notes.values()} == {80.0, 100.0}
    keys.send(on(60, 0), off(64, channel=3))
    assert keys.sounding() == []
    assert keys.midi.keys_down == 0


def test_pedals(keys: Rig) -> None:
    keys.send(on(60), control(66, 127), on(64), off(60), off(64))
    assert keys.sounding() == [(0, 60)]
    keys.send(control(66, 0), control(64, 64), on(65), off(65))
    assert keys.sounding() == [(0, 65)]
    keys.send(control(64, 63))
    assert keys.sounding() == []


def test_wheel_goes_as_far_as_the_bend_range_or_parameter_0_says(keys: Rig) -> None:
    keys.send(wheel(1.0, channel=2))
    assert keys.channels[2].bend == pytest.approx(keys.synth.controls["bend_range"])
    keys.send(parameter(0, 7, channel=2, fine=50))
    assert keys.channels[2].bend == pytest.approx(7.5)
    keys.send(wheel(-1.0, channel=2))
    assert keys.channels[2].bend == pytest.approx(-7.5)
    keys.send(control(99, 0, channel=2), control(98, 0, channel=2), control(6, 12, channel=2))
    assert keys.channels[2].bend == pytest.approx(-7.5)  # data of another parameter is not its
    keys.send(wheel(0.0, channel=2))
    assert keys.channels[2].bend == 0


def test_controllers_shape_the_channel(keys: Rig) -> None:
    keys.send(control(1, 127), control(74, 127), control(71, 0), [0xD0, 127])
    shaped = keys.channels[0].expression
    assert shaped == {"vibrato": 1.0, "brightness": 6.0, "resonance": -1.0, "pressure": 1.0}
    keys.send(control(7, 64), control(11, 100))
    assert float(keys.channels[0].gain.target) == pytest.approx((64 / 127) ** 2 * (100 / 127) ** 2)


def test_key_pressure_is_the_notes_own(keys: Rig) -> None:
    keys.send(on(60), on(64), [0xA0, 64, 127], [0xA0, 50, 127])
    notes = {round(n.pitch): n.expression for n in keys.synth.engine.allocator.notes.values()}
    assert notes[64] == {"pressure": 1.0}
    assert notes[60] == {}


def test_reset_all_controllers_leaves_volume_and_brightness(keys: Rig) -> None:
    keys.send(control(64, 127), wheel(1), control(1, 99), control(74, 127), control(7, 64), control(11, 3), [0xD0, 9])
    keys.send(control(121, 0))
    channel = keys.channels[0]
    assert not channel.sustain
    assert channel.bend == 0
    assert channel.expression == {"vibrato": 0.0, "brightness": 6.0, "pressure": 0.0}
    assert float(channel.gain.target) == pytest.approx((64 / 127) ** 2)


def test_all_notes_off_heeds_the_pedal_and_all_sound_off_does_not(keys: Rig) -> None:
    keys.send(control(64, 127), on(60), on(62), control(123, 0))
    assert keys.sounding() == [(0, 60), (0, 62)]
    assert keys.midi.keys_down == 0
    keys.send(control(120, 0))
    assert keys.sounding() == []


def test_program_changes_and_their_stand_ins(keys: Rig, told: list[str]) -> None:
    keys.send([0xC0, 1], on(60))
    (note,) = keys.synth.engine.allocator.notes.values()
    assert note.voice is not None
    model = keys.synth.model
    assert model.nearest_program(note.voice.timbre.target) == 1
    keys.send([0xC0, 100], [0xC0, 100])
    assert [text for text in told if "plays it" in text] == [
        "this model has no 'fx 5 (brightness)' (program 101): 'third' plays it"
    ]


def test_drums_that_the_model_lacks_are_left_out_and_told_once(keys: Rig, told: list[str]) -> None:
    keys.send(on(36, channel=9), on(38, channel=9), control(10, 0), control(10, 127))
    assert keys.sounding() == []
    assert sum("no drums" in text for text in told) == 1
    assert sum("mono" in text for text in told) == 1


def test_drums_of_the_model_play_on_channel_10(tiny: TinyModel, told: list[str]) -> None:
    manifest = tiny.model.manifest
    drum = manifest.timbres[2].model_copy(update={"program": None, "key": 36})
    changed = manifest.model_copy(update={"timbres": [*manifest.timbres[:2], drum]})
    model = Model.__new__(Model)
    model.__dict__.update({k: v for k, v in tiny.model.__dict__.items() if k not in ("drums", "programs", "_vectors")})
    model.__dict__["manifest"] = changed
    with rig(still_synth(Engine(model, polyphony=4)), told=told) as keys:
        keys.send(on(36, channel=9), on(38, channel=9))
        assert keys.sounding() == [(9, 36)]
        assert any("Snare" in text or "snare" in text for text in told)


def test_panic_and_system_reset(keys: Rig) -> None:
    for silence in (keys.midi.panic, lambda: keys.system.send([0xFF])):
        keys.send(control(64, 127), wheel(1), on(60), on(62))
        silence()
        keys.settle()
        keys.synth.engine.read(2048)  # the time to fade
        assert keys.sounding() == []
        assert keys.midi.keys_down == 0
        assert keys.channels[0].bend == 0
        keys.send(on(60), off(60))  # the pedal is not down any more
        assert keys.sounding() == []


def test_clock_is_told_with_its_time_and_of_one_port(synth: Synth) -> None:
    with rig(synth, names=(KEYS, "Other")) as keys:
        keys.send([0xFA], [0xF8], [0xFC], [0xFB], [0xF2, 3, 1])
        keys.system.send([0xF8], "Other")
        keys.settle()
        assert [(kind, value) for kind, _, value in keys.clock] == [
            ("start", 0),
            ("pulse", 0),
            ("stop", 0),
            ("continue", 0),
            ("position", 131),
        ]
        times = [seconds for _, seconds, _ in keys.clock]
        assert times == sorted(times)


def test_a_callback_that_fails_stops_nothing(keys: Rig, told: list[str]) -> None:
    def fail(_kind: str, _seconds: float, _value: int) -> None:
        raise ZeroDivisionError("oh")

    keys.midi.on_clock = fail
    keys.system.send([0xF8, *on(60)])
    wait_until(lambda: keys.midi.keys_down)
    keys.midi.on_clock = keys.on_clock
    keys.settle()
    assert keys.sounding() == [(0, 60)]
    assert any("ZeroDivisionError" in text for text in told)


def test_a_voice_plays_no_notes_and_says_so_once(tiny_voice: Model, told: list[str]) -> None:
    with rig(still_synth(Engine(tiny_voice, polyphony=2)), told=told) as keys:
        keys.send(on(60), off(60), on(62), wheel(1), control(7, 3))
        assert [text for text in told if "plays no notes" in text] == [told[-1]]
        assert float(keys.channels[0].gain.target) == pytest.approx((3 / 127) ** 2)


# -- whatever comes ----------------------------------------------------------------------------------------------------

_MESSAGES = st.one_of(
    st.binary(max_size=12),
    st.builds(on, st.integers(0, 127), st.integers(0, 127), st.integers(0, 15)).map(bytes),
    st.builds(control, st.sampled_from([1, 6, 7, 64, 66, 74, 100, 101, 120, 121, 123]), st.integers(0, 127)).map(bytes),
    st.builds(parameter, st.sampled_from([0, 6]), st.integers(0, 127), st.sampled_from([0, 4, 15])).map(bytes),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_MESSAGES, max_size=25), st.booleans())
def test_no_bytes_stop_it_and_no_note_is_stuck(tiny: TinyModel, packets: list[bytes], mpe: bool) -> None:
    told: list[str] = []
    with rig(_shared(tiny), told=told, mpe=mpe) as keys:
        for packet in packets:
            keys.system.send(packet)
        keys.settle()
        pedals = [control(number, 0, c) for c in range(16) for number in (64, 66)]
        keys.send([0xF7], *pedals, *(off(key, c) for c in range(16) for key in range(128)))
        assert keys.sounding() == []
        assert keys.midi.keys_down == 0
        assert not [text for text in told if "passed over: " in text]
        keys.send(on(60))  # it plays on; channel 1 may still be bent or silent
        keys.midi.panic()
        keys.settle()
        keys.synth.engine.read(2048)
        keys.synth.engine.read(2048)
        assert keys.sounding() == []


_synths: list[Synth] = []


def _shared(tiny: TinyModel) -> Synth:
    if not _synths:
        _synths.append(still_synth(Engine(tiny.model, polyphony=4)))
    return _synths[0]


def test_a_flood_of_controllers_and_notes(keys: Rig, told: list[str]) -> None:
    """A second's worth of ten thousand events: all notes are played and let go, controllers end where they ended."""
    draw = random.Random(1)
    struck: list[int] = []
    for i in range(10_000):
        if i % 50 == 0:
            struck.append(draw.randrange(30, 90))
            keys.system.send(on(struck[-1]))
        elif i % 50 == 25:
            keys.system.send(off(struck.pop(0)))
        else:
            keys.system.send([*wheel(i / 10_000), 0xD0, i % 128, 0xF8, *control(74, i % 128)][3 * (i % 3) :][:3])
        if i % 100 == 0:
            keys.synth.engine.read(160)  # ten milliseconds, as a player would
    keys.system.send([*control(74, 64), *wheel(0.5), 0xD0, 127])
    for key in struck:
        keys.system.send(off(key))
    keys.settle()
    assert keys.sounding() == []
    assert keys.midi.keys_down == 0
    assert not any("passed over" in text for text in told)
    if not any("were lost" in text for text in told):
        assert keys.channels[0].expression == {"brightness": 0.0, "pressure": 1.0}
        assert keys.channels[0].bend == pytest.approx(1.0, abs=1e-3)


def test_an_overflow_lets_go_of_everything_and_tells(
    keys: Rig, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.send(control(64, 127), on(50), on(51))
    handled = threading.Event()
    monkeypatch.setattr(keys.midi, "on_clock", lambda *_: handled.wait(20))
    keys.midi._inbox._limit = 5
    keys.system.send([0xF8])
    wait_until(lambda: not keys.midi._inbox._items)
    for message in (on(60), on(61), on(62), on(63), on(64), off(50), off(64)):  # the last two find no room
        keys.system.send(message)
    handled.set()
    wait_until(lambda: any("were lost" in text for text in told))
    keys.settle()
    assert "MIDI: 7 messages" in told[-1]
    assert keys.sounding() == []
    assert keys.midi.keys_down == 0
    assert not keys.channels[0].sustain


def test_what_was_lost_takes_all_that_waits_with_it() -> None:
    inbox = Inbox(limit=2)
    for i in range(4):
        inbox.put(float(i), KEYS, b"x")
    assert inbox.take(0) == ([], 4, False)
    inbox.put(5.0, KEYS, b"x")
    inbox.silence()
    inbox.put(9.0, KEYS, b"y")
    assert inbox.silenced
    assert [item.stamp for item in inbox.take(0).arrivals] == [9.0]


def test_controllers_are_thinned_to_their_last_value_and_notes_never() -> None:
    passed: list[tuple[float, Incoming]] = []
    thinner = Thinner(lambda stamp, _port, message: passed.append((stamp, message)))
    for i in range(8):
        thinner.add(i / 1000, KEYS, (0xB0, 74, i))
    thinner.add(0.0042, KEYS, (0xB1, 74, 9))
    assert passed == [(0.0, (0xB0, 74, 0)), (0.0042, (0xB1, 74, 9))]
    thinner.add(0.0043, KEYS, (0x90, 60, 1))
    thinner.add(0.0043, KEYS, (0x80, 60, 1))
    assert passed[2:] == [(0.007, (0xB0, 74, 7)), (0.0043, (0x90, 60, 1)), (0.0043, (0x80, 60, 1))]
    thinner.add(0.008, KEYS, (0xB0, 74, 50))
    assert 0.008 < thinner.due_in(0.008, 1.0) < 0.01
    thinner.flush_due(0.0169)
    assert len(passed) == 5
    thinner.flush_due(0.0171)
    assert passed[5:] == [(0.008, (0xB0, 74, 50))]
    assert thinner.due_in(0.0171, 1.0) == 1.0
    for number in (6, 38, 64, 100, 101, 123):
        thinner.add(0.013, KEYS, (0xB0, number, 1))
        thinner.add(0.013, KEYS, (0xB0, number, 1))
    assert len(passed) == 6 + 12


def test_what_moves_the_pitch_is_thinned_more() -> None:
    passed: list[Incoming] = []
    thinner = Thinner(lambda _stamp, _port, message: passed.append(message))
    for status, number in ((0xE0, 0), (0xB0, 1), (0xD0, 0)):
        thinner.add(1.0, KEYS, (status, number, 1))
        thinner.add(1.001, KEYS, (status, number, 2))
    thinner.flush_due(1.011)
    assert passed[3:] == [(0xD0, 0, 2)]
    thinner.flush_due(1.021)
    assert passed[4:] == [(0xE0, 0, 2), (0xB0, 1, 2)]


def test_a_key_never_goes_up_before_it_went_down(keys: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    places = iter([1000, 400, 400, 400])
    monkeypatch.setattr(keys.synth, "place", lambda _stamp: keys.synth.engine.now + next(places))
    lifted: list[int | None] = []
    monkeypatch.setattr(keys.synth, "lift", lambda _pitch, _channel, at: lifted.append(at))
    now = keys.synth.engine.now
    keys.system.send(on(60) + off(60))
    wait_until(lambda: lifted)
    assert lifted == [now + 1000]
    monkeypatch.undo()


def test_controllers_take_effect_together_and_notes_at_their_own_sample(
    keys: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[tuple[int, str]] = []
    now = -(-keys.synth.engine.now // 256) * 256
    places = iter([now + 260, now + 300, now + 301, now + 310, now + 520])
    monkeypatch.setattr(keys.synth, "place", lambda _stamp: next(places, now + 530))
    keys.synth.engine.allocator.listeners.subscribe(lambda at, event: happened.append((at - now, type(event).__name__)))
    keys.send(wheel(1), control(74, 9), on(60), [0xD0, 5], control(1, 8))
    keys.synth.engine.read(1024)
    assert happened == [
        (256, "PitchBend"),
        (256, "Expression"),
        (301, "NoteOn"),
        (301, "Expression"),
        (512, "Expression"),
    ]
    monkeypatch.undo()


def test_counts_are_told_now_and_then() -> None:
    told: list[str] = []
    notices = Notices(told.append, every_seconds=10)
    notices.count("things", 2)
    notices.report(0.0)
    notices.count("things", 3)
    notices.report(5.0)
    notices.count("things")
    notices.report(11.0)
    notices.report(30.0)
    assert told == ["MIDI: 2 things", "MIDI: 4 things"]


# -- ports -------------------------------------------------------------------------------------------------------------


def test_a_port_is_found_by_index_name_or_part() -> None:
    ports = [InputPort("Keystation 61"), InputPort("Keystation"), InputPort("Fader box")]
    assert find_input(2, ports) is ports[2]
    assert find_input("keystation", ports) is ports[1]
    assert find_input("FADER", ports) is ports[2]
    for wanted, said in ((7, "no MIDI input 7"), ("organ", "no MIDI input matches"), ("key", "several")):
        with pytest.raises(CmaudioError, match=said) as raised:
            find_input(wanted, ports)
        assert "2 'Fader box'" in str(raised.value)


def test_equal_names_are_numbered() -> None:
    assert unique_names(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]


def test_ports_come_and_go(synth: Synth, told: list[str]) -> None:
    with rig(synth, names=(), told=told) as keys:
        assert keys.midi.ports == []
        assert "no MIDI input is plugged in" in told[0]
        keys.system.there.append(InputPort(KEYS, "0"))
        keys.midi._ports.look()
        keys.send(control(64, 127), wheel(1), on(60), on(62), off(62))
        assert keys.sounding() == [(0, 60), (0, 62)]
        keys.system.there.clear()
        keys.midi._ports.look()
        wait_until(lambda: not keys.midi.keys_down)
        keys.system.there.append(InputPort(KEYS, "1"))
        keys.midi._ports.look()
        keys.settle()
        assert keys.sounding() == []
        assert keys.channels[0].bend == 0
        assert [text.partition(" is ")[2][:4] for text in told[1:]] == ["here", "gone", "back"]


def test_a_port_that_goes_takes_no_others_keys(synth: Synth) -> None:
    with rig(synth, names=(KEYS, "Other")) as keys:
        keys.send(on(60))
        keys.send(on(62, channel=1), port="Other")
        keys.system.there.pop(0)
        keys.midi._ports.look()
        keys.settle()
        assert keys.sounding() == [(1, 62)]


def test_one_port_only_and_a_virtual_one(synth: Synth) -> None:
    with rig(synth, names=("Other", KEYS), port="keys", virtual="cmaudio") as keys:
        assert keys.midi.ports == [KEYS, "cmaudio"]
        assert sorted(keys.system.receivers) == [KEYS, "cmaudio"]
        keys.send(on(60), port="cmaudio")
        assert keys.sounding() == [(0, 60)]
    assert keys.system.receivers == {}


def test_a_refused_port_is_an_error_if_it_was_asked_for_and_a_notice_if_not(told: list[str]) -> None:
    system = FakeSystem("Other", KEYS)
    system.refuses.add(KEYS)
    with pytest.raises(CmaudioError, match="another program"):
        MidiPorts(system, lambda *_: None, port=KEYS)
    ports = MidiPorts(system, lambda *_: None, on_notice=told.append)
    ports.look()
    assert ports.names == ["Other"]
    assert len(told) == 1
    system.refuses.clear()
    ports.look()
    assert ports.names == ["Other", KEYS]
    ports.close()
    assert system.receivers == {}


def test_this_machines_ports_or_the_remedy() -> None:
    pytest.importorskip("pylibremidi")
    try:
        names = list_midi_inputs()
    except CmaudioError as error:
        names = [str(error).partition("modprobe ")[2]]
    assert all(names)


def test_connecting_closes_with_the_synth(tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.midi.bindings.bindings_file", lambda: tmp_path / "midi.json")
    synth, system = still_synth(Engine(tiny.model, polyphony=2)), FakeSystem(KEYS)
    midi = synth.connect_midi(system=system)
    system.send(on(60))
    wait_until(lambda: midi.keys_down)
    synth.close()
    assert system.receivers == {}
    synth.engine.read(4096)
    assert not any(channel.keys for channel in synth.engine.allocator.channels)


# -- the library, the commands and the measure -------------------------------------------------------------------------


class FakeLibrary(types.ModuleType):
    """As much of pylibremidi as is used; `source(index)` is what it has to say of a port."""

    class API:
        WINDOWS_MM, CORE, NONE = "winmm", "core", "none"

    class ObserverConfiguration: ...

    class InputConfiguration:
        on_raw_data: Callable[[list[int], int], None]

    def __init__(self, api: str, *names: str) -> None:
        super().__init__("pylibremidi")
        self.api = api
        self.sources = [types.SimpleNamespace(display_name=name, port=i) for i, name in enumerate(names)]
        self.opened: dict[str, Any] = {}

    def midi1_default_api(self) -> str:
        return self.api

    def available_apis(self) -> list[str]:
        return ["winmm", "core"]

    def Observer(self, _configuration: object, _api: str) -> Any:
        return types.SimpleNamespace(poll=lambda: None, get_input_ports=lambda: list(self.sources))

    def MidiIn(self, configuration: Any, _api: str) -> Any:
        waiting: list[list[int]] = []

        def poll() -> None:
            while waiting:
                configuration.on_raw_data(waiting.pop(0), 0)

        def open_port(source: Any) -> str:
            self.opened[source.display_name] = port
            return "held" if source.display_name == "Held" else ""

        port = types.SimpleNamespace(poll=poll, open_port=open_port, close_port=lambda: waiting.clear(), say=waiting)
        return port


def test_a_library_that_keeps_arrivals_is_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeLibrary("core", KEYS, KEYS, "Held")
    monkeypatch.setitem(sys.modules, "pylibremidi", library)
    system = LibremidiSystem()
    assert [(port.name, port.key) for port in system.inputs()] == [(KEYS, "0"), (f"{KEYS} (2)", "1"), ("Held", "2")]
    got: list[bytes] = []
    opened = system.open(system.inputs()[0], got.append)
    library.opened[KEYS].say.append([0x90, 60, 1])
    wait_until(lambda: got)
    assert got == [bytes([0x90, 60, 1])]
    with pytest.raises(CmaudioError, match="'Held' cannot be opened"):
        system.open(system.inputs()[2], got.append)
    opened.close()
    system.close()
    with pytest.raises(CmaudioError, match="was closed"):
        system.inputs()
    library.api = "winmm"
    numbered = LibremidiSystem()
    assert [port.key for port in numbered.inputs()] == ["", "", ""]
    numbered.close()


def test_no_library_and_no_system_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylibremidi", FakeLibrary("none"))
    with pytest.raises(CmaudioError, match="modprobe snd-seq"):
        LibremidiSystem()
    monkeypatch.setitem(sys.modules, "pylibremidi", None)
    with pytest.raises(CmaudioError, match="pip install pylibremidi"):
        LibremidiSystem()


def test_live_goes_on_without_midi_unless_a_port_was_asked_for(
    synth: Synth, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pylibremidi", None)
    monkeypatch.setattr("cmaudio.midi.bindings.bindings_file", lambda: tmp_path / "midi.json")
    midi_commands.connect_midi(synth, None, False, None, [])
    assert "pip install" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(CmaudioError, match="pip install"):
        midi_commands.connect_midi(synth, "keys", False, None, [])
    with pytest.raises(CmaudioError, match="--learn: no control 'volume'"):
        midi_commands.connect_midi(synth, None, False, None, ["volume"])


def test_controls_are_learnt_in_turn_and_saved(
    keys: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: list[str]
) -> None:
    monkeypatch.setattr("cmaudio.midi.bindings.bindings_file", lambda: tmp_path / "midi.json")
    midi_commands.learn_in_turn(keys.midi, ["vibrato", "brightness"], told.append)
    keys.send(control(20, 0), control(20, 127), control(21, 0), control(21, 127))
    assert [(b.controller, b.control) for b in Bindings.load()] == [(20, "vibrato"), (21, "brightness")]
    assert [text for text in told if text.startswith("move")][1] == "move the controller for 'brightness'"
    keys.synth.controls.reset()


def test_the_midi_command_lists_ports_and_bindings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "midi.json"
    Bindings([Binding(controller="bend", control="gain", min=-9, max=0)]).save(file)
    monkeypatch.setattr("cmaudio.midi.bindings.bindings_file", lambda: file)
    monkeypatch.setitem(sys.modules, "pylibremidi", FakeLibrary("core", KEYS))
    midi_commands.midi(as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["ports"] == [KEYS]
    assert shown["trouble"] is None
    assert shown["bindings"] == [{"channel": None, "controller": "bend", "control": "gain", "min": -9.0, "max": 0.0}]
    midi_commands.midi(as_json=False)
    assert "bend on any channel -> gain -9..0" in capsys.readouterr().out


def test_what_a_performance_took_is_read_off_its_samples() -> None:
    watch = TimingProbe.__new__(TimingProbe)
    watch.made = [(256 * (i + 1), 0.001 * i) for i in range(1000)]
    watch.onsets = {60: [4800, 14_400], 62: [9610]}
    stamps = [(60, 0.0), (62, 0.1), (60, 0.2), (64, 0.3)]
    found = timing_metrics(watch, stamps, 48_000)
    assert found["lost"] == 1
    assert found["ring"]["max_ms"] == pytest.approx(18)  # sample 4800 is in the 19th piece
    residual = 10 / 48 * np.array([-1, 2, -1]) / 3
    assert found["jitter_ms"] == pytest.approx(float(np.std(residual)))
    with pytest.raises(RuntimeError, match="only 0 of 1"):
        timing_metrics(watch, [(70, 0.0)], 48_000)
