"""Raw MIDI bytes to messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cmaudio.midi.stream import Incoming, MidiStream


def test_running_status_with_real_time_bytes_and_sysex_in_between() -> None:
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


def test_malformed_bytes_are_counted_and_the_next_message_is_parsed() -> None:
    stream = MidiStream()
    assert stream.feed(bytes([1, 2, 0x90, 60, 0xB0, 64, 127, 0xF4, 9, 0xF7, 0xF9])) == [(0xB0, 64, 127)]
    assert stream.malformed == 2 + 1 + 1 + 1 + 1 + 1
    assert stream.feed(bytes([0x80, 60, 0])) == [(0x80, 60, 0)]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_packet_boundaries_do_not_change_the_messages(data: bytes, cuts: list[int]) -> None:
    whole, pieces = MidiStream(), MidiStream()
    found: list[Incoming] = []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        found += pieces.feed(data[start : max(start, end)])
    assert found == whole.feed(data)
    assert pieces.malformed == whole.malformed
    for message in found:
        assert isinstance(message, bytes) or message[0] >= 0x80
        assert all(byte < 0x80 for byte in (message if isinstance(message, bytes) else message[1:]))
