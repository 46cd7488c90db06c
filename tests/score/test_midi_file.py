import io
import struct
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.score import midi_file
from cmaudio.score.events import AllNotesOff, ChannelGain, Event, NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.score.midi_file import read_midi, write_midi

BEAT = 480  # ticks; half a second at the default tempo


def message(kind: str, ticks: int = 0, **values: int) -> mido.Message:
    return mido.Message(kind, time=ticks, **values)


def control(number: int, value: int, ticks: int = 0, channel: int = 0) -> mido.Message:
    return message("control_change", ticks, control=number, value=value, channel=channel)


def on(pitch: int, ticks: int = 0, velocity: int = 80, channel: int = 0) -> mido.Message:
    return message("note_on", ticks, note=pitch, velocity=velocity, channel=channel)


def off(pitch: int, ticks: int = BEAT, channel: int = 0) -> mido.Message:
    return message("note_off", ticks, note=pitch, channel=channel)


def midi_bytes(*tracks: list[mido.Message], kind: int = 1, ticks_per_beat: int = BEAT) -> bytes:
    song = mido.MidiFile(type=kind, ticks_per_beat=ticks_per_beat, tracks=[mido.MidiTrack(track) for track in tracks])
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue()


def raw_file(track: bytes, division: int = BEAT, tracks: int = 1, size: int | None = None) -> bytes:
    head = b"MThd" + struct.pack(">IHHH", 6, 1, tracks, division)
    return head + b"MTrk" + struct.pack(">I", len(track) if size is None else size) + track


def read_bytes(folder: Path, data: bytes) -> Score:
    path = folder / "song.mid"
    path.write_bytes(data)
    return read_midi(path)


def read(folder: Path, *tracks: list[mido.Message], kind: int = 1) -> Score:
    return read_bytes(folder, midi_bytes(*tracks, kind=kind))


def of(score: Score, *kinds: type[Event]) -> list[tuple[float, Event]]:
    return [(round(when, 9), event) for when, event in score.events if isinstance(event, kinds)]


def check(score: Score) -> None:
    """What holds for every Score that the reader returns."""
    times = [when for when, _ in score.events]
    assert times == sorted(times)
    assert times[0] >= 0
    assert score.duration == times[-1] <= midi_file.MAX_SECONDS
    sounding: set[tuple[int, int]] = set()
    down: set[int] = set()
    for _, event in score.events:
        match event:
            case NoteOn(channel, pitch, velocity, program):
                assert 1 <= velocity <= 127
                assert 0 <= program <= 127
                assert (program in score.programs) if channel != 9 else (pitch in score.percussion and program == 0)
                assert (channel, pitch) not in sounding
                sounding.add((channel, pitch))
            case NoteOff(channel, pitch):
                sounding.remove((channel, pitch))
            case Sustain(channel, is_down):
                assert is_down != (channel in down)
                down ^= {channel}
            case PitchBend(_, semitones):
                assert abs(semitones) <= midi_file.MAX_BEND_SEMITONES
            case ChannelGain(_, gain):
                assert 0 <= gain <= 1
    assert not sounding
    assert not down


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


def test_sustain_is_told_once_for_each_change(tmp_path: Path) -> None:
    pedal = [control(64, value, 0 if value == 70 else BEAT) for value in (70, 127, 64, 63, 0)]
    score = read(tmp_path, [on(60), *pedal, off(60)])
    assert of(score, Sustain) == [(0.0, Sustain(0, True)), (1.5, Sustain(0, False))]


def test_gain_is_volume_times_expression_squared(tmp_path: Path) -> None:
    score = read(tmp_path, [control(7, 64), on(60), control(7, 64, 10), control(11, 32, BEAT - 10), off(60)])
    gains = [(when, event.gain) for when, event in score.events if isinstance(event, ChannelGain)]
    assert [when for when, _ in gains] == [0.0, 0.5]
    assert [gain for _, gain in gains] == pytest.approx([(64 / 127) ** 2, (64 / 127) ** 2 * (32 / 127) ** 2])


def test_no_volume_anywhere_is_full_gain_and_one_somewhere_makes_the_others_100(tmp_path: Path) -> None:
    assert of(read(tmp_path, [on(60), off(60)]), ChannelGain) == []
    score = read(tmp_path, [on(60), off(60)], [control(7, 127, channel=1), on(60, channel=1), off(60, channel=1)])
    assert of(score, ChannelGain) == [(0.0, ChannelGain(0, (100 / 127) ** 2))]


