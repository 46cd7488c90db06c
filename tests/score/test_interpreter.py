"""The interpreter of MIDI: what messages mean, one row a case; the rest is in the tests of files and of ports."""

from __future__ import annotations

import pytest

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
from cmaudio.score.interpreter import MidiInterpreter
from cmaudio.score.messages import Message

DOWN = -8192


def on(key: int, channel: int = 0) -> Message:
    return (0x90 | channel, key, 80)


def off(key: int, channel: int = 0) -> Message:
    return (0x80 | channel, key, 0)


def control(number: int, value: int, channel: int = 0) -> Message:
    return (0xB0 | channel, number, value)


def program(number: int, channel: int = 0) -> Message:
    return (0xC0 | channel, number, 0)


def wheel(steps: int, channel: int = 0) -> Message:
    return (0xE0 | channel, steps + 8192 & 0x7F, steps + 8192 >> 7)


def parameter(number: int, coarse: int, channel: int = 0) -> list[Message]:
    """A registered parameter's coarse value."""
    return [control(101, 0, channel), control(100, number, channel), control(6, coarse, channel)]


def sysex(text: str) -> bytes:
    return bytes.fromhex(text)


def interpret(*messages: Message | bytes, problems: list[str] | None = None) -> list[Event]:
    interpreter = MidiInterpreter(on_problem=(problems if problems is not None else []).append)
    found: list[Event] = []
    for message in messages:
        found += interpreter.exclusive(message) if isinstance(message, bytes) else interpreter.message(message)
    return found


@pytest.mark.parametrize(
    ("steps", "semitones"),
    [(8191, 2.0), (8190, 2 * 8190 / 8192), (4096, 1.0), (1, 1 / 4096), (-4096, -1.0), (DOWN, -2.0)],
)
def test_the_wheel_reaches_both_ends(steps: int, semitones: float) -> None:
    assert interpret(wheel(steps)) == [PitchBend(0, semitones)]


