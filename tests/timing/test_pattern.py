"""Patterns: steps on their exact samples; replacing, stopping and muting them."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE, ClockRig

from cmaudio.errors import CmaudioError
from cmaudio.score.events import NoteOff, NoteOn
from cmaudio.timing.steps import Step, StepLike


def test_steps_start_and_end_on_their_exact_samples(rig: ClockRig) -> None:
    notes: list[StepLike] = [
        60,
        "Eb4",
        None,
        ("C4", 67.0),
        Step("F#3", beats=1, velocity=50),
        "_",
        {"pitch": 70, "beats": 0.25},
    ]
    rig.clock.play(notes, beat=1 / 2, velocity=[100, 70], gate=0.5)
    rig.read_to(6 * BEAT)
    assert rig.onsets == [(0, 60), (4000, 63), (12000, 60), (12000, 67), (16000, 54), (28000, 70)]
    assert [e.velocity for _, e in rig.events(NoteOn)] == [100, 70, 70, 70, 50, 100]
    assert [at for at, _ in rig.events(NoteOff)] == [2000, 6000, 14000, 14000, 22000, 29000]


def test_loop_of_thirds_does_not_drift(rig: ClockRig) -> None:
    rig.clock.tempo = 112
    loop = rig.clock.play([60, 62, 64], beat=1 / 3, gate=0.2, loop=True)
    assert loop.playing
    assert loop.length == pytest.approx(1)
    rig.read_to(5 * RATE)
    exact = RATE * 60 / 112 / 3
    assert [at for at, _ in rig.onsets] == [round(k * exact) for k in range(len(rig.onsets))]
    assert len(rig.onsets) == pytest.approx(5 * RATE / exact, abs=1)


def test_swing_delays_every_second_step(rig: ClockRig) -> None:
    rig.clock.play([60, 62, 64, 65], beat=1 / 2, swing=0.25, gate=1.0)
    rig.read_to(3 * BEAT)
    assert [at for at, _ in rig.onsets] == [0, 5000, 8000, 13000]
    assert [at for at, _ in rig.events(NoteOff)] == [5000, 8000, 13000, 16000], "held up to the next, swung too"


def test_every_repeats_a_pattern_at_its_interval(rig: ClockRig) -> None:
    rig.clock.play([60, 62], beat=1 / 2, every=3, gate=0.5)
    rig.clock.play([40, 41, 42, 43], every=2, gate=0.5)
    rig.read_to(6 * BEAT - 100)
    assert [at / BEAT for at, pitch in rig.onsets if pitch >= 60] == [0, 0.5, 3, 3.5]
    assert [pitch for _, pitch in rig.onsets if pitch < 60] == [40, 41] * 3


def test_patterns_start_at_their_quantised_beat(rig: ClockRig) -> None:
    rig.read_to(1.3 * BEAT)
    rig.clock.play([60], gate=0.5)
    rig.clock.play([61], quantise=4, gate=0.5)
    rig.clock.play([62], at=2.5, gate=0.5)
    rig.clock.play([63], quantise=0, gate=0.5)
    now = rig.engine.now
    rig.read_to(5 * BEAT)
    assert rig.onsets == [(now, 63), (2 * BEAT, 60), (2.5 * BEAT, 62), (4 * BEAT, 61)]


def test_step_sets_bend_and_timbre(rig: ClockRig, tiny: TinyModel) -> None:
    rig.clock.play([Step(60, bend=2, timbre="second"), 64], timbre="third")
    rig.read_to(BEAT // 2)
    note = next(iter(rig.engine.allocator.notes.values()))
    assert note.bent == 2
    np.testing.assert_allclose(note.voice.timbre.target, tiny.model.timbre_vector("second"))
    rig.read_to(2 * BEAT)
    assert [e.program for _, e in rig.events(NoteOn)] == [1, 2]


def test_controls_apply_to_later_steps(rig: ClockRig) -> None:
    rig.clock.play([60, None, None, None], loop=True)
    rig.read_to(BEAT)
    rig.clock.controls.set("velocity", 40)
    rig.clock.controls.set_timbre("third")
    rig.read_to(5 * BEAT)
    assert [(e.velocity, e.program) for _, e in rig.events(NoteOn)] == [(96, 0), (40, 2)]


def test_replace_takes_effect_at_the_quantised_beat(rig: ClockRig) -> None:
    loop = rig.clock.play([60, 61], beat=1 / 2, loop=True, quantise=2, gate=1.0)
    rig.read_to(2.6 * BEAT)
    loop.replace([80, 81, 82])
    rig.read_to(6 * BEAT)
    assert [pitch for _, pitch in rig.onsets if pitch < 80] == [60, 61] * 4, "up to beat 4"
    assert [(at / BEAT, pitch) for at, pitch in rig.onsets if pitch >= 80][:4] == [
        (4, 80),
        (4.5, 81),
        (5, 82),
        (5.5, 80),
    ]
    with pytest.raises(CmaudioError, match="step 2 of the pattern"):
        loop.replace([80, "H4"])
    loop.stop()
    with pytest.raises(CmaudioError, match="has ended"):
        loop.replace([60])


def test_replace_keeps_a_step_that_is_already_scheduled(rig: ClockRig) -> None:
    loop = rig.clock.play([60], loop=True, gate=0.5)
    rig.read_to(2 * BEAT - 300)
    loop.replace([80])
    rig.read_to(5 * BEAT - 300)
    assert rig.onsets == [(0, 60), (BEAT, 60), (2 * BEAT, 60), (3 * BEAT, 80), (4 * BEAT, 80)]


def test_stopping_a_pattern_releases_its_notes(rig: ClockRig) -> None:
    loop = rig.clock.play([(60, 64), "_", "_", "_"], loop=True, gate=2.0)
    rig.read_to(BEAT)
    loop.stop()
    assert not loop.playing
    rig.read_to(1.5 * BEAT)
    assert rig.no_note_hangs()
    assert rig.events(NoteOff)[-1][0] == pytest.approx(BEAT, abs=64)
    rig.read_to(8 * BEAT)
    assert len(rig.onsets) == 2


def test_quantised_stop_releases_notes_at_its_beat(rig: ClockRig) -> None:
    loop = rig.clock.play([60, "_", "_"], loop=True, gate=1.0)
    rig.read_to(3.5 * BEAT)
    loop.stop(quantise=4)
    rig.read_to(8 * BEAT)
    assert [at / BEAT for at, _ in rig.onsets] == [0, 3]
    assert [at / BEAT for at, _ in rig.events(NoteOff)] == [3, 4]
    assert not loop.playing


def test_muted_pattern_keeps_its_place(rig: ClockRig) -> None:
    loop = rig.clock.play([60, 61, 62, 63], loop=True, gate=0.5)
    rig.read_to(1.5 * BEAT)
    loop.mute()
    assert loop.muted
    rig.read_to(4.5 * BEAT)
    loop.mute(False)
    rig.read_to(6 * BEAT)
    assert [pitch for _, pitch in rig.onsets] == [60, 61, 61]