def wheel(value: int, ticks: int = 0) -> mido.Message:
    return message("pitchwheel", ticks, pitch=value)


def bends(score: Score) -> list[float]:
    return [event.semitones for _, event in score.events if isinstance(event, PitchBend)]


def bend_range(semitones: int, cents: int = 0) -> list[mido.Message]:
    return [control(101, 0), control(100, 0), control(6, semitones), control(38, cents)]


def test_bend_is_two_semitones_by_default(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), wheel(4096), wheel(4096), wheel(-8192), wheel(0), off(60)])
    assert bends(score) == [1.0, -2.0, 0.0]


def test_bend_range_and_its_change_under_a_turned_wheel(tmp_path: Path) -> None:
    score = read(tmp_path, [*bend_range(12, 50), on(60), wheel(-8192), *bend_range(7), off(60)])
    assert bends(score) == pytest.approx([-12.5, -7.5, -7.0])


def test_data_entry_for_other_parameters_leaves_the_bend_range(tmp_path: Path) -> None:
    others: tuple[list[mido.Message], ...] = (
        [control(101, 0), control(100, 1)],
        [control(101, 127), control(100, 127)],
        [control(99, 0)],
        [],
    )
    for other in others:
        before = bend_range(4) if other else []
        score = read(tmp_path, [*before, *other, control(6, 24), on(60), wheel(-8192), off(60)])
        assert bends(score) == [-4.0 if other else -2.0]


def test_bend_range_is_limited_and_of_one_channel(tmp_path: Path) -> None:
    other = [on(60, channel=1), message("pitchwheel", channel=1, pitch=-8192), off(60, channel=1)]
    score = read(tmp_path, [*bend_range(127), on(60), wheel(-8192), off(60)], other)
    assert bends(score) == [-48.0, -2.0]
    assert score.notices == ["1 pitch bend range(s) over 48 semitones were cut to that"]


def test_reset_all_controllers(tmp_path: Path) -> None:
    before = [control(7, 90), control(11, 50), control(64, 127), *bend_range(12), wheel(-8192)]
    score = read(tmp_path, [*before, on(60), control(121, 0, BEAT), control(6, 1), wheel(-4096), off(60)])
    assert [event for when, event in score.events if when == 0.5] == [
        ChannelGain(0, (90 / 127) ** 2),
        PitchBend(0, 0.0),
        Sustain(0, False),
        PitchBend(0, -6.0),
    ]


@pytest.mark.parametrize("number", [120, 123, 124, 127])
def test_all_notes_off(tmp_path: Path, number: int) -> None:
    others = [on(72, channel=1), off(72, 2 * BEAT, channel=1)]
    score = read(tmp_path, [on(60), on(64), control(number, 0, BEAT), off(60), off(64, 0)], others)
    ended: list[Event] = [NoteOff(0, 60), NoteOff(0, 64)]
    assert [event for when, event in score.events if when == 0.5] == ended + [AllNotesOff(0)] * (number == 120)
    assert score.events[-1] == (1.0, NoteOff(1, 72))


def test_a_note_struck_again_ends_the_first(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), on(60, BEAT, velocity=90), off(60), off(60)])
    assert score.events == [
        (0.0, NoteOn(0, 60, 80, 0)),
        (0.5, NoteOff(0, 60)),
        (0.5, NoteOn(0, 60, 90, 0)),
        (1.0, NoteOff(0, 60)),
    ]
    assert len(score.notices) == 2
    assert "1 note(s) were struck again" in score.notices[0]
    assert "1 note-off(s)" in score.notices[1]


def test_a_note_off_after_the_repeated_note_at_the_same_moment_belongs_to_the_first(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60, BEAT), off(60)], [on(60), off(60)])
    assert of(score, NoteOff) == [(0.5, NoteOff(0, 60)), (1.0, NoteOff(0, 60))]


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


def test_running_status_goes_on_after_meta_and_exclusive_messages(tmp_path: Path) -> None:
    track = b"\0\x90\x3c\x50" + b"\0\xff\x01\x02hi" + b"\0\xf0\x02\x01\xf7" + b"\0\x40\x50" + b"\x60\x3c\0\0\x40\0"
    assert [event for _, event in read_bytes(tmp_path, raw_file(track)).events] == [
        NoteOn(0, 60, 80, 0),
        NoteOn(0, 64, 80, 0),
        NoteOff(0, 60),
        NoteOff(0, 64),
    ]


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
    assert score.notices == ["1 track(s) damaged or cut off: what comes after the damage is left out"]


