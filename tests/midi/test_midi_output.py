"""What the instrument plays, sent to fake ports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT
from fixtures.midi import KEYS, FakeSystem, off, on, wait_until
from fixtures.midi_out import SYNTH, FakeOutput, FakeOutputs, PromptPlayer
from fixtures.waiting import wait_for

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.midi.bindings import Bindings
from cmaudio.midi.encoder import Encoder
from cmaudio.midi.system import OutputPort
from cmaudio.output.player import Player
from cmaudio.score.events import AllNotesOff, Event, Expression, NoteOff, NoteOn, PitchBend, Sustain
from cmaudio.synth import Synth

CLOCK, START, CONTINUE, STOP, POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2


@pytest.fixture
def synth(tiny: TinyModel) -> Iterator[Synth]:
    engine = Engine(tiny.model, polyphony=8)
    found = Synth(engine, Recorder(engine, 1.0), cast("Player", PromptPlayer(engine)))
    yield found
    found.close()


@pytest.fixture
def outputs() -> FakeOutputs:
    return FakeOutputs("Other", SYNTH)


def play_on(synth: Synth, samples: int) -> None:
    """Read the engine no faster than its clock schedules."""

    def scheduled() -> bool:
        clock = synth._clock
        return clock is None or not (clock.running and clock._parts) or clock.scheduled_to > synth.engine.now + 1024

    until = synth.engine.now + samples
    while synth.engine.now < until:
        wait_for(scheduled)
        synth.recorder.read(256)


def test_keys_and_patterns_are_sent_with_their_channel_and_program(synth: Synth, outputs: FakeOutputs) -> None:
    synth.midi_out("hard", clock=False, system=outputs)
    synth.press(60, 90, timbre="second", channel=2)
    play_on(synth, 512)
    synth.lift(60, 2)
    synth.play([64, 67], beat=1 / 4, gate=0.5, quantise=0)
    play_on(synth, BEAT)
    expected = [(True, 2, 60), (False, 2, 60), (True, 0, 64), (False, 0, 64), (True, 0, 67), (False, 0, 67)]
    wait_until(lambda: len(outputs.notes()) == len(expected))
    assert outputs.notes() == expected
    assert bytes([0xC2, 1]) in outputs.messages
    times = [seconds for seconds, _ in outputs.sent]
    assert times == sorted(times)


def test_what_comes_from_midi_is_sent_only_with_thru(synth: Synth, outputs: FakeOutputs) -> None:
    through = FakeOutputs(SYNTH)
    synth.midi_out(SYNTH, clock=False, system=outputs)
    synth.midi_out(SYNTH, clock=False, thru=True, system=through)
    keys = FakeSystem(KEYS)
    midi = synth.connect_midi(bindings=Bindings(), system=keys)
    keys.send(on(50))
    wait_until(lambda: midi.keys_down)
    synth.press(52)
    play_on(synth, 512)
    keys.send(off(50))
    wait_until(lambda: not midi.keys_down)
    synth.lift(52)
    play_on(synth, 512)
    wait_until(lambda: len(through.notes()) == 4 and len(outputs.notes()) == 2)
    assert outputs.notes() == [(True, 0, 52), (False, 0, 52)]
    assert sorted(key for _, _, key in through.notes()) == [50, 50, 52, 52]


def test_the_clock_is_sent_through_start_stop_jump_and_continue(synth: Synth, outputs: FakeOutputs) -> None:
    synth.clock.stop()
    output = synth.midi_out(SYNTH, system=outputs)
    synth.clock.start()
    play_on(synth, 2 * BEAT)
    wait_until(lambda: outputs.clock().count(CLOCK) >= 40)
    assert outputs.clock()[:2] == bytes([START, CLOCK])
    synth.clock.stop()
    wait_until(lambda: outputs.clock()[-1] == STOP)
    pulses = outputs.clock().count(CLOCK)
    synth.clock.locate(5.5)
    synth.clock.resume()
    play_on(synth, BEAT)
    wait_until(lambda: outputs.clock().count(CLOCK) >= pulses + 20)
    again = outputs.clock()[outputs.clock().index(STOP) + 1 :]
    assert again[:3] == bytes([POSITION, CONTINUE, CLOCK])
    assert bytes([POSITION, 22, 0]) in outputs.messages
    synth.panic()
    play_on(synth, BEAT // 2)
    assert synth.clock.has(cast("Any", output)._pulses), "the clock goes on"
    output.close()
    assert outputs.clock()[-1] == STOP
    assert outputs.open == []


@pytest.mark.parametrize("how", ["unplugged", "broken"])
def test_a_port_that_vanishes_is_told_once_and_used_again_when_it_is_back(
    synth: Synth, outputs: FakeOutputs, how: str
) -> None:
    output = synth.midi_out(SYNTH, clock=False, system=outputs)
    synth.press(60)
    play_on(synth, 512)
    wait_until(outputs.notes)
    before = outputs.there.copy()
    if how == "unplugged":
        outputs.there.pop()
        output._port.look()
    else:
        outputs.broken = True
    for key in (61, 62):
        synth.press(key)
        play_on(synth, 512)
        output._port.look() if how == "unplugged" else wait_until(lambda: not output.there or not outputs.broken)
    assert synth.engine.sounding == 3, "the sound goes on"
    outputs.broken, outputs.there = False, before
    output._port.look()
    assert output.there
    sent = len(outputs.sent)
    synth.press(63, timbre="second")
    play_on(synth, 512)
    wait_until(lambda: outputs.notes()[-1] == (True, 0, 63))
    fresh = outputs.messages[sent:]
    assert bytes([0xC0, 1]) in fresh, "a receiver that was off knows no program"
    assert len(output.notices) == 2, output.notices
    assert "the sound goes on" in output.notices[0]
    assert output.notices[1] == f"MIDI port {SYNTH!r} is back"


def test_a_virtual_port_is_created_and_releases_its_notes_when_closed(synth: Synth, outputs: FakeOutputs) -> None:
    with synth.midi_out(virtual="mine", clock=False, system=outputs) as output:
        assert output.port == "mine"
        synth.press(60)
        play_on(synth, 512)
        wait_until(outputs.notes)
    assert outputs.notes() == [(True, 0, 60), (False, 0, 60)]
    assert outputs.open == []


def test_an_unknown_port_is_named_with_those_available(synth: Synth, outputs: FakeOutputs) -> None:
    for wanted, said in (("organ", "no MIDI output matches 'organ'"), (7, "no MIDI output 7")):
        with pytest.raises(CmaudioError, match=said) as raised:
            synth.midi_out(wanted, system=outputs)
        assert f"1 {SYNTH!r}" in str(raised.value)
    with pytest.raises(CmaudioError, match="offset_ms"):
        synth.midi_out(SYNTH, offset_ms=5000, system=outputs)


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        ([NoteOn(0, 60, 90, 5), NoteOn(0, 60, 90, 5), NoteOff(0, 60), NoteOff(0, 60)], [0xC0, 0x90, 0x90, 0x80]),
        ([NoteOff(3, 60)], []),
        ([NoteOn(9, 35, 90, 0), NoteOff(9, 35)], [0x99, 0x89]),
        ([NoteOn(1, 60, 90, 128 + 35)], [0x91]),
        ([PitchBend(0, 2.0), Sustain(0, True), Expression(0, "pressure", 0.5)], [0xE0, 0xB0, 0xD0]),
        ([NoteOn(0, 60, 90, 5), AllNotesOff(0), NoteOff(0, 60)], [0xC0, 0x90, 0xB0]),
    ],
    ids=["the last end counts", "no end without a beginning", "drums", "own drums", "controllers", "all off"],
)
def test_events_become_messages(events: list[Event], statuses: list[int]) -> None:
    encoder = Encoder()
    found = [data for event in events for data in encoder.messages(event)]
    bend_range = [data for data in found if data[0] & 0xF0 == 0xB0 and data[1] in (100, 101, 6, 38)]
    assert len(bend_range) == (6 if events != [NoteOff(3, 60)] else 0)
    assert [data[0] for data in found if data not in bend_range] == statuses


def test_a_message_that_cannot_be_sent_is_told_once_and_later_ones_are_sent(
    synth: Synth, outputs: FakeOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = synth.midi_out("hard", clock=False, system=outputs)
    port, sent = outputs.open[-1], list[bytes]()

    def send(data: bytes) -> None:
        if len(sent) < 2:
            sent.append(data)
            raise OverflowError("no such byte")
        FakeOutput.send(port, data)

    monkeypatch.setattr(port, "send", send)
    for pitch in (60, 64, 67, 71):
        synth.press(pitch, 90)
    play_on(synth, 512)
    wait_until(lambda: (True, 0, 71) in outputs.notes())
    assert len([text for text in output.notices if "no such byte" in text]) == 1


def test_a_look_at_the_ports_that_fails_is_told_and_does_not_end_the_watch(
    synth: Synth, outputs: FakeOutputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cmaudio.midi.reconnecting_port._LOOK_EVERY_SECONDS", 0.01)
    asked = list[int]()

    def fail() -> list[OutputPort]:
        asked.append(1)
        raise TimeoutError("the driver hangs")

    output = synth.midi_out("hard", clock=False, system=outputs)
    monkeypatch.setattr(outputs, "outputs", fail)
    wait_until(lambda: len(asked) > 2)
    assert len([text for text in output.notices if "the driver hangs" in text]) == 1
