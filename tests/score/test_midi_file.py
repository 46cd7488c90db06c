"""Standard MIDI files read into scores: times, tracks, programs, notices."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest
from fixtures.midi_files import BEAT, check, control, message, midi_bytes, of, off, on, raw_file, read, read_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.score.events import NoteOff, NoteOn, Score, Sustain
from cmaudio.score.midi_file import read_midi


def test_a_plain_note(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60, 240), off(60)])
    assert score == Score("song", [(0.25, NoteOn(0, 60, 80, 0)), (0.75, NoteOff(0, 60))], 0.75, [0])


def test_a_note_on_with_velocity_zero_is_a_note_off(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), on(60, BEAT, velocity=0)])
    assert score.events == [(0.0, NoteOn(0, 60, 80, 0)), (0.5, NoteOff(0, 60))]


def test_tempo_changes_anywhere_count_for_all_tracks(tmp_path: Path) -> None:
    tempi = [mido.MetaMessage("set_tempo", tempo=tempo, time=BEAT) for tempo in (1_000_000, 250_000)]
    notes = [on(60), off(60), on(62), off(62, BEAT // 2), on(64), off(64, BEAT)]
    score = read(tmp_path, notes, tempi)
    # 1 beat of 0.5 s, half a beat of 1 s, half a beat of 1 s, half a beat of 0.25 s
    assert [when for when, _ in score.events] == pytest.approx([0, 0.5, 0.5, 1.0, 1.0, 1.625])


@given(
    st.lists(st.tuples(st.integers(1, 2**24 - 1), st.integers(0, 2000)), max_size=20),
    st.lists(st.integers(0, 3000), min_size=1, max_size=20),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_seconds_agree_with_mido(tmp_path: Path, tempi: list[tuple[int, int]], gaps: list[int]) -> None:
    map_track = [mido.MetaMessage("set_tempo", tempo=tempo, time=ticks) for tempo, ticks in tempi]
    notes = [made for i, gap in enumerate(gaps) for made in (on(i, gap), off(i, 7))]
    data = midi_bytes(map_track, notes)
    now, expected = 0.0, []
    for each in mido.MidiFile(file=io.BytesIO(data)):
        now += each.time
        if each.type == "note_on":
            expected.append(now)
    found = [when for when, event in read_bytes(tmp_path, data).events if isinstance(event, NoteOn)]
    assert found == pytest.approx(expected, rel=1e-9)


def test_programs_by_channel_and_percussion(tmp_path: Path) -> None:
    track = [message("program_change", program=73, channel=1), on(60), off(60), on(60, channel=1), off(60, channel=1)]
    drums = [message("program_change", program=16, channel=9), on(42, channel=9), on(36, channel=9)]
    drums += [off(42, channel=9), off(36, channel=9), on(42, channel=9), off(42, channel=9)]
    score = read(tmp_path, track, drums)
    assert score.programs == [0, 73]
    assert score.percussion == [42, 36]
    assert {event.program for _, event in of(score, NoteOn) if isinstance(event, NoteOn) and event.channel == 9} == {0}
    check(score)


def test_hanging_notes_and_pedals_end_with_the_file(tmp_path: Path) -> None:
    end = mido.MetaMessage("end_of_track", time=2 * BEAT)
    score = read(tmp_path, [control(64, 127), on(60), on(64), end], [on(67, channel=2), off(67, channel=2)])
    assert score.events[-3:] == [(1.0, NoteOff(0, 60)), (1.0, NoteOff(0, 64)), (1.0, Sustain(0, False))]
    assert [notice.split()[0] for notice in score.notices] == ["2", "1"]
    check(score)


def test_tracks_of_a_type_2_file_follow_each_other(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), off(60)], [on(62), off(62)], kind=2)
    assert of(score, NoteOn) == [(0.0, NoteOn(0, 60, 80, 0)), (0.5, NoteOn(0, 62, 80, 0))]
    assert "2 independent tracks" in score.notices[0]


def test_wrapped_files_and_unknown_chunks(tmp_path: Path) -> None:
    data = midi_bytes([on(60), off(60)])
    plain = read_bytes(tmp_path, data)
    assert read_bytes(tmp_path, b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + data) == plain
    assert read_bytes(tmp_path, data[:14] + b"XFIH\0\0\0\3abc" + data[14:]) == plain


def test_running_status_continues_after_meta_and_exclusive_messages(tmp_path: Path) -> None:
    track = b"\0\x90\x3c\x50" + b"\0\xff\x01\x02hi" + b"\0\xf0\x02\x01\xf7" + b"\0\x40\x50" + b"\x60\x3c\0\0\x40\0"
    assert [event for _, event in read_bytes(tmp_path, raw_file(track)).events] == [
        NoteOn(0, 60, 80, 0),
        NoteOn(0, 64, 80, 0),
        NoteOff(0, 60),
        NoteOff(0, 64),
    ]


def test_silence_of_hours_after_the_last_note_does_no_harm(tmp_path: Path) -> None:
    score = read_bytes(tmp_path, raw_file(b"\0\x90\x3c\x50" + b"\x60\x3c\0" + b"\xff\xff\xff\x7f" + b"\xff\x2f\0"))
    assert score.duration == pytest.approx(0.1)


def test_a_bach_chorale(tmp_path: Path) -> None:
    music21 = pytest.importorskip("music21", reason="music21 and its corpus are not installed")
    chorale = music21.corpus.parse("bach/bwv66.6")
    chorale.write("midi", fp=tmp_path / "bwv66_6.mid")
    score = read_midi(tmp_path / "bwv66_6.mid")
    check(score)
    pitches = [note.pitch.midi for note in chorale.stripTies().flatten().notes]
    found = [event.pitch for _, event in score.events if isinstance(event, NoteOn)]
    assert sorted(found) == sorted(pitches)
    assert not any("damaged" in notice or "never ended" in notice for notice in score.notices)
    # 36 quarter notes at music21's default tempo, or the marked one
    marks = [mark.getQuarterBPM() for mark in chorale.flatten().getElementsByClass("MetronomeMark")]
    assert score.duration == pytest.approx(36 * 60 / (marks[0] if marks else 120), abs=0.05)


@pytest.mark.parametrize(
    ("division", "ticks_per_second"),
    [(0xE728, 1000), (0xE850, 1920), (0xE250, 2400), (0xE364, 100 * 30_000 / 1001)],
    ids=["25 frames", "24 frames", "30 frames", "30 drop frame"],
)
def test_time_in_smpte_frames_ignores_the_tempo(tmp_path: Path, division: int, ticks_per_second: float) -> None:
    track = b"\0\xff\x51\x03\1\0\0" + b"\0\x90\x3c\x50" + b"\x87\x68\x3c\0"  # 1000 ticks
    score = read_bytes(tmp_path, raw_file(track, division=division))
    assert score.duration == pytest.approx(1000 / ticks_per_second)
