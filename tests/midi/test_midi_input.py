"""Messages from ports: what they do to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures.midi import KEYS, Rig, control, off, on, parameter, rig, still_synth, wait_until, wheel

from cmaudio.bench.midi_timing import TimingProbe, timing_metrics
from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


def test_note_on_with_velocity_zero_is_note_off(keys: Rig) -> None:
    keys.send(on(60, 80), on(64, 100, channel=3))
    assert keys.sounding() == [(0, 60), (3, 64)]
    assert {n.voice.params.velocity for n in keys.synth.engine.allocator.notes.values()} == {80.0, 100.0}
    keys.send(on(60, 0), off(64, channel=3))
    assert keys.sounding() == []
    assert keys.midi.keys_down == 0


def test_sustain_and_sostenuto_pedals(keys: Rig) -> None:
    keys.send(on(60), control(66, 127), on(64), off(60), off(64))
    assert keys.sounding() == [(0, 60)]
    keys.send(control(66, 0), control(64, 64), on(65), off(65))
    assert keys.sounding() == [(0, 65)]
    keys.send(control(64, 63))
    assert keys.sounding() == []


def test_bend_range_of_the_controls_or_of_parameter_0(keys: Rig) -> None:
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


def test_key_pressure_shapes_one_note(keys: Rig) -> None:
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


def test_the_pedal_holds_notes_after_all_notes_off_but_not_after_all_sound_off(keys: Rig) -> None:
    keys.send(control(64, 127), on(60), on(62), control(123, 0))
    assert keys.sounding() == [(0, 60), (0, 62)]
    assert keys.midi.keys_down == 0
    keys.send(control(120, 0))
    assert keys.sounding() == []


def test_programs_that_the_model_lacks_are_substituted(keys: Rig, told: list[str]) -> None:
    keys.send([0xC0, 1], on(60))
    (note,) = keys.synth.engine.allocator.notes.values()
    assert note.voice is not None
    model = keys.synth.model
    assert model.nearest_program(note.voice.timbre.target) == 1
    keys.send([0xC0, 100], [0xC0, 100])
    assert [text for text in told if "plays it" in text] == [
        "this model has no 'fx 5 (brightness)' (program 101): 'third' plays it"
    ]


def test_drums_that_the_model_lacks_are_left_out_with_one_notice(keys: Rig, told: list[str]) -> None:
    keys.send(on(36, channel=9), on(38, channel=9))
    assert keys.sounding() == []
    assert sum("no drums" in text for text in told) == 1


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


def test_the_clock_of_one_port_is_reported_with_its_times(synth: Synth) -> None:
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


def test_a_failing_callback_does_not_stop_the_input(keys: Rig, told: list[str]) -> None:
    def fail(_kind: str, _seconds: float, _value: int) -> None:
        raise ZeroDivisionError("oh")

    keys.midi.on_clock = fail
    keys.system.send([0xF8, *on(60)])
    wait_until(lambda: keys.midi.keys_down)
    keys.midi.on_clock = keys.on_clock
    keys.settle()
    assert keys.sounding() == [(0, 60)]
    assert any("ZeroDivisionError" in text for text in told)


def test_a_model_of_speech_plays_no_notes_and_reports_it_once(tiny_voice: Model, told: list[str]) -> None:
    with rig(still_synth(Engine(tiny_voice, polyphony=2)), told=told) as keys:
        keys.send(on(60), off(60), on(62), wheel(1), control(7, 3))
        assert [text for text in told if "without notes" in text] == [told[-1]]
        assert float(keys.channels[0].gain.target) == pytest.approx((3 / 127) ** 2)


def test_latency_and_jitter_are_measured_from_the_samples() -> None:
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
