"""What commands do to the instrument: one of each kind, refusals, clients that leave, slots, presets, MIDI learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.browser import wait_for
from fixtures.midi import KEYS, FakeSystem
from fixtures.panel import AUDIBLE, Pages, keys_down, peak

import cmaudio.midi.bindings
from cmaudio.midi.bindings import Bindings
from cmaudio.synth import Synth


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where presets are saved."""
    monkeypatch.setattr("cmaudio.instrument.preset_files.presets_folder", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "commands",
    [
        [{"kind": "press", "pitch": 60, "velocity": 90}, {"kind": "lift", "pitch": 60}],
        [{"kind": "sustain", "down": True}, {"kind": "sustain", "down": False}],
        [{"kind": "set", "name": "vibrato", "value": 0.5}, {"kind": "reset"}],
        [{"kind": "place", "x": 0.5, "y": -0.5}],
        [{"kind": "timbre", "name": "second"}],
        [{"kind": "seed", "seed": 2**63 - 1}, {"kind": "lock", "locked": True}, {"kind": "lock", "locked": False}],
        [{"kind": "roll"}, {"kind": "seed", "seed": None}],
        [{"kind": "store", "slot": "A"}, {"kind": "recall", "slot": "A"}],
        [{"kind": "record"}, {"kind": "stop"}],
        [{"kind": "vary", "what": "seeds", "count": 64, "seconds": 30.0}, {"kind": "cancel"}],
        [{"kind": "device", "name": None}, {"kind": "devices"}],
        [{"kind": "hush"}, {"kind": "panic"}],
    ],
    ids=lambda commands: " ".join(command["kind"] for command in commands),
)
def test_valid_commands_are_carried_out(pages: Pages, commands: list[dict[str, Any]]) -> None:
    for command in commands:
        pages.send(**command)
    pages.handler.close()
    assert pages.quiet


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"kind": "press", "pitch": 128, "velocity": 90}, "pitch"),
        ({"kind": "set", "name": "gain", "value": 1000}, "gain"),
        ({"kind": "set", "name": "loudness", "value": 1}, "no control 'loudness'"),
        ({"kind": "timbre", "name": "kazoo"}, "kazoo"),
        ({"kind": "preset", "name": "no such preset"}, "unknown preset"),
        ({"kind": "preset", "name": "/etc/passwd"}, "unknown preset"),
        ({"kind": "recall", "slot": "B"}, "slot B is empty"),
        ({"kind": "device", "name": "no such card"}, ""),
        ({"kind": "say", "text": "notes cannot talk"}, ""),
        ({"kind": "stop"}, "nothing is being recorded"),
    ],
    ids=json.dumps,
)
def test_a_refused_command_changes_nothing_and_the_sound_goes_on(
    pages: Pages, synth: Synth, command: dict[str, Any], reason: str
) -> None:
    pages.send("press", pitch=64, velocity=100)
    wait_for(lambda: peak(synth) > AUDIBLE)
    before = synth.controls.values(), synth.controls.timbre, synth.controls.seed
    pages.send(**command)
    message = pages.next()
    assert (message["kind"], message["client"]) == ("refused", "me")
    assert reason in message["text"]
    assert (synth.controls.values(), synth.controls.timbre, synth.controls.seed) == before
    heard = synth.recorder.made_samples
    wait_for(lambda: synth.recorder.made_samples > heard + synth.recorder.sample_rate // 2)
    assert peak(synth) > AUDIBLE


def test_a_client_that_disconnects_releases_what_it_alone_holds(pages: Pages, synth: Synth) -> None:
    channel = synth.engine.allocator.channels[0]
    pages.send("press", "one", pitch=60, velocity=90)
    pages.send("press", "one", pitch=64, velocity=90)
    pages.send("press", "other", pitch=64, velocity=90)
    pages.send("set", "one", name="bend", value=1.5, held=True)
    pages.send("set", "one", name="vibrato", value=0.5)
    pages.send("sustain", "one", down=True)
    wait_for(lambda: keys_down(synth) == {60, 64} and channel.sustain)
    pages.handler.disconnect("one")
    wait_for(lambda: keys_down(synth) == {64} and not channel.sustain)
    assert synth.controls["bend"] == 0
    assert synth.controls["vibrato"] == 0.5
    pages.handler.disconnect_all()
    wait_for(lambda: keys_down(synth) == set())
    assert pages.quiet


def test_a_slot_recalls_controls_timbre_and_seed(pages: Pages, synth: Synth) -> None:
    pages.send("place", x=0.25, y=-0.5)
    pages.send("set", name="brightness", value=3.0)
    pages.send("seed", seed=7)
    stored = synth.controls.values(), synth.controls.timbre, 7
    pages.send("store", slot="A")
    pages.send("timbre", name="third")
    pages.send("reset")
    pages.send("seed", seed=None)
    pages.send("store", slot="B")
    assert synth.controls["brightness"] == 0
    pages.send("recall", slot="A")
    assert (synth.controls.values(), synth.controls.timbre, synth.controls.seed) == stored
    pages.send("recall", slot="B")
    assert synth.controls.timbre == {"third": 1.0}
    assert synth.controls.seed is None
    assert pages.quiet


def test_a_saved_preset_is_listed_and_can_be_applied(pages: Pages, synth: Synth, own_folder: Path) -> None:
    pages.send("place", x=0.1, y=0.2)
    pages.send("save_preset", name="Between")
    assert str(own_folder) in pages.notice()
    assert [preset["name"] for preset in pages.handler.presets.listed] == ["Between"]
    mix = synth.controls.timbre
    pages.send("timbre", name="second")
    pages.send("preset", name="Between")
    assert synth.controls.timbre == pytest.approx(mix)
    pages.send("save_preset", name="no/slashes")
    assert "name" in pages.refusal()


def test_a_preset_is_applied_by_its_name_and_never_by_its_path(pages: Pages, synth: Synth, own_folder: Path) -> None:
    pages.send("save_preset", name="Here")
    pages.notice()
    elsewhere = (own_folder / "here.json").rename(own_folder.parent / "elsewhere.json")
    for name in (str(elsewhere), "../elsewhere.json", "../elsewhere"):
        pages.send("preset", name=name)
        assert "unknown preset" in pages.refusal()


def test_a_control_learns_the_next_midi_controller_that_moves(
    pages: Pages, synth: Synth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cmaudio.midi.bindings, "bindings_file", lambda: tmp_path / "midi.json")
    pages.send("learn", name="vibrato")
    assert "no MIDI input is open" in pages.refusal()
    system = FakeSystem(KEYS)
    with synth.connect_midi(system=system, bindings=Bindings()) as midi:
        pages.send("learn", name="cutoff")
        assert "no control 'cutoff'" in pages.refusal()
        pages.send("learn", name="vibrato")
        assert pages.notice() == "move the MIDI controller for vibrato"
        for value in (10, 60, 90):
            system.send([0xB0, 20, value])
        assert pages.notice().startswith("controller 20 on channel 1 -> vibrato")
        wait_for(lambda: synth.controls["vibrato"] > 0.5)
        assert [binding.control for binding in midi.bindings] == ["vibrato"]
        assert [binding.control for binding in Bindings.load()] == ["vibrato"]
