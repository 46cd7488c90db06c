"""The same bytes, read from a file or sent through a port, give the same events."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fixtures.midi import KEYS, FakeSystem
from fixtures.midi_files import raw_file, read_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.midi.bindings import Bindings
from cmaudio.midi.input import MidiInput
from cmaudio.score.events import (
    AllNotesOff,
    ChannelGain,
    Event,
    Expression,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Sostenuto,
    Sustain,
)

TICKS_PER_BEAT = 500  # a tick is a millisecond
SAMPLES_PER_SECOND = 1024  # a multiple of the grid on which controllers take effect
# A file's channels have another volume than a live instrument's until they are told one.
VOLUMES = [bytes((0xB0 | channel, 7, 127)) for channel in range(16)]

channels = st.sampled_from([0, 1, 2, 9, 14, 15])
values = st.integers(0, 127)
keys = st.integers(58, 62)
controllers = st.sampled_from(
    [0, 1, 6, 7, 10, 11, 38, 64, 66, 71, 72, 73, 74, 75, 79, 98, 99, 100, 101, 120, 121, 122, 123, 126, 127]
)


def registered(channel: int, number: int, coarse: int, fine: int) -> list[bytes]:
    pairs = ((101, 0), (100, number), (6, coarse), (38, fine))
    return [bytes((0xB0 | channel, *pair)) for pair in pairs]


messages = st.one_of(
    st.builds(lambda c, k, v: [bytes((0x90 | c, k, v))], channels, keys, values),
    st.builds(lambda c, k: [bytes((0x80 | c, k, 0))], channels, keys),
    st.builds(lambda c, k, v: [bytes((0xA0 | c, k, v))], channels, keys, values),
    st.builds(lambda c, n, v: [bytes((0xB0 | c, n, v))], channels, controllers, values),
    st.builds(lambda c, p: [bytes((0xC0 | c, p))], channels, values),
    st.builds(lambda c, v: [bytes((0xD0 | c, v))], channels, values),
    st.builds(lambda c, low, high: [bytes((0xE0 | c, low, high))], channels, values, values),
    st.builds(registered, channels, st.sampled_from([0, 1, 2, 3, 6]), values, values),
    st.builds(lambda kind, value: [bytes((0xF0, 0x7F, 0x7F, 4, kind, 0, value, 0xF7))], st.integers(1, 4), values),
    st.builds(
        lambda c, v: [bytes((0xB0 | c, 0, v)), bytes((0xC0 | c, v & 1))], channels, st.sampled_from([0, 120, 126, 127])
    ),
)


def without_overlaps(found: list[bytes]) -> list[bytes]:
    """A key that is down is lifted instead of struck again: whose note-off follows only a file can tell."""
    down: set[tuple[int, int]] = set()
    result = []
    for data in found:
        kind, key = data[0] & 0xF0, (data[0] & 0x0F, data[1])
        if kind == 0x90 and data[2] and key in down:
            data, kind = bytes((0x80 | key[0], key[1], 0)), 0x80
        if kind == 0x90 and data[2]:
            down.add(key)
        elif kind in (0x80, 0x90):
            down.discard(key)
        result.append(data)
    return result


class Listener:
    """An instrument and its engine in one, that writes down what it is asked to play."""

    def __init__(self) -> None:
        self.engine = self
        self.model = SimpleNamespace(
            programs={program: str(program) for program in range(128)}, drums=dict.fromkeys(range(128), "drum")
        )
        self.controls = SimpleNamespace(definitions={}, values=dict)
        self.heard: list[tuple[int, Event]] = []

    def place(self, seconds: float) -> int:
        return round(seconds * SAMPLES_PER_SECOND)

    def press(self, pitch: int, velocity: int, *, timbre: str | None, channel: int, at: int) -> None:
        program = 0 if timbre in (None, "drum") else int(timbre)
        self.heard.append((at, NoteOn(channel, pitch, velocity, program)))

    def lift(self, pitch: int, channel: int, at: int) -> None:
        self.heard.append((at, NoteOff(channel, pitch)))

    def key_pressure(self, pitch: int, value: float, channel: int, at: int) -> None:
        self.heard.append((at, KeyPressure(channel, pitch, value)))

    def sustain(self, down: bool, channel: int, at: int) -> None:
        self.heard.append((at, Sustain(channel, down)))

    def sostenuto(self, down: bool, channel: int, at: int) -> None:
        self.heard.append((at, Sostenuto(channel, down)))

    def bend(self, semitones: float, channel: int, at: int, _seconds: float) -> None:
        self.heard.append((at, PitchBend(channel, semitones)))

    def channel_gain(self, gain: float, channel: int, at: int) -> None:
        self.heard.append((at, ChannelGain(channel, gain)))

    def express(self, name: str, value: float, channel: int, at: int) -> None:
        self.heard.append((at, Expression(channel, name, value)))

    def all_notes_off(self, channel: int | None, at: int) -> None:
        if channel is not None:
            self.heard.append((at, AllNotesOff(channel)))

    def wake(self) -> None: ...


def from_port(sent: list[bytes]) -> list[tuple[int, Event]]:
    """Message number and event of each; a second between messages, so that none is thinned out."""
    listener: Any = Listener()
    handled = threading.Event()
    with MidiInput(listener, system=FakeSystem(KEYS), bindings=Bindings(), on_clock=lambda *_: handled.set()) as midi:
        for number, data in enumerate([*sent, b"\xf8"]):  # all is handled when the clock's pulse arrives
            midi._inbox.put(float(number), KEYS, data)
        assert handled.wait(20)
        heard = list(listener.heard)
    return [(at // SAMPLES_PER_SECOND, event) for at, event in heard]


def from_file(folder: Path, sent: list[bytes]) -> list[tuple[int, Event]]:
    """The same; a tick between messages, and the file's end is left out."""
    track = bytearray()
    for number, data in enumerate(sent):
        written = bytes((0xF0, len(data) - 1)) + data[1:] if data[0] == 0xF0 else data
        track += bytes((number > 0,)) + written
    track += bytes((1, 0x93, 1, 1, 0, 0x83, 1, 0, 0, 0xFF, 0x2F, 0))  # a file must hold a note
    events = read_bytes(folder, raw_file(bytes(track), TICKS_PER_BEAT)).events
    numbered = [(round(seconds * 1000), event) for seconds, event in events]
    return [(number, event) for number, event in numbered if number < len(sent)]


@given(st.lists(messages, max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_and_a_port_agree(tmp_path: Path, found: list[list[bytes]]) -> None:
    sent = without_overlaps([*VOLUMES, *(data for group in found for data in group)])
    assert from_port(sent) == from_file(tmp_path, sent)
