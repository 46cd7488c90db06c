"""Patterns that play: steps on their exact samples, chance by seed, changes at the next step, switching at the bar."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOff, NoteOn
from cmaudio.sequencer import (
    AutomationLane,
    GridPattern,
    GridStep,
    Lane,
    PatternBank,
    StepSequencer,
    note_lane,
)

STEP = BEAT // 4


def pattern(*steps: Any, name: str = "A", lane: dict[str, Any] | None = None, **fields: Any) -> GridPattern:
    notes = note_lane("notes", steps, gate=0.5).changed(**(lane or {}))
    return GridPattern(name=name, lanes=(notes,), **{"length": max(1, len(steps))} | fields)


def playing(rig: ClockRig, *patterns: GridPattern, **fields: Any) -> StepSequencer:
    sequencer = StepSequencer(rig.clock, PatternBank(patterns=patterns, **fields))
    sequencer.play()
    return sequencer


def steps_of(rig: ClockRig) -> list[tuple[float, int]]:
    """Onsets in steps of a sixteenth, and pitches."""
    return [(round(at / STEP, 3), pitch) for at, pitch in rig.onsets]


def test_steps_start_and_end_on_their_exact_samples_and_repeat(rig: ClockRig) -> None:
    playing(rig, pattern(60, None, ("C3", 67), GridStep(pitches=(50,), gate=1.5, velocity=30)))
    rig.read_to(8 * STEP)
    assert steps_of(rig) == [(0, 60), (2, 48), (2, 67), (3, 50), (4, 60), (6, 48), (6, 67), (7, 50)]
    assert [round(at / STEP, 2) for at, _ in rig.events(NoteOff)][:5] == [0.5, 2.5, 2.5, 4.5, 4.5]
    assert [e.velocity for _, e in rig.events(NoteOn)][:4] == [96, 96, 96, 30]


@pytest.mark.parametrize(
    ("step", "fields", "onsets"),
    [
        ({"ratchets": 4}, {}, [0, 0.25, 0.5, 0.75, 2]),
        ({"shift": 0.25}, {}, [0.25, 2.25, 4.25]),
        ({}, {"division": 1 / 2}, [0, 4, 8]),
        ({}, {"swing": 0.5, "length": 1}, [0, 1.5, 2, 3.5, 4]),
        ({"shift": -0.25}, {"length": 3}, [0, 2.75, 5.75, 8.75]),
        ({"ratchets": 2}, {"swing": 0.5}, [0, 0.75, 2, 2.75, 4]),
    ],
)
def test_steps_come_where_their_fields_say(
    rig: ClockRig, step: dict[str, Any], fields: dict[str, Any], onsets: list[float]
) -> None:
    playing(rig, pattern(GridStep(pitches=(60,), gate=0.2, **step), None, **fields))
    rig.read_to(10 * STEP)
    assert [at for at, _ in steps_of(rig)][: len(onsets)] == pytest.approx(onsets, abs=1e-3)


def chances(model: TinyModel, seed: int, read: int = 4096) -> list[tuple[int, int]]:
    rig = ClockRig(model.model)
    playing(rig, pattern(*[GridStep(pitches=(p,), probability=0.5, gate=0.3) for p in range(60, 68)], seed=seed))
    for sample in range(0, 64 * STEP, read):
        rig.read_to(sample)
    rig.read_to(64 * STEP)
    return rig.onsets


def test_chance_is_the_same_for_the_same_seed_whatever_the_reads(tiny: TinyModel) -> None:
    first = chances(tiny, 3)
    assert 20 < len(first) < 44
    assert chances(tiny, 3, read=333) == first
    assert chances(tiny, 4) != first
    rounds = [[pitch for at, pitch in first if at // (8 * STEP) == number] for number in range(8)]
    assert len(set(map(tuple, rounds))) > 3, "each round anew"


def test_a_change_takes_effect_at_the_next_step(rig: ClockRig) -> None:
    sequencer = playing(rig, pattern(60, 61, 62, 63))
    rig.read_to(1.2 * STEP)
    sequencer.edit(pattern(80, 81, 82, 83))
    rig.read_to(6 * STEP - 10)
    pitches = [pitch for _, pitch in steps_of(rig)]
    assert pitches[:2] == [60, 61]
    assert 80 <= pitches[3] <= 83
    assert [pitch % 10 for pitch in pitches if pitch >= 80] == [3, 0, 1][-len([p for p in pitches if p >= 80]) :]


def test_length_and_division_change_while_it_plays(rig: ClockRig) -> None:
    sequencer = playing(rig, pattern(60, 61, 62, 63))
    rig.read_to(4.1 * STEP)
    before = len(rig.onsets)
    sequencer.change(length=2, division=1 / 2)
    rig.read_to(14 * STEP)
    after = steps_of(rig)[before + 1 :]
    assert {pitch for _, pitch in after} == {60, 61}
    assert {round(b - a, 3) for (a, _), (b, _) in pairwise(after)} == {2.0}
    sequencer.change(length=4)
    rig.read_to(24 * STEP)
    assert [pitch for _, pitch in steps_of(rig)][-4:] in (
        [60, 61, 62, 63],
        [61, 62, 63, 60],
        [62, 63, 60, 61],
        [63, 60, 61, 62],
    )


def test_another_pattern_follows_at_the_bar(rig: ClockRig) -> None:
    sequencer = playing(rig, pattern(60, 61, 62), pattern(80, 81, name="B"), bar=1.0)
    rig.read_to(1.5 * STEP)
    sequencer.select("B")
    assert [sequencer.queued, sequencer.pattern.name] == ["B", "B"]
    rig.read_to(7 * STEP)
    assert steps_of(rig)[:6] == [(0, 60), (1, 61), (2, 62), (3, 60), (4, 80), (5, 81)]
    assert [sequencer.queued, sequencer.position] == [None, ("B", 1)]
    for name in ("A", "B"):
        sequencer.select(name)
    assert [sequencer.queued] == [None]
    sequencer.remove("B")
    assert sequencer.pattern.name == "A"
    rig.read_to(12 * STEP)
    assert rig.onsets[-1][1] < 80


def test_it_starts_with_the_bar_if_something_plays_already_and_else_at_once(rig: ClockRig) -> None:
    rig.read_to(BEAT * 0.7)
    rig.clock.play([40], loop=True, gate=0.1, quantise=0)
    sequencer = playing(rig, pattern(60, None, None, None))
    sequencer.play()  # plays already
    rig.read_to(9 * BEAT)
    assert [at / BEAT for at, pitch in rig.onsets if pitch == 60] == [4, 5, 6, 7, 8]
    sequencer.stop()
    rig.clock.clear()
    assert (sequencer.playing, sequencer.position) == (False, None)
    here = rig.engine.now
    sequencer.play()
    rig.read_to(here + STEP)
    assert rig.onsets[-1] == (here, 60)
    assert rig.clock.beat == pytest.approx(1 / 4, abs=0.02)


def test_stopping_releases_and_the_clock_resumes_where_it_stopped(rig: ClockRig) -> None:
    sequencer = playing(rig, pattern(GridStep(pitches=(60,), gate=3.0), 61, 62, 63))
    rig.read_to(1.5 * STEP)
    rig.clock.stop()
    rig.read_to(3 * STEP)
    assert rig.no_note_hangs()
    rig.clock.resume()
    here = rig.engine.now
    rig.read_to(here + 2.6 * STEP)
    assert [pitch for at, pitch in rig.onsets if at >= here] == [62, 63, 60]
    rig.clock.start(0)
    there = rig.engine.now
    rig.read_to(there + STEP)
    assert [pitch for at, pitch in rig.onsets if at >= there][:1] == [60]
    sequencer.stop()
    rig.read_to(there + 2 * STEP)
    assert rig.no_note_hangs()


@pytest.mark.parametrize("beat", [0.25, 5.0, 1000.75])
def test_the_clock_jumps_into_a_pattern(rig: ClockRig, beat: float) -> None:
    playing(rig, pattern(60, 61, 62, 63))
    rig.read_to(6.5 * STEP)
    rig.clock.locate(beat)
    here = rig.engine.now
    rig.read_to(here + 2.5 * STEP)
    first = round(beat * 4) % 4
    assert [pitch - 60 for at, pitch in rig.onsets if at >= here][:3] == [(first + i) % 4 for i in range(3)]


def test_muted_lanes_are_silent_and_timbres_are_those_of_lanes(rig: ClockRig) -> None:
    lanes = (
        note_lane("one", [60], timbre="second"),
        note_lane("two", [72]).changed(muted=True),
        note_lane("three", [48], timbre={"first": 0.5, "third": 0.5}, channel=4),
    )
    playing(rig, GridPattern(name="A", length=4, lanes=lanes))
    rig.read_to(STEP // 2)
    assert sorted((e.pitch, e.channel) for _, e in rig.events(NoteOn)) == [(48, 4), (60, 0)]
    assert {e.pitch: e.program for _, e in rig.events(NoteOn)}[60] == 1


def test_automation_moves_controls(rig: ClockRig) -> None:
    moved: list[tuple[float, float]] = []
    rig.clock.controls.subscribe(
        lambda name, value, source: moved.append((rig.engine.now, float(str(value)))) if name == "brightness" else None
    )
    lanes = (AutomationLane(control="brightness", values={0: -3.0, 2: 3.0}),)
    sequencer = playing(rig, GridPattern(name="A", length=4, automation=lanes))
    rig.read_to(8.5 * STEP)
    assert [value for _, value in moved] == [-3, 3, -3, 3, -3]
    sequencer.edit(GridPattern(name="A", length=4, automation=(lanes[0].changed(smooth=True),)))
    rig.read_to(12.9 * STEP)
    assert len({value for _, value in moved}) > 12, "a line"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (GridPattern(name="A", lanes=(Lane(name="x", timbre="fiddle"),)), "lane 'x' of pattern 'A': unknown timbre"),
        (GridPattern(name="A", lanes=(Lane(name="x", pad="kick"),)), "unknown pad 'kick'"),
        (GridPattern(name="A", automation=(AutomationLane(control="warmth"),)), "no control 'warmth'"),
        (
            GridPattern(name="A", automation=(AutomationLane(control="brightness", values={0: 99.0}),)),
            "brightness must be",
        ),
    ],
)
def test_what_the_model_lacks_is_refused(rig: ClockRig, wrong: GridPattern, told: str) -> None:
    sequencer = StepSequencer(rig.clock)
    with pytest.raises(CmaudioError) as error:
        sequencer.edit(wrong)
    assert told in str(error.value)
    assert sequencer.bank == PatternBank()
    with pytest.raises(CmaudioError, match="unknown pattern 'C'"):
        sequencer.select("C")


def test_changes_are_told_and_a_bank_sets_the_tempo(rig: ClockRig) -> None:
    sequencer, told = StepSequencer(rig.clock), list[int]()
    end = sequencer.subscribe(lambda: told.append(1))
    sequencer.bank = PatternBank(tempo=93.0)
    sequencer.edit(GridPattern(name="B"))
    sequencer.edit(GridPattern(name="verse"), "B")
    assert sequencer.bank.names == ["A", "verse"]
    sequencer.select("verse")
    assert sequencer.change(swing=0.2).swing == 0.2
    end()
    sequencer.select("A")
    assert rig.clock.tempo == 93
    assert len(told) == 5


def test_panic_of_the_clock_ends_it(rig: ClockRig) -> None:
    sequencer = playing(rig, pattern(60))
    rig.read_to(STEP)
    rig.clock.clear()
    assert not sequencer.playing
    rig.read_to(2 * STEP)
    assert rig.no_note_hangs()
