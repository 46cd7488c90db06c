"""The engine on the embedded model: events, time, voices. No device and, but for one test, no thread."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.score.events import AllNotesOff, ChannelGain, NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.score.ranges import BEND_MAX_SEMITONES
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.batching import batch_to_spare
from cmaudio.synthesis.voice import Voice

RATE = 48_000
PURE = "whistle"  # nearly all of its power is in the fundamental, so that a click or a wrong pitch stands out
STEADY = "church organ"


def schedule_a_bit_of_everything(engine: Engine) -> None:
    """Bends, morphs, pedal, releases, gains, and with 4 voices steals, at times that share no grid."""
    engine.pitch_wheel(0.3, at=0)
    notes = [
        engine.note_on(pitch, velocity, timbre=timbre, channel=channel, at=at)
        for pitch, velocity, timbre, channel, at in (
            (60, 100, "violin", 0, 101),
            (64.5, 70, "electric piano 1", 1, 1033),
            (67, 90, {"flute": 1, "oboe": 2}, 0, 4000),
            (48, 120, "acoustic bass", 2, 9999),
            (72, 60, "vibraphone", 1, 12_345),
            (76, 80, None, 1, 16_001),
            (55, 127, "trumpet", 2, 16_001),
        )
    ]
    notes[0].bend(2.5, 0.05, at=7001)
    notes[0].morph("trumpet", 0.1, at=8005)
    engine.sustain(True, 1, at=2000)
    notes[1].off(at=5003)
    engine.bend(-1, 1, at=6007)
    engine.sustain(False, 1, at=13_007)
    notes[2].off(at=11_003)
    engine.channel_gain(0.4, 0, at=10_001)
    engine.master_gain(-3, at=15_013)
    engine.all_notes_off(2, at=20_011)


def performance(model: Model, read: int, samples: int = 26_000, **settings: Any) -> Float:
    engine = Engine(model, **{"polyphony": 4, "seed": 7, **settings})
    schedule_a_bit_of_everything(engine)
    parts = [engine.read(min(read, samples - start)) for start in range(0, samples, read)]
    return np.concatenate(parts)


@pytest.mark.parametrize("times", [1, 2, 20])
def test_preparing_ahead_changes_no_sample(model: Model, times: int) -> None:
    """Also where it stops between the two halves of a block."""
    engine = Engine(model, polyphony=4, seed=7, batch_ahead_samples=1024)
    schedule_a_bit_of_everything(engine)
    parts, did = [], 0
    for start in range(0, 26_000, 256):
        did += sum(engine.prepare() for _ in range(times))
        parts.append(engine.read(min(256, 26_000 - start)))
    assert did > 20
    np.testing.assert_array_equal(np.concatenate(parts), performance(model, 256))


def test_all_that_can_be_prepared_leaves_the_reads_nothing_to_make(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(model, seed=7, batch_ahead_samples=1024)
    for key in (50, 57, 64, 71):
        engine.note_on(key, at=300 * key % 700)
    made, render = list[int](), engine._renderer.render

    def watched(voices: Sequence[Voice]) -> None:
        made.append(len(voices))
        render(voices)

    monkeypatch.setattr(engine._renderer, "render", watched)
    for _ in range(40):
        while engine.prepare():
            pass
        made.clear()
        engine.read(128)
        assert not made


def test_two_step_voices_share_evaluations_with_fewer_others(model: Model) -> None:
    engine = Engine(model, steps=2)
    notes = [engine.note_on(40 + 3 * i, timbre=STEADY) for i in range(8)]
    engine.read(2_000)
    voices = [note.voice for note in notes if note.voice is not None]
    assert len(voices) == 8
    assert len(batch_to_spare(voices, engine.now + RATE)) == 3, "six evaluations of sixteen"
    assert len(batch_to_spare(voices[:4], engine.now + RATE)) == 2, "four of eight: what begins meanwhile waits less"
    for voice in voices:
        voice.steps = 1
    assert len(batch_to_spare(voices, engine.now + RATE)) == 4


def test_who_falls_behind_lets_go_of_tails_first_and_gets_them_back(model: Model) -> None:
    engine = Engine(model, polyphony=12)
    notes = [engine.note_on(40 + 3 * i, timbre=STEADY) for i in range(12)]
    engine.read(2_000)
    for note in notes[:2]:
        note.off()
    engine.read(2_000)
    assert (engine.state().voices, engine.state().limit) == (12, 12)
    for _ in range(8):
        engine.on_overload()
        engine.read(1_000)
        assert notes[0].ended, "first a note that was let go"
    assert notes[1].ended
    assert engine.state().limit == 4, "few voices are not why a machine falls behind"
    engine.on_overload()
    assert engine.state().limit == engine.state().voices == 4
    engine.note_on(90, timbre=STEADY)
    engine.read(1_000)
    assert engine.state().voices == 4
    engine.all_notes_off()
    for _ in range(33):
        engine.read(RATE)
    assert engine.state().limit == 12


def test_who_falls_behind_makes_blocks_in_one_step_for_a_while(model: Model) -> None:
    engine = Engine(model, polyphony=6, steps=2)
    note = engine.note_on(50, timbre=STEADY)
    engine.read(2_000)
    assert note.voice is not None
    assert note.voice.steps == 2
    engine.on_overload()
    during = engine.note_on(60, timbre=STEADY)
    engine.read(2_000)
    assert during.voice is not None
    assert (note.voice.steps, during.voice.steps) == (1, 1)
    assert engine.state().limit == 6, "two voices are not why a machine falls behind"
    for _ in range(5):
        engine.read(RATE)
    after = engine.note_on(70, timbre=STEADY)
    engine.read(2_000)
    assert after.voice is not None
    assert after.voice.steps == 2


def test_a_prepared_note_is_made_before_it_is_read(model: Model) -> None:
    engine = Engine(model, seed=7)
    note = engine.note_on(60, at=500)
    engine.prepare()
    assert note.voice is not None
    assert note.voice.network is not None, "its first block is there"
    assert engine.now == 0


@pytest.fixture(scope="module")
def offline(model: Model) -> Float:
    return performance(model, 26_000)


def second_difference(x: Float) -> float:
    return float(np.abs(np.diff(x.astype(np.float64), 2)).max())


def read_until_idle(engine: Engine, seconds: float) -> None:
    for _ in range(round(2 * seconds)):
        engine.read(RATE // 2)
        if engine.idle:
            return
    pytest.fail(f"still sounding after {seconds} s")


def rms(x: Float) -> float:
    return float(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


# -- reads -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [1, 64, 65, 512, 8193])
def test_streaming_equals_offline(model: Model, offline: Float, read: int) -> None:
    assert rms(offline) > 0.01
    np.testing.assert_allclose(performance(model, read), offline, atol=1e-4)


def test_a_second_thread_changes_nothing(model: Model, offline: Float) -> None:
    for read in (512, 26_000):
        np.testing.assert_allclose(performance(model, read, threads=2), offline, atol=1e-4)


def test_uneven_reads_lose_and_repeat_nothing(model: Model, offline: Float) -> None:
    engine = Engine(model, polyphony=4, seed=7)
    schedule_a_bit_of_everything(engine)
    sizes = [0, 1, 63, 64, 0, 2000, 7, 129, 5000, 1, 4096, 999]
    found = np.concatenate([engine.read(size) for size in sizes])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, offline[: sum(sizes)], atol=1e-4)


def test_making_blocks_ahead_changes_nothing_that_was_scheduled(model: Model) -> None:
    expected = performance(model, 26_000, polyphony=16)
    for read in (512, 4096):
        found = performance(model, read, polyphony=16, batch_ahead_samples=2048)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_making_blocks_ahead_steals_the_same_voices(model: Model, offline: Float) -> None:
    np.testing.assert_allclose(performance(model, 4096, batch_ahead_samples=2048), offline, atol=1e-4)


def crowded_score(seconds: float) -> Score:
    """Short and long notes that die away, ring on under the pedal, are bent, and are at times more than six."""
    rng = np.random.default_rng(5)
    found: list[tuple[float, Any]] = []
    for at in np.arange(0.05, seconds - 1, 0.11):
        pitch, channel = int(rng.integers(40, 84)), int(rng.integers(0, 2))
        found.append((float(at), NoteOn(channel, pitch, int(rng.integers(30, 120)), channel)))
        found.append((float(at + rng.choice([0.06, 0.2, 0.9])), NoteOff(channel, pitch)))
    found += [(1.0, Sustain(0, True)), (1.6, Sustain(0, False)), (2.0, PitchBend(1, 1.5)), (2.3, PitchBend(1, 0.0))]
    return Score("crowd", sorted(found, key=lambda pair: pair[0]), seconds, [0, 1], [], [])


@pytest.mark.parametrize("polyphony", [5, 32])
def test_looking_ahead_changes_nothing_that_was_scheduled(model: Model, polyphony: int) -> None:
    found = []
    for settings in ({}, {"look_ahead_samples": 2**17}, {"look_ahead_samples": 2**17, "threads": 2, "pipelined": True}):
        engine = Engine(model, polyphony=polyphony, **settings)  # type: ignore[arg-type]
        engine.play(crowded_score(4.0), {0: "acoustic grand piano", 1: "marimba"})
        found.append(np.concatenate([engine.read(8193) for _ in range(24)]))
    assert rms(found[0]) > 0.005
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)


def test_what_comes_late_to_an_engine_that_looks_ahead_takes_effect_after_what_is_made(model: Model) -> None:
    ahead = RATE
    engine = Engine(model, look_ahead_samples=ahead)
    note = engine.note_on(62, 100, timbre=STEADY, at=0)
    before = engine.read(4096)
    note.bend(3)
    note.off(at=RATE // 2)
    whole = np.concatenate([before, *(engine.read(4096) for _ in range(48))])
    undisturbed = Engine(model, look_ahead_samples=ahead)
    undisturbed.note_on(62, 100, timbre=STEADY, at=0)
    untouched = ahead - 2 * 2048  # the block in which it takes effect, and the reach of its windows
    np.testing.assert_array_equal(whole[:untouched], undisturbed.read(untouched))
    read_until_idle(engine, 8)


def test_warm_up_is_not_heard(model: Model) -> None:
    found = []
    for warm in (False, True):
        engine = Engine(model)
        if warm:
            engine.warm_up()
        engine.note_on(60, seed=1)
        found.append(engine.read(6000))
        assert engine.state().voices == 1
    np.testing.assert_array_equal(found[0], found[1])


# -- notes and time --------------------------------------------------------------------------------------------------


def test_same_seed_same_samples_whatever_else_sounds(model: Model) -> None:
    found = []
    for others in (0, 1, 4, 7):
        engine = Engine(model)
        engine.channel_gain(0, 1, at=0)  # others are computed, and add exact zeros
        note = engine.note_on(62, 90, timbre="violin", seed=11, at=2000)
        note.bend(1, at=5000)
        for index in range(others):
            engine.note_on(40 + 5 * index, timbre="cello", channel=1, at=1000 + 777 * index)
        found.append(engine.read(20_000))
    assert rms(found[0]) > 0.001
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_seeds_differ_and_the_engines_seed_decides(model: Model) -> None:
    def play(engine_seed: int, seed: int | None) -> Float:
        engine = Engine(model, seed=engine_seed)
        engine.note_on(60, seed=seed)
        return engine.read(6000)

    np.testing.assert_array_equal(play(1, None), play(1, None))
    np.testing.assert_array_equal(play(1, 5), play(2, 5))
    assert np.abs(play(1, None) - play(2, None)).max() > 1e-4
    assert np.abs(play(1, 5) - play(1, 6)).max() > 1e-4


@pytest.mark.parametrize("shift", [1, 63, 64, 777, 5000])
def test_a_note_moved_by_n_samples_moves_its_sound_by_n(model: Model, shift: int) -> None:
    found = []
    for start in (100, 100 + shift):
        engine = Engine(model)
        note = engine.note_on(60, timbre="marimba", seed=2, at=start)
        note.bend(1, at=start + 999)
        note.off(at=start + 3001)
        found.append(engine.read(12_000 + shift))
        assert not found[-1][: start + engine.latency_samples].any()
        assert found[-1][start + engine.latency_samples : start + 480].any()
    np.testing.assert_array_equal(found[1][shift:], found[0][:12_000])


def test_an_event_in_the_past_happens_now(model: Model) -> None:
    engine = Engine(model)
    engine.read(640)
    engine.note_on(60, at=3)
    assert engine.read(9600).any()


@pytest.mark.parametrize(
    "pedal",
    [
        False,
        pytest.param(True),
    ],
)
def test_a_note_let_go_before_it_begins_never_sounds(model: Model, pedal: bool) -> None:
    engine = Engine(model)
    engine.sustain(pedal)
    note = engine.note_on(60, at=20_000)
    note.off(at=5000)
    assert not engine.read(30_000).any()
    assert note.ended
    assert engine.idle


def test_a_note_let_go_just_before_it_begins_never_sounds(model: Model) -> None:
    engine = Engine(model)
    note = engine.note_on(60, at=3000)
    engine.read(64)
    note.off(at=500)
    assert not engine.read(30_000).any()


@pytest.mark.parametrize("timbre", ["acoustic grand piano", STEADY, "pad 2 (warm)"])
def test_voices_end_after_release(model: Model, timbre: str) -> None:
    engine = Engine(model)
    note = engine.note_on(60, timbre=timbre)
    note.off(at=24_000)
    engine.read(24_000)
    assert engine.state().voices == 1
    read_until_idle(engine, seconds=7)
    assert engine.now <= 24_000 + 7 * RATE
    assert note.ended
    note.off()
    note.bend(1)
    note.morph("violin")
    assert not engine.read(4800).any()
    assert engine.state().voices == 0


def test_louder_velocity_is_louder(model: Model) -> None:
    levels = []
    for velocity in (20, 50, 80, 127):
        engine = Engine(model)
        engine.note_on(60, velocity, timbre="violin", seed=1)
        levels.append(rms(engine.read(24_000)))
    assert levels == sorted(levels)
    assert levels[-1] > 2 * levels[0]


def test_two_steps_differ_from_one_and_repeat_themselves(model: Model, offline: Float) -> None:
    fine = performance(model, 26_000, steps=2)
    np.testing.assert_allclose(performance(model, 512, steps=2), fine, atol=1e-4)
    assert np.abs(fine - offline).max() > 1e-3
    assert 0.5 < rms(fine) / rms(offline) < 2


# -- polyphony -------------------------------------------------------------------------------------------------------


def settle(engine: Engine) -> None:
    engine.read(12_000)


def test_steals_a_released_note_before_a_quieter_held_one(model: Model) -> None:
    engine = Engine(model, polyphony=3)
    quiet = engine.note_on(60, 15, timbre=STEADY)
    released = engine.note_on(55, 127, timbre="tubular bells")
    loud = engine.note_on(64, 127, timbre=STEADY)
    settle(engine)
    released.off()
    engine.read(64)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (quiet, released, loud)] == [False, True, False]


def test_steals_a_note_released_at_the_same_moment(model: Model) -> None:
    engine = Engine(model, polyphony=2)
    quiet, released = engine.note_on(60, 15, timbre=STEADY), engine.note_on(55, 127, timbre="trumpet")
    released.off(at=12_000)
    engine.note_on(72, at=12_000)
    engine.read(14_000)
    assert [note.ended for note in (quiet, released)] == [False, True]


def test_steals_the_quietest_of_held_notes(model: Model) -> None:
    engine = Engine(model, polyphony=3)
    loud, quiet, last = (engine.note_on(60, velocity, timbre="trumpet", seed=1) for velocity in (127, 15, 120))
    settle(engine)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (loud, quiet, last)] == [False, True, False]


def test_steals_the_oldest_of_equals(model: Model) -> None:
    engine = Engine(model, polyphony=3)
    young, old, middle = (engine.note_on(60, timbre=STEADY, seed=1, at=at) for at in (120, 0, 60))
    settle(engine)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (young, old, middle)] == [False, True, False]


@pytest.mark.parametrize("polyphony", [1, 2])
def test_never_more_voices_than_asked_but_for_a_fade(model: Model, polyphony: int) -> None:
    engine = Engine(model, polyphony=polyphony)
    for index in range(8):
        engine.note_on(50 + index, at=index * 600)
    for _ in range(10):
        engine.read(600)
        assert engine.state().voices <= polyphony + 1
    assert engine.state().voices == polyphony


def test_limiter_holds_32_loud_voices(model: Model) -> None:
    engine = Engine(model, polyphony=32, gain_db=24)
    for index in range(32):
        engine.note_on(36 + 1.5 * index, 127, timbre=("trumpet", "violin", STEADY)[index % 3])
    found = engine.read(RATE // 2)
    assert 0.9 < np.abs(found).max() <= 10 ** (-0.3 / 20) * (1 + 1e-6)
    state = engine.state()
    assert state.voices == 32
    assert state.reduction_db < -6
    assert -0.4 < state.peak_db < 0
    assert engine.state().peak_db < -100  # told once


# -- clicks ----------------------------------------------------------------------------------------------------------


def steal(engine: Engine, note: Note) -> None:
    engine.note_on(45, 20, timbre=PURE)


def lift_pedal(engine: Engine, note: Note) -> None:
    engine.sustain(False)


DISTURBANCES: dict[str, Callable[[Engine, Note], None]] = {
    "steal": steal,
    "bend": lambda engine, note: note.bend(0.7),
    "jump": lambda engine, note: note.bend(-5, 0),
    "wheel": lambda engine, note: engine.pitch_wheel(-0.5),
    "morph": lambda engine, note: note.morph("ocarina"),
    "release": lambda engine, note: note.off(),
    "lift the pedal": lift_pedal,
    "panic": lambda engine, note: engine.panic(),
    "channel gain": lambda engine, note: engine.channel_gain(0.1),
    "master gain": lambda engine, note: engine.master_gain(-30),
}


@pytest.mark.parametrize("kind", DISTURBANCES)
@pytest.mark.parametrize("moment", [24_000, 24_617, 26_049])
def test_no_click(model: Model, kind: str, moment: int) -> None:
    engine = Engine(model, polyphony=1)
    note = engine.note_on(57, 100, timbre=PURE, seed=1)
    if kind == "lift the pedal":
        engine.sustain(True)
        note.off(at=20_000)
    before = engine.read(moment)[moment - 9600 :]
    DISTURBANCES[kind](engine, note)
    after = engine.read(4800)
    whole = np.concatenate([before, after])
    assert np.abs(before).max() > 0.1
    # A cut at the signal's peak would show as a second difference of a third of that peak and more.
    # A pitch that jumps within a sample bends the waveform's slope, and no more.
    allowed = 12 if kind == "jump" else 3
    assert second_difference(whole) < allowed * second_difference(before)
    assert second_difference(before) < 0.02 * np.abs(before).max()


@pytest.mark.parametrize("repeats", [7, 64, 777])
def test_a_storm_of_bends_does_not_click(model: Model, repeats: int) -> None:
    engine, rng = Engine(model), np.random.default_rng(0)
    note = engine.note_on(57, 100, timbre=PURE, seed=1)
    calm = engine.read(24_000)[12_000:]
    parts = []
    for _ in range(4800 // repeats):
        note.bend(float(rng.uniform(-0.5, 0.5)))
        parts.append(engine.read(repeats))
    assert second_difference(np.concatenate([calm, *parts])) < 4 * second_difference(calm)


def test_panic_is_silent_within_5_ms_and_resets(model: Model) -> None:
    engine = Engine(model)
    engine.sustain(True)
    engine.bend(3)
    engine.note_on(60, timbre=STEADY)
    later = engine.note_on(60, at=40_000)
    engine.read(12_800)
    engine.panic()
    found = engine.read(38_400)
    assert not found[engine.latency_samples + 240 + 64 :].any()
    assert engine.idle
    later.off()
    # Pedal and bend are as on a new engine.
    fresh = Engine(model)
    for one in (engine, fresh):
        one.note_on(60, seed=3).off(at=one.now + 3000)
    np.testing.assert_array_equal(engine.read(9600)[64:], fresh.read(9600)[64:])


def test_panic_drops_a_note_that_is_about_to_begin(model: Model) -> None:
    engine = Engine(model)
    engine.note_on(60, at=3000)
    engine.read(64)
    engine.panic()
    assert not engine.read(12_000).any()


def test_a_note_struck_after_a_panic_sounds(model: Model) -> None:
    engine = Engine(model)
    engine.panic()
    engine.note_on(60)
    assert engine.read(9600).any()


def test_panic_on_a_soft_channel_is_not_loud(model: Model) -> None:
    engine = Engine(model)
    engine.channel_gain(0.05)
    engine.note_on(57, 100, timbre=PURE, seed=1)
    before = engine.read(24_617)[12_000:]
    engine.panic()
    after = engine.read(4800)
    assert np.abs(after).max() < 1.2 * np.abs(before).max()
    assert second_difference(np.concatenate([before, after])) < 3 * second_difference(before)


# -- pedal and bend --------------------------------------------------------------------------------------------------


def level_after(engine: Engine, seconds: float) -> float:
    engine.read(round(seconds * RATE))
    return rms(engine.read(4800))


def test_sustain_pedal_holds_what_is_let_go_on_its_channel(model: Model) -> None:
    engine = Engine(model)
    note = engine.note_on(60, timbre=STEADY, channel=2)
    engine.read(12_000)
    engine.sustain(True, 2)
    note.off()
    held = level_after(engine, 0.5)
    assert held > 0.005
    engine.sustain(False, 3)  # another channel's foot
    assert level_after(engine, 0.3) > 0.5 * held
    engine.sustain(False, 2)
    assert level_after(engine, 0.5) < 0.1 * held


def test_lifting_the_pedal_leaves_keys_that_are_down(model: Model) -> None:
    engine = Engine(model)
    engine.sustain(True)
    note = engine.note_on(60, timbre=STEADY)
    engine.read(12_000)
    engine.sustain(False)
    assert level_after(engine, 0.5) > 0.005
    assert not note.ended
    engine.sustain(True)
    engine.all_notes_off()  # lifts the pedal too
    assert level_after(engine, 0.5) < 0.0005


def test_pedal_put_down_after_the_release_is_too_late(model: Model) -> None:
    engine = Engine(model)
    note = engine.note_on(60, timbre=STEADY)
    engine.read(12_000)
    note.off()
    engine.read(64)
    engine.sustain(True)
    assert level_after(engine, 0.5) < 0.0005


def bent(model: Model, bend: Callable[[Engine, Note], None], bend_range: float = 2) -> Float:
    engine = Engine(model, bend_range=bend_range)
    note = engine.note_on(60, timbre=PURE, seed=1, channel=3)
    engine.read(6000)
    bend(engine, note)
    return engine.read(9600)


def test_pitch_wheel_times_range_is_a_bend(model: Model) -> None:
    wheel = bent(model, lambda engine, note: engine.pitch_wheel(-0.5, 3), bend_range=12)
    np.testing.assert_array_equal(wheel, bent(model, lambda engine, note: engine.bend(-6, 3)))
    np.testing.assert_array_equal(wheel, bent(model, lambda engine, note: note.bend(-6)))
    straight = bent(model, lambda engine, note: engine.bend(-6, 4))
    assert np.abs(wheel - straight).max() > 0.01


def pitch_of(x: Float) -> float:
    """Hz of the strongest partial, from the phase advance between two windows."""
    size, hop = len(x) - 240, 240
    one, other = (np.fft.rfft(x[i : i + size] * np.hanning(size), 2**17) for i in (0, hop))
    peak = int(np.abs(one).argmax())
    rough, advance = peak / 2**17, np.angle(other[peak] / one[peak]) / (2 * np.pi)
    return float((round(rough * hop - advance) + advance) / hop * RATE)


def test_bends_add_up_and_hold_for_notes_to_come(model: Model) -> None:
    engine = Engine(model)
    engine.bend(1.5)
    note = engine.note_on(60, timbre=PURE, seed=1)
    engine.read(24_000)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (1.5 / 12), rel=0.01)
    note.bend(2)
    engine.read(4800)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (3.5 / 12), rel=0.01)
    engine.bend(-1)
    engine.read(4800)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (1 / 12), rel=0.01)


@pytest.mark.parametrize("moment", [24_000, 24_617, 25_900, 26_049])
def test_a_live_bend_is_heard_within_10_ms(model: Model, moment: int) -> None:
    engine = Engine(model)
    note = engine.note_on(57, 100, timbre="ocarina", seed=1)
    before = engine.read(moment)[-9600:]
    note.bend(3)
    x = np.concatenate([before, engine.read(9600)]).astype(np.float64)
    # The analytic signal of the band around the fundamental: its phase advance is the pitch at each sample.
    hz = np.fft.fftfreq(len(x), 1 / RATE)
    analytic = np.fft.ifft(np.fft.fft(x) * np.where((hz > 130) & (hz < 390), 2, 0))
    pitch = np.angle(analytic[1:] / analytic[:-1]) * RATE / (2 * np.pi)
    low, high = 220, 220 * 2 ** (3 / 12)
    assert np.abs(pitch[4800:9000] - low).mean() < 5
    assert np.abs(pitch[10_500:15_000] - high).mean() < 5
    halfway = int(np.flatnonzero(pitch[8000:] > (low + high) / 2)[0]) + 8000 - 9600
    assert 0 < halfway < 480


# -- bad values ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def idle_engine(model: Model) -> Engine:
    return Engine(model)


BAD: list[tuple[str, Callable[[Engine], object], str]] = [
    ("pitch", lambda e: e.note_on(128), r"pitch .* 0 to 127 .* not 128"),
    ("negative pitch", lambda e: e.note_on(-0.5), r"pitch .* not -0.5"),
    ("NaN pitch", lambda e: e.note_on(float("nan")), r"pitch .* not nan"),
    ("text pitch", lambda e: e.note_on("C4"), r"pitch .* not 'C4'"),  # type: ignore[arg-type]
    ("velocity", lambda e: e.note_on(60, 0), r"velocity .* 1 to 127 .* not 0"),
    ("infinite velocity", lambda e: e.note_on(60, float("inf")), r"velocity .* not inf"),
    ("channel", lambda e: e.note_on(60, channel=16), r"channel .* 0 to 15, not 16"),
    ("seed", lambda e: e.note_on(60, seed=-1), r"seed .* not -1"),
    ("timbre", lambda e: e.note_on(60, timbre="vilion"), r"unknown timbre 'vilion'.*'violin'"),
    ("timbre vector", lambda e: e.note_on(60, timbre=[1.0, 2.0]), r"32 finite numbers, not \[1.0, 2.0\]"),
    ("pedal channel", lambda e: e.sustain(True, 99), r"channel .* not 99"),
    ("channel bend", lambda e: e.bend(49), r"bend .* -48 to 48 .* not 49"),
    ("wheel", lambda e: e.pitch_wheel(1.1), r"position .* -1 to 1 .* not 1.1"),
    ("channel gain", lambda e: e.channel_gain(-1), r"gain .* 0 to 4 .* not -1"),
    ("master gain", lambda e: e.master_gain(99), r"gain_db .* -80 to 24 .* not 99"),
    ("bend", lambda e: e.note_on(60).bend(float("nan")), r"bend .* not nan"),
    ("bend time", lambda e: e.note_on(60).bend(1, -1), r"seconds .* not -1"),
    ("morph", lambda e: e.note_on(60).morph("obo"), r"unknown timbre 'obo'.*'oboe'"),
    ("off channel", lambda e: e.all_notes_off(-1), r"channel .* not -1"),
    ("steps", lambda e: Engine(e.model, steps=3), r"steps must be 1 .* or 2 .* not 3"),
    ("polyphony", lambda e: Engine(e.model, polyphony=0), r"polyphony .* 1 to 256, not 0"),
    ("range", lambda e: Engine(e.model, bend_range=-1), r"bend_range .* not -1"),
    ("gain", lambda e: Engine(e.model, gain_db=float("nan")), r"gain_db .* not nan"),
    ("model", lambda e: Engine("no such model"), r"no model 'no such model'.*instrument"),
]


@pytest.mark.parametrize(("call", "message"), [entry[1:] for entry in BAD], ids=[entry[0] for entry in BAD])
def test_bad_values_are_named(idle_engine: Engine, call: Callable[[Engine], object], message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        call(idle_engine)


@pytest.mark.parametrize("at", [100.5, float("nan"), "soon"])
def test_bad_times_are_refused_at_once(model: Model, at: Any) -> None:
    with pytest.raises(CmaudioError, match="at"):
        Engine(model).note_on(60, at=at)


def test_whole_numbers_stay_whole(model: Model) -> None:
    engine = Engine(model)
    assert engine.note_on(60, seed=2**53 + 1).seed == 2**53 + 1
    with pytest.raises(CmaudioError, match="channel"):
        engine.note_on(60, channel=1.5)  # type: ignore[arg-type]


# -- scores ----------------------------------------------------------------------------------------------------------


def test_a_score_plays_as_its_events_say(model: Model) -> None:
    score = Score(
        "test",
        [
            (0.0, ChannelGain(0, 0.5)),
            (0.01, NoteOn(0, 60, 90, 40)),
            (0.02, NoteOn(0, 64, 90, 3)),  # no timbre for this program: left out
            (0.05, PitchBend(0, 99.0)),
            (0.06, Sustain(0, True)),
            (0.1, NoteOff(0, 60)),
            (0.12, NoteOn(0, 60, 80, 40)),  # struck again under the pedal
            (0.2, Sustain(0, False)),
            (0.3, AllNotesOff(0)),
        ],
        0.3,
    )
    engine = Engine(model, seed=4)
    engine.play(score, {40: "violin"}, at=100)
    found = engine.read(24_000)

    other = Engine(model, seed=4)
    other.channel_gain(0.5, at=100)
    first = other.note_on(60, 90, timbre="violin", at=100 + 480)
    other.bend(BEND_MAX_SEMITONES, at=100 + 2400)
    other.sustain(True, at=100 + 2880)
    first.off(at=100 + 4800)
    second = other.note_on(60, 80, timbre="violin", at=100 + 5760)
    other.sustain(False, at=100 + 9600)
    second.off(at=100 + 14_400)
    expected = other.read(24_000)
    assert rms(expected) > 0.001
    np.testing.assert_array_equal(found, expected)


def test_a_key_struck_twice_lets_its_first_note_go(model: Model) -> None:
    engine = Engine(model)
    engine.play(Score("", [(0.0, NoteOn(0, 60, 90, 16)), (0.1, NoteOn(0, 60, 90, 16))], 0.1), {16: STEADY})
    engine.read(RATE)
    assert engine.state().voices == 1


# -- threads and growth ----------------------------------------------------------------------------------------------


def test_events_from_four_threads_while_another_reads(model: Model) -> None:
    engine, stop = Engine(model, polyphony=4), threading.Event()
    errors: list[Exception] = []

    def send(channel: int) -> None:
        rng = np.random.default_rng(channel)
        try:
            for _ in range(15):
                note = engine.note_on(float(rng.uniform(40, 90)), channel=channel)
                note.bend(float(rng.uniform(-2, 2)))
                note.morph("violin", 0.1)
                engine.sustain(bool(rng.random() < 0.5), channel)
                note.off()
                engine.state()
                stop.wait(0.01)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=send, args=(channel,)) for channel in range(4)]
    for thread in threads:
        thread.start()
    found = np.concatenate([engine.read(512) for _ in range(60)])
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert np.isfinite(found).all()
    assert found.any()
    engine.panic()
    engine.read(512)
    assert engine.idle


def test_nothing_grows_over_a_hundred_notes(model: Model) -> None:
    engine = Engine(model, polyphony=2)
    voices: list[weakref.ref[object]] = []
    for index in range(100):
        note = engine.note_on(40 + index % 50, at=index * 400)
        note.bend(1, at=index * 400 + 100)
        note.off(at=index * 400 + 300)
    for _ in range(100):
        engine.read(400)
        voices += [weakref.ref(voice) for voice in engine.allocator.voices]
        assert len(engine.allocator.voices) <= 18  # those within the horizon and those that fade
    assert len(engine._spare) < 64
    engine.all_notes_off()
    read_until_idle(engine, seconds=8)
    assert not engine.allocator.notes
    assert not engine.allocator.voices
    assert not engine.allocator.schedule
    del note
    gc.collect()
    assert not any(voice() for voice in voices)


def test_nothing_grows_while_the_pedal_stays_down(model: Model) -> None:
    engine = Engine(model, polyphony=1)
    engine.sustain(True)
    for _ in range(20):
        engine.note_on(60).off()
        engine.read(512)
    assert len(engine.allocator.channels[0].held) < 5
