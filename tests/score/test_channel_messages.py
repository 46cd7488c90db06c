"""What channel messages in a file mean: pedals, gains, bends, resets, repeated notes."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest
from fixtures.midi_files import BEAT, bend_range, bends, control, message, of, off, on, read, wheel

from cmaudio.score.events import AllNotesOff, ChannelGain, Event, NoteOff, NoteOn, PitchBend, Sustain


def test_sustain_is_reported_once_per_change(tmp_path: Path) -> None:
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


def test_bend_is_two_semitones_by_default(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), wheel(4096), wheel(4096), wheel(-8192), wheel(0), off(60)])
    assert bends(score) == [1.0, -2.0, 0.0]


def test_bend_range_and_its_change_under_a_turned_wheel(tmp_path: Path) -> None:
    score = read(tmp_path, [*bend_range(12, 50), on(60), wheel(-8192), *bend_range(7), off(60)])
    assert bends(score) == pytest.approx([-12.5, -7.5, -7.0])


def test_data_entry_for_other_parameters_leaves_the_bend_range(tmp_path: Path) -> None:
    others: tuple[list[mido.Message], ...] = (
        [control(101, 0), control(100, 5)],
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
    assert score.notices == ["1 pitch bend range(s) over 48 semitones were limited to that"]


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


def test_a_note_struck_again_ends_the_first_and_sounds_until_its_own_end(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), on(60, BEAT, velocity=90), off(60), off(60)])
    assert score.events == [
        (0.0, NoteOn(0, 60, 80, 0)),
        (0.5, NoteOff(0, 60)),
        (0.5, NoteOn(0, 60, 90, 0)),
        (1.5, NoteOff(0, 60)),
    ]
    assert len(score.notices) == 1
    assert "1 note(s) were struck again" in score.notices[0]


def test_a_note_that_lacks_its_own_note_off_ends_with_the_first_that_comes(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60), on(60, BEAT), off(60), on(64), off(64)])
    assert of(score, NoteOff) == [(0.5, NoteOff(0, 60)), (1.0, NoteOff(0, 60)), (1.5, NoteOff(0, 64))]
    assert len(score.notices) == 1


def test_a_note_off_after_the_repeated_note_at_the_same_moment_belongs_to_the_first(tmp_path: Path) -> None:
    score = read(tmp_path, [on(60, BEAT), off(60)], [on(60), off(60)])
    assert of(score, NoteOff) == [(0.5, NoteOff(0, 60)), (1.0, NoteOff(0, 60))]
