"""Floods of MIDI: bounded queues, thinned controllers, overflow, and where events are placed."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest
from fixtures.midi import KEYS, Rig, control, off, on, parameter, rig, still_synth, wait_until, wheel
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.engine.engine import Engine
from cmaudio.midi.flow import Inbox, Thinner
from cmaudio.midi.notices import Notices
from cmaudio.midi.stream import Incoming
from cmaudio.synth import Synth

if TYPE_CHECKING:
    from conftest import TinyModel


_MESSAGES = st.one_of(
    st.binary(max_size=12),
    st.builds(on, st.integers(0, 127), st.integers(0, 127), st.integers(0, 15)).map(bytes),
    st.builds(control, st.sampled_from([1, 6, 7, 64, 66, 74, 100, 101, 120, 121, 123]), st.integers(0, 127)).map(bytes),
    st.builds(parameter, st.sampled_from([0, 6]), st.integers(0, 127), st.sampled_from([0, 4, 15])).map(bytes),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_MESSAGES, max_size=25), st.booleans())
def test_any_bytes_leave_the_input_running_and_no_note_stuck(tiny: TinyModel, packets: list[bytes], mpe: bool) -> None:
    told: list[str] = []
    with rig(_shared(tiny), told=told, mpe=mpe) as keys:
        for packet in packets:
            keys.system.send(packet)
        keys.settle()
        pedals = [control(number, 0, c) for c in range(16) for number in (64, 66)]
        keys.send([0xF7], *pedals, *(off(key, c) for c in range(16) for key in range(128)))
        assert keys.sounding() == []
        assert keys.midi.keys_down == 0
        assert not [text for text in told if "ignored: " in text]
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
    assert not any("ignored" in text for text in told)
    if not any("were lost" in text for text in told):
        assert keys.channels[0].expression == {"brightness": 0.0, "pressure": 1.0}
        assert keys.channels[0].bend == pytest.approx(1.0, abs=1e-3)


def test_an_overflow_releases_all_notes_and_is_reported(
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


def test_an_overflow_drops_everything_that_waits() -> None:
    inbox = Inbox(limit=2)
    for i in range(4):
        inbox.put(float(i), KEYS, b"x")
    assert inbox.take(0) == ([], 4, False)
    inbox.put(5.0, KEYS, b"x")
    inbox.silence()
    inbox.put(9.0, KEYS, b"y")
    assert inbox.silenced
    assert [item.stamp for item in inbox.take(0).arrivals] == [9.0]


def test_controllers_are_thinned_to_their_last_value_and_notes_are_not() -> None:
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


def test_pitch_controllers_are_thinned_more() -> None:
    passed: list[Incoming] = []
    thinner = Thinner(lambda _stamp, _port, message: passed.append(message))
    for status, number in ((0xE0, 0), (0xB0, 1), (0xD0, 0)):
        thinner.add(1.0, KEYS, (status, number, 1))
        thinner.add(1.001, KEYS, (status, number, 2))
    thinner.flush_due(1.011)
    assert passed[3:] == [(0xD0, 0, 2)]
    thinner.flush_due(1.021)
    assert passed[4:] == [(0xE0, 0, 2), (0xB0, 1, 2)]


def test_a_note_off_is_never_placed_before_its_note_on(keys: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    places = iter([1000, 400, 400, 400])
    monkeypatch.setattr(keys.synth, "place", lambda _stamp: keys.synth.engine.now + next(places))
    lifted: list[int | None] = []
    monkeypatch.setattr(keys.synth, "lift", lambda _pitch, _channel, at: lifted.append(at))
    now = keys.synth.engine.now
    keys.system.send(on(60) + off(60))
    wait_until(lambda: lifted)
    assert lifted == [now + 1000]
    monkeypatch.undo()


def test_controllers_are_placed_on_a_grid_and_notes_at_their_sample(keys: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_counts_are_reported_at_a_limited_rate() -> None:
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