CASES: dict[str, tuple[list[Message | bytes], list[Event]]] = {
    "sostenuto goes down and up at 64": (
        [control(66, 63), control(66, 64), control(66, 127), control(66, 0)],
        [Sostenuto(0, True), Sostenuto(0, False)],
    ),
    "key pressure is for keys that are down": (
        [on(60), (0xA0, 60, 127), (0xA0, 61, 127), (0xA1, 60, 127)],
        [NoteOn(0, 60, 80, 0), KeyPressure(0, 60, 1.0)],
    ),
    "a reset ends key pressure": (
        [on(60), (0xA0, 60, 127), control(121, 0)],
        [NoteOn(0, 60, 80, 0), KeyPressure(0, 60, 1.0), KeyPressure(0, 60, 0.0)],
    ),
    "a reset leaves brightness and resonance": (
        [control(74, 127), control(1, 127), control(121, 0)],
        [Expression(0, "brightness", 6.0), Expression(0, "vibrato", 1.0), Expression(0, "vibrato", 0.0)],
    ),
    "controllers of the envelope rest in the middle, go both ways and survive a reset": (
        [*(control(number, 64) for number in (72, 73, 75, 79)), control(72, 0), control(73, 127), control(121, 0)],
        [Expression(0, "release", -4.0), Expression(0, "attack", 4.0)],
    ),
    "sustain goes further down than up": (
        [control(79, 127), control(79, 0), control(75, 95)],
        [Expression(0, "sustain", 12.0), Expression(0, "sustain", -48.0), Expression(0, "decay", 4 * 31 / 63)],
    ),
    "a value again is no event": (
        [control(7, 64), control(7, 64), wheel(DOWN), wheel(DOWN), (0xD0, 0, 0)],
        [ChannelGain(0, (64 / 127) ** 2), PitchBend(0, -2.0)],
    ),
    "all sound off lifts the pedals, which may go down again": (
        [control(64, 127), on(60), control(120, 0), control(64, 127)],
        [Sustain(0, True), NoteOn(0, 60, 80, 0), NoteOff(0, 60), Sustain(0, False), AllNotesOff(0), Sustain(0, True)],
    ),
    "coarse tuning, in semitones from 64": (
        [*parameter(2, 60), wheel(DOWN)],
        [PitchBend(0, -4.0), PitchBend(0, -6.0)],
    ),
    "fine tuning, a semitone from 64": (
        [*parameter(1, 32), control(38, 64)],
        [PitchBend(0, -0.5), PitchBend(0, -0.5 + 64 / 8192)],
    ),
    "tuning stays when controllers are reset": ([*parameter(2, 65), control(121, 0)], [PitchBend(0, 1.0)]),
    "percussion is not tuned": ([*parameter(2, 60, channel=9), *parameter(1, 0, channel=9)], []),
    "bends and tunings end at 48 semitones": (
        [*parameter(0, 48), *parameter(2, 127), wheel(8191)],
        [PitchBend(0, 48.0)],
    ),
    "bank 127 makes a channel percussion at the next program": (
        [control(0, 127, 3), on(36, 3), off(36, 3), program(0, 3), on(36, 3), off(36, 3)],
        [NoteOn(3, 36, 80, 0), NoteOff(3, 36), NoteOn(9, 36, 80, 0), NoteOff(9, 36)],
    ),
    "bank 120 too, and bank 0 ends it": (
        [control(0, 120, 3), program(0, 3), on(36, 3), control(0, 0, 3), program(5, 3), off(36, 3), on(60, 3)],
        [NoteOn(9, 36, 80, 0), NoteOff(9, 36), NoteOn(3, 60, 80, 5)],
    ),
    "two percussion channels share a key": (
        [control(0, 120, 3), program(0, 3), on(36, 9), on(36, 3), off(36, 9), off(36, 3)],
        [NoteOn(9, 36, 80, 0), NoteOff(9, 36), NoteOn(9, 36, 80, 0), NoteOff(9, 36)],
    ),
    "after a GS reset bank 127 is melodic": (
        [sysex("41104212 40007f0041"), control(0, 127, 3), program(4, 3), on(36, 3)],
        [NoteOn(3, 36, 80, 4)],
    ),
    "a GS rhythm part": ([sysex("41104212 40141501 16"), on(36, 3)], [NoteOn(9, 36, 80, 0)]),
    "a GS rhythm part with a wrong checksum": ([sysex("41104212 40141501 17"), on(36, 3)], [NoteOn(3, 36, 80, 0)]),
    "GS counts channel 10 first": ([sysex("41104212 401a1501 10"), on(36, 10)], [NoteOn(9, 36, 80, 0)]),
    "a program does not undo a rhythm part, and a reset does": (
        [sysex("41104212 40141501 16"), program(8, 3), on(36, 3), off(36, 3), sysex("7e7f0901"), on(36, 3)],
        [NoteOn(9, 36, 80, 0), NoteOff(9, 36), NoteOn(3, 36, 80, 8)],
    ),
    "an XG drum part, and its end": (
        [sysex("43104c 080307 02"), program(0, 3), on(36, 3), off(36, 3), sysex("43104c 080307 00"), on(36, 3)],
        [NoteOn(9, 36, 80, 0), NoteOff(9, 36), NoteOn(3, 36, 80, 0)],
    ),
    "after XG system on bank 127 is percussion again": (
        [sysex("41104212 40007f0041"), sysex("43104c 00007e 00"), control(0, 127, 3), program(4, 3), on(36, 3)],
        [NoteOn(9, 36, 80, 0)],
    ),
    "GS master tuning": (
        [sysex("41104212 400000 0005040a 2d")],
        [PitchBend(channel, 0.33) for channel in range(16) if channel != 9],
    ),
    "GS key shift": (
        [sysex("41104212 400005 43 78")],
        [PitchBend(channel, 3.0) for channel in range(16) if channel != 9],
    ),
    "XG master tuning": (
        [sysex("43104c 000000 00030901")],
        [PitchBend(channel, -0.111) for channel in range(16) if channel != 9],
    ),
    "XG transposition, and a reset": (
        [sysex("43104c 000006 3e"), *parameter(2, 66, channel=9), sysex("7e7f0903")],
        [
            *(PitchBend(channel, -2.0) for channel in range(16) if channel != 9),
            *(PitchBend(channel, 0.0) for channel in range(16) if channel != 9),
        ],
    ),
    "XG messages for no part": ([sysex("43104c 081107 02"), sysex("43104c 000000 0010"), sysex("43104c 00")], []),
    "master coarse tuning": (
        [sysex("7f7f0404 0042")],
        [PitchBend(channel, 2.0) for channel in range(16) if channel != 9],
    ),
    "master fine tuning adds to the coarse one": (
        [sysex("7f7f0404 0040"), sysex("7f7f0403 0060"), control(121, 0)],
        [PitchBend(channel, 0.5) for channel in range(16) if channel != 9],
    ),
    "a key of XG's first kit of sound effects, on any channel": (
        [control(0, 126, 3), program(0, 3), on(69, 3), off(69, 3)],
        [NoteOn(3, 36, 80, 127), NoteOff(3, 36)],
    ),
    "of the second": ([control(0, 126), program(1), on(42), off(42)], [NoteOn(0, 60, 80, 124), NoteOff(0, 60)]),
    "a sound effect that is held while the program changes": (
        [control(0, 126), program(1), on(42), control(0, 0), program(5), on(42), off(42)],
        [NoteOn(0, 60, 80, 124), NoteOn(0, 42, 80, 5), NoteOff(0, 42)],
    ),
    "sound effects have no tuning": ([control(0, 126), program(0), *parameter(2, 66)], []),
    "a key pressed on a sound effect": (
        [control(0, 126), program(0), on(86), (0xA0, 86, 127)],
        [NoteOn(0, 62, 80, 123), KeyPressure(0, 62, 1.0)],
    ),
    "other kits of the bank are drums": ([control(0, 126), program(35), on(38)], [NoteOn(9, 38, 80, 0)]),
    "a reset ends the kit": (
        [control(0, 126), program(0), sysex("7e7f0901"), program(0), on(69)],
        [NoteOn(0, 69, 80, 0)],
    ),
    "other exclusive messages": ([sysex("7e7f0901"), sysex("7f7f0401 007f"), sysex("00"), b""], []),
}


