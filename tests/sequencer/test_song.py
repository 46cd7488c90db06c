"""A song: parts in order, each for its rounds; switching, jumps, edits while it plays, recording, and exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.clock_rig import BEAT, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOn
from cmaudio.score.midi_file import read_midi
from cmaudio.sequencer import (
    AutomationLane,
    GridPattern,
    GridStep,
    PatternBank,
    Song,
    SongPart,
    StepSequencer,
    as_python,
    export_midi,
    export_python,
    load_bank,
    note_lane,
    save_bank,
)

STEP = BEAT // 4
A = GridPattern(name="A", length=2, lanes=(note_lane("notes", [60, 61], gate=0.5),))
B = GridPattern(name="B", length=3, lanes=(note_lane("notes", [70, 71, 72], gate=0.5),))
BANK = PatternBank(patterns=(A, B), bar=1.0, song=Song(parts=["A", ("B", 2), "A"]))  # type: ignore[arg-type]
PLAYED = [60, 61, *[70, 71, 72] * 2, 60, 61]


def song(*parts: Any, loop: bool = False) -> Song:
    return Song(parts=parts, loop=loop)


def pitches(rig: ClockRig, start: float = 0) -> list[int]:
    return [pitch for at, pitch in rig.onsets if at >= start]


def places(rig: ClockRig) -> list[float]:
    return [round(at / STEP, 3) for at, _ in rig.onsets]


def playing(rig: ClockRig, bank: PatternBank = BANK) -> StepSequencer:
    sequencer = StepSequencer(rig.clock, bank)
    sequencer.play(song=True)
    return sequencer


def test_parts_follow_each_other_and_the_song_ends(rig: ClockRig) -> None:
    sequencer = playing(rig)
    rig.read_to(5.5 * STEP)
    assert (sequencer.position, sequencer.part, sequencer.plays_song) == (("B", 0), 1, True)
    rig.read_to(16 * STEP)
    assert (pitches(rig), places(rig)) == (PLAYED, [float(place) for place in range(10)])
    assert (sequencer.playing, sequencer.part, sequencer.plays_song) == (False, None, False)
    assert rig.no_note_hangs()


def test_one_that_loops_starts_over(rig: ClockRig) -> None:
    playing(rig, BANK.changed(song=song("A", "B", loop=True)))
    rig.read_to(12.5 * STEP)
    assert pitches(rig) == [60, 61, 70, 71, 72, 60, 61, 70, 71, 72, 60, 61, 70]


def test_chance_is_that_of_each_round(rig: ClockRig) -> None:
    lane = note_lane("n", [GridStep(pitches=(pitch,), probability=0.5, gate=0.3) for pitch in range(60, 68)])
    pattern = GridPattern(name="A", length=8, lanes=(lane,), seed=3)
    playing(rig, PatternBank(patterns=(pattern,), song=song(("A", 3))))
    rig.read_to(26 * STEP)
    other = ClockRig(rig.engine.model, polyphony=16)
    StepSequencer(other.clock, PatternBank(patterns=(pattern,))).play()
    other.read_to(24 * STEP - 1)
    assert rig.onsets == other.onsets


def test_song_and_pattern_follow_each_other_at_the_bar(rig: ClockRig) -> None:
    sequencer = StepSequencer(rig.clock, BANK)
    sequencer.select("B")
    sequencer.play()
    rig.read_to(1.5 * STEP)
    sequencer.play(song=True)
    assert (sequencer.plays_song, sequencer.queued) == (True, None)
    rig.read_to(5.5 * STEP)
    assert pitches(rig) == [70, 71, 72, 70, 60, 61]
    sequencer.select("A")  # to be edited: the song goes on
    assert [sequencer.queued] == [None]
    rig.read_to(6.5 * STEP)
    sequencer.play()
    assert (sequencer.plays_song, sequencer.queued) == (False, "A")
    rig.read_to(9.5 * STEP)
    assert pitches(rig)[6:] == [70, 71, 60, 61]
    sequencer.play(song=True)
    sequencer.play()  # changed one's mind
    rig.read_to(14.5 * STEP)
    assert set(pitches(rig)[10:]) == {60, 61}


@pytest.mark.parametrize(("beat", "expected"), [(0.0, PLAYED), (0.75, PLAYED[3:]), (2.0, PLAYED[8:]), (9.0, [])])
def test_the_clock_jumps_into_a_song(rig: ClockRig, beat: float, expected: list[int]) -> None:
    sequencer = playing(rig)
    rig.read_to(6.5 * STEP)
    rig.clock.locate(beat)
    here = rig.engine.now
    rig.read_to(here + 14 * STEP)
    assert pitches(rig, here) == expected
    assert not sequencer.playing


def test_the_clock_jumps_within_one_that_loops(rig: ClockRig) -> None:
    playing(rig, BANK.changed(song=song("A", "B", loop=True)))
    rig.read_to(2.5 * STEP)
    rig.clock.locate(1000 * 1.25 + 0.5)
    here = rig.engine.now
    rig.read_to(here + 4.5 * STEP)
    assert pitches(rig, here) == [70, 71, 72, 60, 61]


def test_it_is_resumed_where_it_stopped_and_restarts_from_the_first_part(rig: ClockRig) -> None:
    playing(rig)
    rig.read_to(1.9 * STEP)  # the next part is scheduled already
    rig.clock.stop()
    rig.read_to(5 * STEP)
    rig.clock.resume()
    here = rig.engine.now
    rig.read_to(here + 2.3 * STEP)
    assert pitches(rig, here)[:3] in ([70, 71], [70, 71, 72])
    rig.clock.start(0)
    there = rig.engine.now
    rig.read_to(there + 3.5 * STEP)
    assert pitches(rig, there) == [60, 61, 70, 71]


def test_it_is_edited_while_it_plays(rig: ClockRig) -> None:
    sequencer = playing(rig, BANK.changed(song=song(("A", 2), "B")))
    rig.read_to(1.5 * STEP)
    sequencer.edit(A.changed(name="verse"), "A")
    assert sequencer.song == song(("verse", 2), "B")
    sequencer.song = song(("verse", 3), "B", "B")
    rig.read_to(9.5 * STEP)
    assert pitches(rig)[:10] == [60, 61] * 3 + [70, 71, 72, 70]
    sequencer.song = Song()
    rig.read_to(20 * STEP)
    assert pitches(rig)[10:] == [71, 72]
    assert not sequencer.playing


def test_recording_goes_into_the_pattern_that_was_heard(rig: ClockRig) -> None:
    sequencer = playing(rig)
    recording = sequencer.record()
    rig.read_to(4.5 * STEP)
    for beat in (0.25, 0.5, 1.0):
        recording.press(beat, 40 + round(4 * beat), 90, None, 0)
        recording.lift(beat + 0.1, 40 + round(4 * beat), 0)
    found = {each.name: {index: step.pitches for index, step in each.lanes[-1].steps.items()} for each in (
        sequencer.bank.patterns)}  # fmt: skip
    assert found == {"A": {1: (41,)}, "B": {0: (42,), 2: (44,)}}
    assert sequencer.plays_song


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: BANK.changed(song=song("C")), "the song plays an unknown pattern 'C'"),
        (lambda: song(("A", 0)), "rounds"),
        (lambda: song(("A", 17)), "rounds"),
        (lambda: song("A").without_part(1), "no part 2"),
        (lambda: song(*["A"] * 65), "parts"),
        (lambda: as_python(BANK.changed(song=Song()), None), "no parts"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_song_is_refused(make: Any, told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        make()


def test_one_without_parts_is_not_played(rig: ClockRig) -> None:
    with pytest.raises(CmaudioError, match="the song has no parts"):
        StepSequencer(rig.clock).play(song=True)


def test_parts_are_changed_moved_and_follow_their_patterns(tmp_path: Path) -> None:
    first = song("A", ("B", 2), "A")
    assert first.moved(1, 2) == song("A", "A", ("B", 2))
    assert first.moved(0, -1) == first
    assert first.with_part(SongPart(pattern="B", rounds=4), 0) == song(("B", 4), ("B", 2), "A")
    assert first.without_part(2) == song("A", ("B", 2))
    assert BANK.without_pattern("A").song == song(("B", 2))
    assert BANK.with_pattern(B.changed(name="C"), "B").song == song("A", ("C", 2), "A")
    assert load_bank(save_bank(BANK, tmp_path / "song.json")) == BANK


def exported(bank: PatternBank, rig: ClockRig) -> ClockRig:
    """A clock on which the exported program plays."""
    program: dict[str, Any] = {"__name__": "exported"}
    exec(as_python(bank, rig.engine.model), program)
    other = ClockRig(rig.engine.model, polyphony=16)
    program["groove"](other.clock)
    return other


def test_the_program_plays_what_the_sequencer_plays(rig: ClockRig) -> None:
    late = GridPattern(name="late", length=4, lanes=(note_lane("s", [None, GridStep(pitches=(50,), shift=0.3)]),))
    bank = BANK.changed(patterns=(A, B, late), song=song("A", ("late", 2), ("B", 2), "late"))
    playing(rig, bank)
    other = exported(bank, rig)
    for each in (rig, other):
        each.read_to(24 * STEP)
    assert len(rig.onsets) == 2 + 2 + 6 + 1
    assert [pitch for _, pitch in other.onsets] == [pitch for _, pitch in rig.onsets]
    assert [at for at, _ in other.onsets] == pytest.approx([at for at, _ in rig.onsets], abs=2)


def test_the_program_moves_controls_in_their_parts(rig: ClockRig) -> None:
    moves = AutomationLane(control="brightness", values={0: -2.0, 1: 3.0})
    bank = BANK.changed(patterns=(A, B.changed(automation=(moves,))), song=song("A", ("B", 2), "A"))
    other = exported(bank, rig)
    moved: list[tuple[float, object]] = []
    other.clock.controls.subscribe(lambda name, value, source: moved.append((other.engine.now / STEP, value)))
    other.read_to(12 * STEP)
    assert [value for _, value in moved] == [-2.0, 3.0] * 2


def test_a_midi_file_holds_the_same_notes(rig: ClockRig, tmp_path: Path) -> None:
    playing(rig)
    rig.read_to(12 * STEP)
    assert export_midi(BANK.changed(tempo=60.0), tmp_path / "song.mid", rig.engine.model) == []
    written = [(seconds * BEAT, e.pitch) for seconds, e in read_midi(tmp_path / "song.mid").events if isinstance(
        e, NoteOn)]  # fmt: skip
    assert [pitch for _, pitch in written] == PLAYED
    assert [at for at, _ in written] == pytest.approx([at for at, _ in rig.onsets], abs=16)


def test_a_lane_that_several_patterns_have_is_one_track(rig: ClockRig, tmp_path: Path) -> None:
    import mido

    export_midi(BANK, tmp_path / "song.mid", rig.engine.model, rounds=2)
    found = mido.MidiFile(tmp_path / "song.mid")
    assert [track.name for track in found.tracks] == ["song", "notes"]
    assert sum(message.type == "note_on" for message in found.tracks[1]) == 2 * len(PLAYED)
    assert export_python(BANK, tmp_path / "song.py", rig.engine.model).read_text().count("def ") == 3
