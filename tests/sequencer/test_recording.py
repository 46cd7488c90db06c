"""Recording into a pattern that plays: lanes, steps, strength of quantising, lengths, limits."""

from __future__ import annotations

import pytest
from fixtures.clock_rig import BEAT, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.sequencer import GridPattern, GridStep, Lane, PatternBank, StepSequencer

STEP = 1 / 4  # beats


def recording(rig: ClockRig, pattern: GridPattern | None = None, strength: float = 1.0) -> StepSequencer:
    bank = PatternBank() if pattern is None else PatternBank(patterns=(pattern,))
    sequencer = StepSequencer(rig.clock, bank)
    sequencer.record(strength)
    return sequencer


def play(sequencer: StepSequencer, beat: float, pitch: int, beats: float = 0.2, **how: object) -> None:
    assert sequencer.recording is not None
    sequencer.recording.press(beat, pitch, 100, **how)  # type: ignore[arg-type]
    sequencer.recording.lift(beat + beats, pitch, int(str(how.get("channel", 0))))


@pytest.mark.parametrize(
    ("strength", "late", "step", "shift"),
    [(1.0, 0.05, 5, 0.0), (1.0, -0.05, 5, 0.0), (0.0, 0.05, 5, 0.2), (0.5, -0.05, 5, -0.1), (0.5, 0.1875, 6, -0.125)],
)
def test_notes_move_to_the_nearest_step_by_the_strength(
    rig: ClockRig, strength: float, late: float, step: int, shift: float
) -> None:
    sequencer = recording(rig, strength=strength)
    play(sequencer, 5 * STEP + late, 60, beats=0.5)
    (lane,) = sequencer.pattern.lanes
    assert {i: (s.pitches, s.velocity, s.gate) for i, s in lane.steps.items()} == {step: ((60,), 100, 2.0)}
    assert lane.steps[step].shift == pytest.approx(shift)


def test_swung_notes_are_found_on_their_steps(rig: ClockRig) -> None:
    sequencer = recording(rig, GridPattern(name="A", swing=0.6), 0.0)
    play(sequencer, STEP * 1.6, 60)
    assert {i: s.shift for i, s in sequencer.pattern.lanes[0].steps.items()} == {1: pytest.approx(0)}


def test_each_timbre_and_pad_has_its_lane_and_chords_share_a_step(rig: ClockRig) -> None:
    sequencer = recording(rig)
    play(sequencer, 0.0, 60)
    play(sequencer, 0.02, 64)
    play(sequencer, 0.0, 48, timbre="third")
    play(sequencer, 0.0, 50, timbre={"first": 0.5, "second": 0.5})
    play(sequencer, 0.0, 50, timbre={"first": 0.25, "third": 0.75})
    play(sequencer, 17 * STEP, 67)  # in the next round
    lanes = {
        lane.name: (lane.timbre, {i: s.pitches for i, s in lane.steps.items()}) for lane in sequencer.pattern.lanes
    }
    default = rig.engine.model.manifest.default_timbre
    assert lanes == {
        default: (default, {0: (60, 64), 1: (67,)}),
        "third": ("third", {0: (48,)}),
        "mix": ({"first": 0.5, "second": 0.5}, {0: (50,)}),
        "mix 2": ({"first": 0.25, "third": 0.75}, {0: (50,)}),
    }


def test_what_is_recorded_is_heard_in_the_next_round(rig: ClockRig) -> None:
    sequencer = recording(rig, GridPattern(name="A", length=4))
    rig.read_to(BEAT / 2)
    play(sequencer, STEP, 60, 0.1)
    sequencer.stop_recording()
    assert sequencer.recording is None
    rig.read_to(2.2 * BEAT)
    assert rig.onsets == [(1.25 * BEAT, 60)]
    sequencer.record()
    sequencer.stop()
    assert sequencer.recording is None


def test_a_full_pattern_leaves_out_what_has_no_room(rig: ClockRig) -> None:
    lanes = tuple(Lane(name=f"{i}", channel=i) for i in range(16))
    sequencer = recording(rig, GridPattern(name="A", lanes=lanes))
    play(sequencer, 0.0, 60, timbre="third")
    assert sequencer.pattern.lanes == lanes
    full = Lane(name="0", timbre="third", steps={0: GridStep(pitches=tuple(range(10)))})
    sequencer.edit(GridPattern(name="A", lanes=(full,)))
    play(sequencer, 0.0, 90, timbre="third")
    assert sequencer.pattern.lanes[0].steps[0].pitches == (*range(1, 10), 90)


def test_a_key_that_was_down_before_is_left_out(rig: ClockRig) -> None:
    sequencer = recording(rig)
    assert sequencer.recording is not None
    sequencer.recording.lift(1.0, 60)
    assert sequencer.pattern.lanes == ()
    with pytest.raises(CmaudioError, match="strength"):
        sequencer.record(2)
