"""MIDI files that are cut off, damaged, hostile or too large: a score with notices, or one clear error."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest
from fixtures.midi_files import BEAT, bend_range, check, control, midi_bytes, of, off, on, raw_file, read_bytes, wheel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.score import midi_file
from cmaudio.score.events import NoteOn
from cmaudio.score.midi_file import read_midi

NOTE = b"\0\x90\x3c\x50"
tracks_of_anything = st.binary(max_size=300).map(lambda track: raw_file(b"\0\x90\x3c\x50" + track))


def test_every_way_of_cutting_a_file_short(tmp_path: Path) -> None:
    data = midi_bytes([on(60), off(60), on(62), off(62)], [on(72, channel=1), off(72, 4 * BEAT, channel=1)])
    whole = read_bytes(tmp_path, data)
    assert whole.notices == []
    kept: list[int] = []
    for length in range(len(data)):
        try:
            score = read_bytes(tmp_path, data[:length])
        except CmaudioError as error:
            assert not kept, "once there is a note, the rest is kept"
            assert str(tmp_path / "song.mid") in str(error)  # noqa: PT017
        else:
            check(score)
            assert score.notices
            kept.append(len(of(score, NoteOn)))
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (1, 3)


def test_damage_in_one_track_leaves_the_others(tmp_path: Path) -> None:
    data = bytearray(midi_bytes([on(60), off(60), on(62), off(62)], [on(72, channel=1), off(72, channel=1)]))
    data[data.index(62)] = 0xF5
    score = read_bytes(tmp_path, bytes(data))
    assert {event.pitch for _, event in of(score, NoteOn) if isinstance(event, NoteOn)} == {60, 72}
    assert score.notices == ["1 track(s) damaged or cut off: everything after the damage is left out"]


def test_missing_tracks_are_reported(tmp_path: Path) -> None:
    score = read_bytes(tmp_path, raw_file(b"\0\x90\x3c\x50\x60\x3c\0", tracks=3))
    assert score.notices == ["2 track(s) announced by the file are missing"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a MIDI file"),
        (b"MThd", "not a MIDI file"),
        (b"\x89PNG\r\n" + bytes(300), "not a MIDI file"),
        (raw_file(NOTE, division=0), "zero ticks per beat"),
        (raw_file(NOTE, division=0xE700), "0 ticks in each of 25 SMPTE frames"),
        (raw_file(NOTE, division=0x8028), "40 ticks in each of 128 SMPTE frames"),
        (raw_file(b"\0\xff\x51\x03\0\0\0" + NOTE), "tempo of zero"),
        (raw_file(b"\0\xff\x2f\0"), "no notes"),
        (raw_file(b"\0\x90\x3c\0"), "no notes"),
        (raw_file(b"\0\x90", size=2**32 - 1), "no notes; it is damaged"),
        (raw_file(b"\0\xff\x01\xff\xff\xff\x7f"), "no notes; it is damaged"),
        (raw_file(b"\0\x90\x3c\x50" + b"\xa1\xce\xcc\x00" + b"\x3c\0"), "hours"),
        (raw_file(b"\0\x90\x3c\x50" + b"\xff\xff\xff\x7f" + b"\xff\x2f\0"), "77.7 hours"),
    ],
)
def test_files_that_cannot_be_played(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(CmaudioError) as caught:
        read_bytes(tmp_path, data)
    assert words in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "song.mid"))


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.mid", "no such file"), (tmp_path, "is not a file")):
        with pytest.raises(CmaudioError, match=words):
            read_midi(path)
    with pytest.raises(CmaudioError):
        read_midi(tmp_path / "nul\0.mid")
    with pytest.raises(CmaudioError):
        read_midi(tmp_path / ("x" * 300))


def test_too_large_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_file, "MAX_BYTES", 2**20)
    with pytest.raises(CmaudioError, match="larger than 1 MiB"):
        read_bytes(tmp_path, bytes(2**20 + 1))


def test_cost_grows_with_the_size_only(tmp_path: Path) -> None:
    """Quadratic time would keep this test busy for hours."""
    with pytest.raises(CmaudioError):
        read_bytes(tmp_path, raw_file(b"\xff" * 8_000_000))
    score = read_bytes(tmp_path, raw_file(b"\0\x90" + b"\x3c\x50\x01\x3c\0\0" * 200_000))
    assert len(score.events) == 400_000


@st.composite
def mutated_files(draw: st.DrawFn) -> bytes:
    drums = [on(36, channel=9), off(36, channel=9)]
    first = [mido.MetaMessage("set_tempo", tempo=400_000), control(7, 90), *bend_range(12), on(60), wheel(3000, 20)]
    data = bytearray(midi_bytes([*first, off(60), control(64, 127), on(62), off(62), control(123, 0)], drums))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.binary(max_size=4))
        data[at : at + draw(st.integers(0, 4))] = piece
        if len(data) < 16:
            break
    return bytes(data)


@given(st.one_of(st.binary(max_size=400), mutated_files(), tracks_of_anything))
@settings(max_examples=1500, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_score_or_an_error_for_the_user(tmp_path: Path, data: bytes) -> None:
    try:
        score = read_bytes(tmp_path, data)
    except CmaudioError as error:
        assert str(error).startswith(str(tmp_path))  # noqa: PT017
    else:
        check(score)
