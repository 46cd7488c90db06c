"""The clock: every step on its sample, whatever the tempo does, and nothing that hangs, doubles or is lost."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from conftest import TinyModel
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument.recorder import Recorder
from cmaudio.model.file import Model
from cmaudio.offline.pattern import render_pattern
from cmaudio.output.player import Player
from cmaudio.score.events import Event, Expression, NoteOff, NoteOn
from cmaudio.synth import Synth
from cmaudio.timing.clock import Clock
from cmaudio.timing.steps import Step, StepLike, note_number

RATE = 16_000  # of the tiny model
BEAT = 8_000  # samples at 120 beats a minute


class Stand:
    """A clock on an engine of the tiny model, and what was played on it."""

    def __init__(self, model: Model, tempo: float = 120, polyphony: int = 2) -> None:
        self.recorder = Recorder(Engine(model, polyphony=polyphony))
        self.engine = self.recorder.engine
        self.notices: list[str] = []
        self.clock = Clock(self.engine, tempo, on_notice=self.notices.append)

    def read_to(self, sample: float) -> None:
        while self.engine.now < sample:
            self.recorder.read(min(4096, math.ceil(sample - self.engine.now)))

    def events(self, kind: Any) -> list[tuple[int, Any]]:
        end, delay = self.engine.now, self.engine.latency_samples
        return [(at - delay, e) for at, e in self.recorder.events(0, end) if isinstance(e, kind)]

    @property
    def onsets(self) -> list[tuple[int, int]]:
        """Sample and pitch of every note; one that is called back ends where it begins."""
        found: list[tuple[int, int]] = []
        for at, event in self.events(Event):
            if isinstance(event, NoteOn):
                found.append((at, event.pitch))
            elif isinstance(event, NoteOff) and (at, event.pitch) in found:
                found.remove((at, event.pitch))
        return found

    def nothing_hangs(self) -> bool:
        return len(self.events(NoteOn)) == len(self.events(NoteOff))


@pytest.fixture
def stand(tiny: TinyModel) -> Stand:
    return Stand(tiny.model)


# -- steps -----------------------------------------------------------------------------------------------------------


def test_every_step_is_on_its_sample(stand: Stand) -> None:
    notes: list[StepLike] = [
        60,
        "Eb4",
        None,
        ("C4", 67.0),
        Step("F#3", beats=1, velocity=50),
        "_",
        {"pitch": 70, "beats": 0.25},
    ]
    stand.clock.play(notes, beat=1 / 2, velocity=[100, 70], gate=0.5)
    stand.read_to(6 * BEAT)
    assert stand.onsets == [(0, 60), (4000, 63), (12000, 60), (12000, 67), (16000, 54), (28000, 70)]
    assert [e.velocity for _, e in stand.events(NoteOn)] == [100, 70, 70, 70, 50, 100]
    assert [at for at, _ in stand.events(NoteOff)] == [2000, 6000, 14000, 14000, 22000, 29000]


def test_a_loop_of_odd_length_never_drifts_from_the_beat(stand: Stand) -> None:
    stand.clock.tempo = 112
    loop = stand.clock.play([60, 62, 64], beat=1 / 3, gate=0.2, loop=True)
    assert loop.playing
    assert loop.length == pytest.approx(1)
    stand.read_to(5 * RATE)
    exact = RATE * 60 / 112 / 3
    assert [at for at, _ in stand.onsets] == [round(k * exact) for k in range(len(stand.onsets))]
    assert len(stand.onsets) == pytest.approx(5 * RATE / exact, abs=1)


def test_swing_makes_the_second_of_each_pair_late(stand: Stand) -> None:
    stand.clock.play([60, 62, 64, 65], beat=1 / 2, swing=0.25, gate=1.0)
    stand.read_to(3 * BEAT)
    assert [at for at, _ in stand.onsets] == [0, 5000, 8000, 13000]
    assert [at for at, _ in stand.events(NoteOff)] == [5000, 8000, 13000, 16000], "held up to the next, swung too"


def test_once_in_so_many_beats(stand: Stand) -> None:
    stand.clock.play([60, 62], beat=1 / 2, every=3, gate=0.5)
    stand.clock.play([40, 41, 42, 43], every=2, gate=0.5)
    stand.read_to(6 * BEAT - 100)
    assert [at / BEAT for at, pitch in stand.onsets if pitch >= 60] == [0, 0.5, 3, 3.5]
    assert [pitch for _, pitch in stand.onsets if pitch < 60] == [40, 41] * 3


def test_a_quantised_start(stand: Stand) -> None:
    stand.read_to(1.3 * BEAT)
    stand.clock.play([60], gate=0.5)
    stand.clock.play([61], quantise=4, gate=0.5)
    stand.clock.play([62], at=2.5, gate=0.5)
    stand.clock.play([63], quantise=0, gate=0.5)
    now = stand.engine.now
    stand.read_to(5 * BEAT)
    assert stand.onsets == [(now, 63), (2 * BEAT, 60), (2.5 * BEAT, 62), (4 * BEAT, 61)]


def test_a_step_bends_and_takes_its_timbre(stand: Stand, tiny: TinyModel) -> None:
    stand.clock.play([Step(60, bend=2, timbre="second"), 64], timbre="third")
    stand.read_to(BEAT // 2)
    note = next(iter(stand.engine.allocator.notes.values()))
    assert note.bent == 2
    np.testing.assert_allclose(note.voice.timbre.target, tiny.model.timbre_vector("second"))
    stand.read_to(2 * BEAT)
    assert [e.program for _, e in stand.events(NoteOn)] == [1, 2]


def test_controls_apply_to_later_steps(stand: Stand) -> None:
    stand.clock.play([60, None, None, None], loop=True)
    stand.read_to(BEAT)
    stand.clock.controls.set("velocity", 40)
    stand.clock.controls.set_timbre("third")
    stand.read_to(5 * BEAT)
    assert [(e.velocity, e.program) for _, e in stand.events(NoteOn)] == [(96, 0), (40, 2)]


# -- time ------------------------------------------------------------------------------------------------------------


def test_the_tempo_changes_at_a_beat(stand: Stand) -> None:
    stand.clock.set_tempo(60, at=2)
    stand.clock.play([60], loop=True, gate=0.5)
    stand.read_to(6 * BEAT)
    assert [at / BEAT for at, _ in stand.onsets] == [0, 1, 2, 4, 6][: len(stand.onsets)]
    assert stand.clock.beat == pytest.approx(4, abs=0.01)
    assert stand.clock.sample(5) == 8 * BEAT


def test_a_function_changes_tempo_and_notes_at_its_beat(stand: Stand) -> None:
    loop = stand.clock.play([60], loop=True, gate=0.5)

    def turn(beat: float) -> None:
        if beat == 2:
            stand.clock.tempo = 60
            loop.replace([80])

    stand.clock.every(1, turn)
    stand.read_to(7 * BEAT - 500)
    assert stand.onsets == [(0, 60), (BEAT, 60), (2 * BEAT, 80), (4 * BEAT, 80), (6 * BEAT, 80)]


def test_the_tempo_changes_live_without_a_jump(stand: Stand) -> None:
    stand.clock.play(list(range(40, 80)), beat=1 / 4, gate=0.5)
    for tempo in (200, 50, 150, 120):
        stand.read_to(stand.engine.now + RATE // 2)
        before = stand.clock.beat
        stand.clock.tempo = tempo
        assert stand.clock.beat == pytest.approx(before)
        assert stand.clock.tempo == tempo
    stand.read_to(8 * RATE)
    assert [pitch for _, pitch in stand.onsets] == list(range(40, 80)), "none twice, none left out"
    apart = np.diff([at for at, _ in stand.onsets])
    assert apart.min() >= RATE * 60 / 200 / 4 - 1
    assert apart.max() <= RATE * 60 / 50 / 4 + 1


def test_stop_and_go_on(stand: Stand) -> None:
    stand.clock.play([60, 62, 64, 65], loop=True, gate=1.0)
    stand.read_to(1.5 * BEAT)
    stand.clock.stop()
    assert not stand.clock.running
    stood = stand.clock.beat
    stand.read_to(4 * BEAT)
    assert stand.clock.beat == stood == pytest.approx(1.5, abs=0.01)
    assert stand.nothing_hangs()
    assert len(stand.onsets) == 2
    with pytest.raises(CmaudioError, match="has no time while the clock stands"):
        stand.clock.sample(3)
    stand.clock.resume()
    start = stand.engine.now
    stand.read_to(6 * BEAT)
    assert stand.onsets[2:4] == [(start + round((2 - stood) * BEAT), 64), (start + round((3 - stood) * BEAT), 65)]


def test_what_was_scheduled_and_not_heard_is_played_after_a_stop(stand: Stand) -> None:
    stand.clock.play([60, 62], loop=True, gate=0.1)
    stand.read_to(BEAT - 300)  # the next note is on its way
    stand.clock.stop()
    stand.read_to(2 * BEAT)
    assert [pitch for _, pitch in stand.onsets] == [60]
    stand.clock.resume()
    start = stand.engine.now
    stand.read_to(3 * BEAT)
    assert stand.onsets[1][1] == 62
    assert stand.onsets[1][0] - start == pytest.approx(300, abs=64)


def test_from_the_top(stand: Stand) -> None:
    called = list[float]()
    stand.clock.play([60, 62, 64], loop=True, gate=0.5)
    stand.clock.every(2, called.append)
    stand.read_to(4.5 * BEAT)
    stand.clock.start()
    start = stand.engine.now
    stand.read_to(start + 2 * BEAT - 2000)
    assert stand.onsets[-2:] == [(start, 60), (start + BEAT, 62)]
    assert called[:3] == [0, 2, 4]
    assert called[3:] == [0]
    stand.clock.locate(7)
    stand.read_to(stand.engine.now + 1.5 * BEAT)
    assert [pitch for _, pitch in stand.onsets[-2:]] == [62, 64], "steps 7 and 8"
    assert stand.clock.beat == pytest.approx(8.5, abs=0.02)


# -- handles ---------------------------------------------------------------------------------------------------------


def test_replaced_at_the_boundary(stand: Stand) -> None:
    loop = stand.clock.play([60, 61], beat=1 / 2, loop=True, quantise=2, gate=1.0)
    stand.read_to(2.6 * BEAT)
    loop.replace([80, 81, 82])
    stand.read_to(6 * BEAT)
    assert [pitch for _, pitch in stand.onsets if pitch < 80] == [60, 61] * 4, "up to beat 4"
    assert [(at / BEAT, pitch) for at, pitch in stand.onsets if pitch >= 80][:4] == [
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


def test_a_step_that_is_on_its_way_is_not_replaced_and_not_doubled(stand: Stand) -> None:
    loop = stand.clock.play([60], loop=True, gate=0.5)
    stand.read_to(2 * BEAT - 300)
    loop.replace([80])
    stand.read_to(5 * BEAT - 300)
    assert stand.onsets == [(0, 60), (BEAT, 60), (2 * BEAT, 60), (3 * BEAT, 80), (4 * BEAT, 80)]


def test_stop_leaves_no_note_hanging(stand: Stand) -> None:
    loop = stand.clock.play([(60, 64), "_", "_", "_"], loop=True, gate=2.0)
    stand.read_to(BEAT)
    loop.stop()
    assert not loop.playing
    stand.read_to(1.5 * BEAT)
    assert stand.nothing_hangs()
    assert stand.events(NoteOff)[-1][0] == pytest.approx(BEAT, abs=64)
    stand.read_to(8 * BEAT)
    assert len(stand.onsets) == 2


def test_stop_at_a_boundary_lets_go_there(stand: Stand) -> None:
    loop = stand.clock.play([60, "_", "_"], loop=True, gate=1.0)
    stand.read_to(3.5 * BEAT)
    loop.stop(quantise=4)
    stand.read_to(8 * BEAT)
    assert [at / BEAT for at, _ in stand.onsets] == [0, 3]
    assert [at / BEAT for at, _ in stand.events(NoteOff)] == [3, 4]
    assert not loop.playing


def test_a_muted_pattern_keeps_its_place(stand: Stand) -> None:
    loop = stand.clock.play([60, 61, 62, 63], loop=True, gate=0.5)
    stand.read_to(1.5 * BEAT)
    loop.mute()
    assert loop.muted
    stand.read_to(4.5 * BEAT)
    loop.mute(False)
    stand.read_to(6 * BEAT)
    assert [pitch for _, pitch in stand.onsets] == [60, 61, 61]


def test_a_function_schedules_exactly_and_its_error_ends_it_alone(stand: Stand) -> None:
    def strike(beat: float) -> None:
        stand.engine.press(round(40 + beat), at=stand.clock.sample(beat + 0.5))
        stand.clock.play([90], beat=1 / 4)

    def broken(beat: float) -> None:
        if beat == 2:
            raise ValueError("not today")

    stand.clock.every(2, strike)
    failing = stand.clock.every(1, broken)
    stand.read_to(6 * BEAT)
    expected = [(0, 90), (0.5, 40), (2, 90), (2.5, 42), (4, 90), (4.5, 44)]
    assert [(at / BEAT, pitch) for at, pitch in stand.onsets if at < 5 * BEAT] == expected
    assert stand.notices == ["broken every 1 beats ended: ValueError: not today"]
    assert not stand.clock.has(failing)


def test_a_glide_arrives_on_the_beat_unless_a_hand_moves_the_control(stand: Stand) -> None:
    stand.clock.play([60, "_", "_", "_", "_", "_"])
    stand.clock.glide("brightness", 3, beats=2, quantise=1)
    stand.read_to(3 * BEAT)
    moves = [(at, e.value) for at, e in stand.events(Expression) if e.name == "brightness"]
    assert moves[-1] == (2 * BEAT, 3)
    assert len(moves) == 48
    np.testing.assert_allclose([value for _, value in moves], [3 * at / (2 * BEAT) for at, _ in moves], atol=1e-3)
    stand.clock.glide("tempo", 60, beats=1, quantise=1)
    stand.clock.glide("resonance", 1, beats=4)
    stand.read_to(6 * BEAT)
    assert stand.clock.tempo == pytest.approx(60)
    stand.clock.controls.set("resonance", -0.5)
    stand.read_to(10 * BEAT)
    assert stand.clock.controls["resonance"] == -0.5


# -- chance and samples ----------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same(tiny: TinyModel) -> None:
    def drawn(seed: int, cut: int) -> list[tuple[int, Any]]:
        stand = Stand(tiny.model)
        notes: list[StepLike] = [Step(60, probability=0.5), 62, Step(64, probability=0.7), 65]
        stand.clock.play(notes, beat=1 / 2, humanise_ms=10, seed=seed, loop=True, gate=0.5)
        while stand.engine.now < 7 * BEAT:
            stand.recorder.read(cut)
        return [(at, e) for at, e in stand.events(NoteOn) if at < 6 * BEAT]

    first = drawn(1, 4096)
    assert first == drawn(1, 333)
    assert first != drawn(2, 4096)
    off = np.array([(at + BEAT // 4) % (BEAT // 2) - BEAT // 4 for at, _ in first])
    assert np.abs(off).max() <= 0.010 * RATE + 1
    assert len(set(off.tolist())) > 5
    assert 5 < len(first) < 12, "some did not sound"


def test_a_note_that_is_late_keeps_its_length(stand: Stand) -> None:
    stand.clock.play([60, 62, 64, 65], beat=1 / 4, gate=0.1, humanise_ms=50, loop=True)
    stand.read_to(6 * BEAT)
    ons, offs = [[at for at, _ in stand.events(kind)] for kind in (NoteOn, NoteOff)]
    assert len(ons) > 20
    np.testing.assert_array_equal(np.array(offs[1:20]) - ons[1:20], 200)


def groove(clock: Clock) -> None:
    clock.play([60, None, (63, 67), 70], beat=1 / 2, swing=0.2, velocity=[100, 70], humanise_ms=6, loop=True, gate=0.7)
    clock.play([Step(36, bend=1), 36, "_", Step(31, probability=0.5)], timbre="second", loop=True)
    clock.every(2, lambda beat: clock.glide("brightness", beat % 4, beats=1.5))


def test_the_same_samples_however_they_are_read(tiny: TinyModel) -> None:
    found = []
    for cuts in ([48_000], [4096], [1, 63, 64, 65, 1000, 7000]):
        engine = Engine(tiny.model)
        groove(Clock(engine))
        samples, turn = np.zeros(0, np.float32), 0
        while len(samples) < 2 * RATE:
            samples = np.concatenate([samples, engine.read(min(cuts[turn % len(cuts)], 2 * RATE - len(samples)))])
            turn += 1
        found.append(samples)
    assert np.abs(found[0]).max() > 0.01
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-6)


def test_one_voice_is_the_same_to_the_bit(model: Model) -> None:
    """Voices that share an evaluation round differently with their number; one has none to share with."""
    found = []
    for cut in (40_000, 777):
        engine = Engine(model)
        clock = Clock(engine, 130)
        clock.play([60, Step(67, probability=0.5), 63], beat=1 / 2, gate=0.3, timbre="marimba", loop=True, seed=4)
        found.append(np.concatenate([engine.read(cut) for _ in range(-(-40_000 // cut))])[:40_000])
    np.testing.assert_array_equal(found[0], found[1])
    loud = np.abs(found[0])
    assert loud[: round(48_000 * 0.2)].max() > 0.01


def test_rendered_offline(tiny: TinyModel, tmp_path: Any) -> None:
    samples = render_pattern(groove, 2, tmp_path / "groove.wav", model=tiny.model, tail=1)
    assert 2 * BEAT <= len(samples) <= 2 * BEAT + RATE
    assert (tmp_path / "groove.wav").exists()
    engine = Engine(tiny.model)
    clock = Clock(engine)
    groove(clock)
    clock.finish(2)
    engine.read(engine.latency_samples)
    np.testing.assert_allclose(samples[: 2 * BEAT], engine.read(2 * BEAT), atol=1e-4)
    once = render_pattern([60, 64], 3, model=tiny.model, beat=1 / 4, loop=False, tail=0)
    assert len(once) == 3 * BEAT


# -- MIDI clock ------------------------------------------------------------------------------------------------------


def pulses(stand: Stand, times: list[float], late_ms: float, seed: int) -> list[float]:
    """Send pulses at these seconds, each up to so much late; returns how many beats ahead the clock is each time."""
    rng, off = np.random.default_rng(seed), []
    for count, seconds in enumerate(times):
        arrived = seconds + rng.uniform(0, late_ms / 1000)
        stand.read_to(arrived * RATE)
        stand.clock.midi("pulse", arrived)
        off.append(stand.clock.map.beat_at(seconds * RATE) - count / 24)
    return off


@settings(max_examples=5, deadline=None)
@given(st.floats(50, 220), st.floats(1, 3), st.integers(0, 1000), st.booleans())
def test_a_midi_clock_is_followed(tiny: TinyModel, tempo: float, late_ms: float, seed: int, before: bool) -> None:
    stand = Stand(tiny.model, polyphony=1)
    stand.clock.midi("stop", 0)
    stand.clock.play([30, *range(40, 80)], beat=1 / 4, gate=0.1, loop=True)
    interval, start = 60 / tempo / 24, 0.2
    if before:  # many send pulses while they stand
        pulses(stand, [start + k * interval for k in range(48)], late_ms, seed)
        assert stand.onsets == []
        assert stand.clock.tempo == pytest.approx(tempo, rel=0.03)
        start += 48 * interval
    else:
        stand.clock.tempo = min(400, tempo * 1.2)  # not quite
    stand.clock.midi("start", start - interval / 2)
    off = pulses(stand, [start + k * interval for k in range(24 * 7)], late_ms, seed + 1)
    seconds_off = np.array(off[24 * 4 :]) * 60 / tempo + late_ms / 2000
    assert np.abs(seconds_off).max() < 0.003, "off from the mean arrival, after four beats"
    assert stand.clock.following
    pitches = [pitch for _, pitch in stand.onsets]
    assert pitches == ([30, *range(40, 80)] * 3)[: len(pitches)], "no step twice, none left out"
    assert len(pitches) == pytest.approx(28, abs=2)
    assert stand.clock.dropped == 0


def test_a_change_of_tempo_is_followed_and_a_lost_clock_leaves_its_tempo(stand: Stand) -> None:
    stand.clock.midi("stop", 0)
    stand.clock.midi("start", 0)
    stand.clock.play(list(range(20, 100)), beat=1 / 4, gate=0.1)
    times = np.cumsum([0.0] + [60 / 120 / 24] * 96 + [60 / 150 / 24] * 144)
    pulses(stand, times.tolist(), 1, 0)
    assert stand.clock.tempo == pytest.approx(150, rel=0.02)
    assert stand.clock.beat == pytest.approx(10, abs=0.03)
    stand.read_to(stand.engine.now + 2 * RATE)
    assert not stand.clock.following
    assert stand.clock.tempo == pytest.approx(150, rel=0.02)
    assert stand.clock.beat == pytest.approx(15, abs=0.1), "it goes on"
    back = stand.engine.now / RATE
    whole = np.round(stand.clock.beat * 24)
    for k in range(48):
        seconds = back + k * 60 / 150 / 24
        stand.read_to(seconds * RATE)
        stand.clock.midi("pulse", seconds)
    assert stand.clock.beat * 24 == pytest.approx(whole + 47, abs=0.6), "the nearest pulse is taken for it"
    pitches = [pitch for _, pitch in stand.onsets]
    assert pitches == list(range(20, 20 + len(pitches)))


def test_stop_position_and_continue(stand: Stand) -> None:
    stand.clock.play([60, 61, 62, 63], loop=True, gate=0.5)
    pulses(stand, [k / 48 for k in range(60)], 0, 0)
    stand.clock.midi("stop", 1.25)
    stand.clock.midi("position", 1.3, 4 * 4 + 8)  # six beats
    stand.read_to(2 * RATE)
    assert stand.clock.beat == 6
    assert stand.nothing_hangs()
    stand.clock.midi("continue", 2.0)
    pulses(stand, [2.1 + k / 48 for k in range(48)], 0, 0)
    assert [pitch for _, pitch in stand.onsets][-2:] == [62, 63]
    assert stand.onsets[-2][0] == pytest.approx(2.1 * RATE, abs=64)
    assert stand.clock.beat == pytest.approx(8, abs=0.05)
    with pytest.raises(CmaudioError, match="pulse, start, continue, stop, position, not 'tick'"):
        stand.clock.midi("tick", 0)
    stand.clock.offset_ms = -20
    with pytest.raises(CmaudioError, match="offset_ms"):
        stand.clock.offset_ms = 5000


# -- live ------------------------------------------------------------------------------------------------------------


class SilentPlayer:
    def wake(self) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def synth(tiny: TinyModel) -> Synth:
    recorder = Recorder(Engine(tiny.model))
    return Synth(recorder.engine, recorder, cast("Player", SilentPlayer()))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_a_thread_keeps_ahead_of_what_is_made(synth: Synth) -> None:
    loop = synth.play([60, 63, 67, None], beat=1 / 4, loop=True, gate=0.5, quantise=1)
    wait_for(lambda: not synth.engine.idle)
    while synth.engine.now < 4 * BEAT:
        wait_for(lambda: synth.clock.looked_to > synth.engine.now + 1024)
        synth.recorder.read(256)
    found = synth.recorder.events(0, 3 * BEAT)
    start = synth.clock.sample(loop.start)
    onsets = [at - synth.engine.latency_samples - start for at, e in found if isinstance(e, NoteOn)]
    grid = [k * BEAT // 4 for k in range(16) if k % 4 < 3]
    assert onsets == grid[: len(onsets)]
    assert len(onsets) >= 8
    assert (synth.clock.late, synth.clock.dropped) == (0, 0)
    synth.close()
    assert not loop.playing


def test_a_scheduler_that_was_kept_away_drops_what_is_too_late(synth: Synth) -> None:
    synth.play(list(range(40, 104)), beat=1 / 4, gate=0.5)
    wait_for(lambda: not synth.engine.idle)
    with synth.clock.lock:
        synth.recorder.read(4 * BEAT)
    wait_for(lambda: synth.clock.looked_to > synth.engine.now + 1024)
    for _ in range(200):
        wait_for(lambda: synth.clock.looked_to > synth.engine.now + 512)
        synth.recorder.read(256)
    onsets = [(at, e.pitch) for at, e in synth.recorder.events(0, 2**40) if isinstance(e, NoteOn)]
    apart = np.diff([at for at, _ in onsets])
    assert synth.clock.dropped > 8
    pitches = [pitch for _, pitch in onsets]
    assert pitches == sorted(set(pitches))
    assert apart.min() > BEAT // 4 - 0.08 * RATE, "no burst"
    synth.close()


def test_an_engine_that_panics_goes_on_in_time(stand: Stand) -> None:
    stand.clock.play([60, 62], loop=True, gate=0.5)
    stand.read_to(1.2 * BEAT)
    stand.engine.panic()
    stand.clock.play([70], quantise=1)
    stand.read_to(3.5 * BEAT)
    assert stand.onsets[2:] == [(2 * BEAT, 60), (2 * BEAT, 70), (3 * BEAT, 62)]


def test_panic_ends_patterns(synth: Synth) -> None:
    loop = synth.play([60], loop=True, quantise=0)
    synth.panic()
    assert not loop.playing
    synth.close()


# -- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "changes", "told"),
    [
        ([], {}, "needs at least one step"),
        ("C4 E4", {}, "a pattern is a list of notes"),
        (60, {}, "a pattern is a list of notes"),
        ([60, "H4"], {}, 'step 2 of the pattern: a note is named from "C-1" to "G9"'),
        ([60, 128], {}, "step 2 of the pattern: pitch must be a number from 0 to 127"),
        ([True], {}, "step 1 of the pattern: pitch must be"),
        (["_"], {}, "there is none"),
        ([(60, None)], {}, "a chord is a tuple of notes"),
        ([{"pich": 60}], {}, "a step has a pitch, and of beats, velocity"),
        ([Step(60, beats=0)], {}, "beats must be a number from 0.015625"),
        ([Step(60, probability=2)], {}, "probability must be a number from 0 to 1"),
        ([Step(60, velocity=0)], {}, "velocity must be a number from 1 to 127"),
        ([Step(60, timbre="frist")], {}, "unknown timbre 'frist'"),
        ([60], {"timbre": "frist"}, "unknown timbre 'frist'"),
        ([60], {"swing": 1}, "swing must be a number from 0 to 0.9"),
        ([60], {"velocity": [100, 0]}, "velocity must be"),
        ([60], {"velocity": []}, "not an empty list"),
        ([60], {"gate": -1}, "gate must be"),
        ([60], {"seed": 0.5}, "seed must be a whole number"),
        ([60], {"quantise": -1}, "quantise must be"),
        ([60], {"at": -1}, "at must be"),
        ([60], {"swng": 0.1}, "a pattern has no 'swng'; there are beat, velocity"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_named(stand: Stand, notes: Any, changes: Any, told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        stand.clock.play(notes, **changes)
    assert stand.engine.idle


def test_what_else_is_wrong_is_named(stand: Stand, tiny_voice: Model) -> None:
    with pytest.raises(CmaudioError, match="no control 'bright'"):
        stand.clock.glide("bright", 1, 4)
    with pytest.raises(CmaudioError, match="brightness must be a number from -6 to 6"):
        stand.clock.glide("brightness", 7, 4)
    with pytest.raises(CmaudioError, match="tempo must be"):
        stand.clock.tempo = 1000
    with pytest.raises(CmaudioError, match="beats must be"):
        stand.clock.every(0, print)
    with pytest.raises(CmaudioError, match="reads text and plays no patterns"):
        Clock(Engine(tiny_voice)).play([60])


@given(st.text(max_size=6))
def test_a_name_is_a_note_or_a_clear_error(name: str) -> None:
    try:
        number = note_number(name)
    except CmaudioError:
        with pytest.raises(CmaudioError, match=re.escape(repr(name))):
            note_number(name)
    else:
        assert 0 <= number <= 127


def test_names_of_notes() -> None:
    names = {"C4": 60, "F#3": 54, "Bb2": 46, "c-1": 0, "G9": 127, "Cb4": 59, "E##2": 42, "A♭4": 68}
    assert {name: note_number(name) for name in names} == names