def test_missing_tracks_are_told(tmp_path: Path) -> None:
    score = read_bytes(tmp_path, raw_file(b"\0\x90\x3c\x50\x60\x3c\0", tracks=3))
    assert score.notices == ["2 track(s) announced by the file are missing"]


NOTE = b"\0\x90\x3c\x50"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a MIDI file"),
        (b"MThd", "not a MIDI file"),
        (b"\x89PNG\r\n" + bytes(300), "not a MIDI file"),
        (raw_file(NOTE, division=0), "zero ticks per beat"),
        (raw_file(NOTE, division=0xE728), "SMPTE"),
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


def test_silence_of_hours_after_the_last_note_does_no_harm(tmp_path: Path) -> None:
    score = read_bytes(tmp_path, raw_file(NOTE + b"\x60\x3c\0" + b"\xff\xff\xff\x7f" + b"\xff\x2f\0"))
    assert score.duration == pytest.approx(0.1)


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


tracks_of_anything = st.binary(max_size=300).map(lambda track: raw_file(b"\0\x90\x3c\x50" + track))


@given(st.one_of(st.binary(max_size=400), mutated_files(), tracks_of_anything))
@settings(max_examples=1500, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_score_or_an_error_for_the_user(tmp_path: Path, data: bytes) -> None:
    try:
        score = read_bytes(tmp_path, data)
    except CmaudioError as error:
        assert str(error).startswith(str(tmp_path))  # noqa: PT017
    else:
        check(score)


moments = st.integers(0, 2000).map(lambda tick: tick / 100)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    events: list[tuple[float, Event]] = []
    for i in range(draw(st.integers(1, 12))):
        channel, start = draw(st.integers(0, 15)), draw(moments)
        program = 0 if channel == 9 else draw(st.integers(0, 127))
        events.append((start, NoteOn(channel, 30 + i, draw(st.integers(1, 127)), program)))
        events.append((start + draw(st.integers(1, 300)) / 100, NoteOff(channel, 30 + i)))
    events.sort(key=lambda pair: pair[0])
    return Score("song", events, events[-1][0])


@given(scores())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_notes_written_are_read_again(tmp_path: Path, score: Score) -> None:
    write_midi(tmp_path / "song.mid", score)
    again = read_midi(tmp_path / "song.mid")
    assert again.notices == []

    def by_channel(pairs: list[tuple[float, Event]]) -> list[tuple[int, int, str]]:
        return sorted((event.channel, round(when * 1000), repr(event)) for when, event in pairs)

    assert by_channel(again.events) == by_channel(score.events)


def test_controls_written_are_read_again(tmp_path: Path) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, ChannelGain(3, 0.25)),
        (0.0, NoteOn(3, 60, 100, 40)),
        (0.5, Sustain(3, True)),
        (0.5, PitchBend(3, -6.5)),
        (0.75, PitchBend(3, 7.0)),
        (1.0, Sustain(3, False)),
        (1.5, NoteOff(3, 60)),
        (1.5, AllNotesOff(3)),
    ]
    write_midi(tmp_path / "a.mid", Score("Ärger 音", events, 1.5))
    again = read_midi(tmp_path / "a.mid").events
    assert [when for when, _ in again] == pytest.approx([when for when, _ in events], abs=1e-4)
    assert [type(event) for _, event in again] == [type(event) for _, event in events]
    assert [event.gain for _, event in again if isinstance(event, ChannelGain)] == pytest.approx([0.25], abs=0.01)
    assert [e.semitones for _, e in again if isinstance(e, PitchBend)] == pytest.approx([-6.5, 7.0], abs=0.002)


def test_writing_where_it_cannot_be_leaves_nothing(tmp_path: Path) -> None:
    score = Score("a", [(0.0, NoteOn(0, 60, 80, 0)), (1.0, NoteOff(0, 60))], 1.0)
    with pytest.raises(CmaudioError, match="no folder"):
        write_midi(tmp_path / "none" / "a.mid", score)
    with pytest.raises(CmaudioError, match="is a directory"):
        write_midi(tmp_path, score)
    assert list(tmp_path.iterdir()) == []


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