@pytest.mark.parametrize(("messages", "expected"), CASES.values(), ids=CASES)
def test_messages_give_their_events(messages: list[Message | bytes], expected: list[Event]) -> None:
    assert interpret(*messages) == expected


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([on(60), on(60)], ["struck again"]),
        ([off(60)], ["stray"]),
        (parameter(0, 60), ["range"]),
        (parameter(5, 1), ["parameter"]),
        (parameter(127, 1), ["parameter"]),
        ([control(99, 1), control(98, 8), control(6, 64)], []),
        ([sysex("7e7f0808 03 7f 7f 404142434440404040404040")], ["tuning"]),
        ([sysex("7f7f0802 00 01 3c 3c 00 00")], ["tuning"]),
        ([sysex("41104212 401140 404142434440404040404040 65")], ["tuning"]),
        ([sysex("43104c 080041 50")], ["tuning"]),
        ([control(0, 126), program(0)], []),
        ([control(0, 126), program(0), on(84), off(84)], ["effects"]),
        ([control(0, 126), program(0), on(84), program(5), off(84)], ["effects"]),
        ([control(0, 126), program(1), on(35), on(127)], ["effects", "effects"]),
        ([control(0, 126, 9), program(1, 9), on(36, 9)], ["effects on drums"]),
        ([sysex("41104212 401015 00 1b")], ["melody on drums"]),
        ([sysex("41104212 401015 01 1a"), sysex("41104212 401115 00 1a")], []),
        ([sysex("43104c 080907 00")], ["melody on drums"]),
        ([control(0, 121, 9), program(40, 9)], ["melody on drums"]),
        ([control(0, 121, 3), program(40, 3), control(0, 120, 9), program(0, 9)], []),
        ([sysex("41104212 40007f 00 41"), control(0, 126), program(0), on(84)], []),
    ],
)
def test_problems_are_reported(messages: list[Message | bytes], expected: list[str]) -> None:
    problems: list[str] = []
    interpret(*messages, problems=problems)
    assert problems == expected


def test_an_mpe_zone_works_without_a_port() -> None:
    bends = interpret(*parameter(6, 2), wheel(DOWN, 1), wheel(4096, 0))
    assert [event for event in bends if isinstance(event, PitchBend)] == [
        PitchBend(1, -48.0),
        PitchBend(0, 1.0),
        PitchBend(1, -47.0),
        PitchBend(2, 1.0),
    ]


def test_all_that_is_held_is_released_at_the_end() -> None:
    interpreter = MidiInterpreter()
    for message in (on(60), control(64, 127), on(40, 5), control(66, 127, 5)):
        interpreter.message(message)
    assert interpreter.release_all() == [NoteOff(0, 60), Sustain(0, False), NoteOff(5, 40), Sostenuto(5, False)]
    assert interpreter.release_all() == []


def test_a_silenced_instrument_keeps_its_tuning_and_starts_from_rest() -> None:
    interpreter = MidiInterpreter()
    for message in (*parameter(2, 65, 3), on(60), control(64, 127), wheel(DOWN)):
        interpreter.message(message)
    assert interpreter.silenced() == [PitchBend(3, 1.0)]
    assert interpreter.message(control(64, 127)) == [Sustain(0, True)]
    assert interpreter.message(off(60)) == []
