"""The same pattern gives the same notes and samples, however it is read or rendered."""

from __future__ import annotations

from typing import Any

import numpy as np
from conftest import TinyModel
from fixtures.clock_rig import BEAT, RATE, ClockRig

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.offline.pattern import render_pattern
from cmaudio.score.events import NoteOff, NoteOn
from cmaudio.timing.clock import Clock
from cmaudio.timing.steps import Step, StepLike


def test_equal_seeds_give_equal_patterns(tiny: TinyModel) -> None:
    def drawn(seed: int, cut: int) -> list[tuple[int, Any]]:
        rig = ClockRig(tiny.model)
        notes: list[StepLike] = [Step(60, probability=0.5), 62, Step(64, probability=0.7), 65]
        rig.clock.play(notes, beat=1 / 2, humanise_ms=10, seed=seed, loop=True, gate=0.5)
        while rig.engine.now < 7 * BEAT:
            rig.recorder.read(cut)
        return [(at, e) for at, e in rig.events(NoteOn) if at < 6 * BEAT]

    first = drawn(1, 4096)
    assert first == drawn(1, 333)
    assert first != drawn(2, 4096)
    off = np.array([(at + BEAT // 4) % (BEAT // 2) - BEAT // 4 for at, _ in first])
    assert np.abs(off).max() <= 0.010 * RATE + 1
    assert len(set(off.tolist())) > 5
    assert 5 < len(first) < 12, "some did not sound"


def test_delayed_notes_keep_their_length(rig: ClockRig) -> None:
    rig.clock.play([60, 62, 64, 65], beat=1 / 4, gate=0.1, humanise_ms=50, loop=True)
    rig.read_to(6 * BEAT)
    ons, offs = [[at for at, _ in rig.events(kind)] for kind in (NoteOn, NoteOff)]
    assert len(ons) > 20
    np.testing.assert_array_equal(np.array(offs[1:20]) - ons[1:20], 200)


def groove(clock: Clock) -> None:
    clock.play([60, None, (63, 67), 70], beat=1 / 2, swing=0.2, velocity=[100, 70], humanise_ms=6, loop=True, gate=0.7)
    clock.play([Step(36, bend=1), 36, "_", Step(31, probability=0.5)], timbre="second", loop=True)
    clock.every(2, lambda beat: clock.glide("brightness", beat % 4, beats=1.5))


def test_samples_do_not_depend_on_read_sizes(tiny: TinyModel) -> None:
    found = []
    for cuts in ([48_000], [4096], [1, 63, 64, 65, 1000, 7000]):
        engine = Engine(tiny.model, channels=1)
        groove(Clock(engine))
        samples, turn = np.zeros(0, np.float32), 0
        while len(samples) < 2 * RATE:
            samples = np.concatenate([samples, engine.read(min(cuts[turn % len(cuts)], 2 * RATE - len(samples)))])
            turn += 1
        found.append(samples)
    assert np.abs(found[0]).max() > 0.01
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-6)


def test_samples_of_one_voice_are_bit_identical(model: Model) -> None:
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


def test_render_pattern_equals_the_clock(tiny: TinyModel, tmp_path: Any) -> None:
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
