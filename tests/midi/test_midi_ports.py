"""MIDI ports that appear and vanish, the library behind them, and the commands that use them."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fixtures.midi import KEYS, FakeSystem, Rig, control, off, on, rig, still_synth, wait_until, wheel

from cmaudio.cli import midi as midi_commands
from cmaudio.controls.binding import Binding
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.ports import MidiPorts, find_input, list_midi_inputs, list_midi_outputs
from cmaudio.midi.system import InputPort, LibremidiSystem, unique_names
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


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


def test_ports_are_opened_when_they_appear_and_closed_when_they_vanish(synth: Synth, told: list[str]) -> None:
    with rig(synth, names=(), told=told) as keys:
        assert keys.midi.ports == []
        assert "no MIDI input is connected yet" in told[0]
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
        assert [text.partition(" is ")[2][:4] for text in told[1:]] == ["conn", "gone", "back"]


def test_a_port_that_vanishes_releases_only_its_own_keys(synth: Synth) -> None:
    with rig(synth, names=(KEYS, "Other")) as keys:
        keys.send(on(60))
        keys.send(on(62, channel=1), port="Other")
        keys.system.there.pop(0)
        keys.midi._ports.look()
        keys.settle()
        assert keys.sounding() == [(1, 62)]


def test_a_single_port_and_a_virtual_port(synth: Synth) -> None:
    with rig(synth, names=("Other", KEYS), port="keys", virtual="cmaudio") as keys:
        assert keys.midi.ports == [KEYS, "cmaudio"]
        assert sorted(keys.system.receivers) == [KEYS, "cmaudio"]
        keys.send(on(60), port="cmaudio")
        assert keys.sounding() == [(0, 60)]
    assert keys.system.receivers == {}


def test_a_port_that_cannot_be_opened_is_an_error_only_if_requested(told: list[str]) -> None:
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


def test_the_ports_of_this_machine_or_the_remedy() -> None:
    pytest.importorskip("pylibremidi")
    try:
        names = list_midi_inputs()
    except CmaudioError as error:
        names = [str(error).partition("modprobe ")[2]]
    assert all(names)


def test_closing_the_synth_closes_its_midi_input(
    tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmaudio.midi.bindings.bindings_file", lambda: tmp_path / "midi.json")
    synth, system = still_synth(Engine(tiny.model, polyphony=2)), FakeSystem(KEYS)
    midi = synth.connect_midi(system=system)
    system.send(on(60))
    wait_until(lambda: midi.keys_down)
    synth.close()
    assert system.receivers == {}
    synth.engine.read(4096)
    assert not any(channel.keys for channel in synth.engine.allocator.channels)


class FakeLibrary(types.ModuleType):
    """As much of pylibremidi as is used; `source(index)` is what it has to say of a port."""

    class API:
        WINDOWS_MM, CORE, NONE = "winmm", "core", "none"

    class ObserverConfiguration: ...

    class OutputConfiguration: ...

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
        return types.SimpleNamespace(
            poll=lambda: None, get_input_ports=lambda: list(self.sources), get_output_ports=lambda: list(self.sources)
        )

    def MidiOut(self, _configuration: object, _api: str) -> Any:
        def open_port(target: Any) -> str:
            self.opened[target.display_name] = port
            return "held" if target.display_name == "Held" else ""

        def open_virtual_port(name: str) -> str:
            self.sources.append(types.SimpleNamespace(display_name=name, port=len(self.sources)))
            return ""

        def send_message(data: list[int]) -> str:
            port.sent.append(bytes(data))
            return "unplugged" if data[0] == 0xFF else ""

        port = types.SimpleNamespace(
            open_port=open_port, open_virtual_port=open_virtual_port, send_message=send_message, sent=[], closed=False
        )
        port.close_port = lambda: setattr(port, "closed", True)
        return port

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


def test_the_midi_library_is_polled_for_arrivals(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_midi_library_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    library = FakeLibrary("core", KEYS, "Held")
    monkeypatch.setitem(sys.modules, "pylibremidi", library)
    system = LibremidiSystem()
    assert list_midi_outputs(system) == [KEYS, "Held"]
    port = system.open_output(system.outputs()[0])
    port.send(bytes([0x90, 60, 1]))
    assert library.opened[KEYS].sent == [bytes([0x90, 60, 1])]
    with pytest.raises(CmaudioError, match=r"takes no messages \(unplugged\)"):
        port.send(bytes([0xFF]))
    port.close()
    assert library.opened[KEYS].closed
    with pytest.raises(CmaudioError, match="'Held' cannot be opened"):
        system.open_output(system.outputs()[1])
    mine = system.open_virtual_output("our own notes")
    assert list_midi_outputs(system)[-1] == "our own notes"
    assert list_midi_inputs(system) == [KEYS, "Held"], "its own notes are not listened to"
    system.close()
    mine.close()


def test_a_missing_library_or_midi_system_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylibremidi", FakeLibrary("none"))
    with pytest.raises(CmaudioError, match="modprobe snd-seq"):
        LibremidiSystem()
    monkeypatch.setitem(sys.modules, "pylibremidi", None)
    with pytest.raises(CmaudioError, match="pip install pylibremidi"):
        LibremidiSystem()


def test_live_continues_without_midi_unless_a_port_was_requested(
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
    assert shown["ports"] == shown["outputs"] == [KEYS]
    assert shown["trouble"] is None
    assert shown["bindings"] == [{"channel": None, "controller": "bend", "control": "gain", "min": -9.0, "max": 0.0}]
    midi_commands.midi(as_json=False)
    assert "bend on any channel -> gain -9..0" in capsys.readouterr().out


def test_a_look_that_fails_is_told_once_and_does_not_end_the_watch(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmaudio.midi.ports._LOOK_EVERY_SECONDS", 0.01)
    system, asked = FakeSystem(KEYS), list[int]()
    ports = MidiPorts(system, lambda *_: None, on_notice=told.append)

    def fail() -> list[InputPort]:
        asked.append(1)
        raise TimeoutError("the driver hangs")

    with monkeypatch.context() as patch:
        patch.setattr(system, "inputs", fail)
        wait_until(lambda: len(asked) > 2)
    system.there.append(InputPort("Other", "0"))
    wait_until(lambda: ports.names == [KEYS, "Other"])
    ports.close()
    assert len([text for text in told if "the driver hangs" in text]) == 1
