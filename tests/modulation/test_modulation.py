"""Modulation moves what it says, by as much, at the rate it says, the same whatever the sizes of the reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import TinyModel
from numpy.typing import NDArray

from cmaudio.controls.controls import Controls
from cmaudio.controls.routes import RouteLike
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.offline.render import render
from cmaudio.score.events import Expression, NoteOff, NoteOn, Score
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.voice import Voice
from cmaudio.timing.clock import Clock

RATE = 16_000


@pytest.fixture(scope="module")
def model(tiny: TinyModel) -> Model:
    return tiny.model


ALL_KINDS: list[RouteLike] = [
    ("lfo1", "brightness", 5),
    ("lfo1", "bend", 1),
    ("lfo2", "pan", 1),
    ("lfo2", "timbre_x", 0.5),
    ("lfo2", "reverb_decay", 2),
    ("envelope", "gain", -20),
    ("velocity", "resonance", 0.8),
    ("pressure", "bend", 2),
    ("wheel", "vibrato", -1),
]


def started(model: Model, routes: list[RouteLike], settings: dict[str, float] | None = None, **note: Any) -> Voice:
    """A note that sounds with these routes, for asking its trajectories."""
    engine = Engine(model, seed=3)
    controls = Controls(engine)
    for name, value in (settings or {}).items():
        controls.set(name, value, at=0)
    controls.set_routes(routes, at=0)
    handle = engine.note_on(60, note.get("velocity", 127), at=note.get("at", 0))
    engine.express("pressure", note.get("pressure", 0.0), at=0)
    engine.express("vibrato", note.get("wheel", 0.0), at=0)
    engine.read(note.get("at", 0) + 64)
    voice: Voice = handle.voice
    return voice


def over_a_second(voice: Voice, name: str) -> NDArray[np.float64]:
    return voice.expression[name].at(np.arange(0, RATE, 256, dtype=np.float64))


@pytest.mark.parametrize("reads", [[64, 1000, 8193], [333], [4096, 1]])
def test_the_sizes_of_the_reads_change_no_sample(model: Model, reads: list[int]) -> None:
    def played(sizes: list[int]) -> Float:
        engine = Engine(model, seed=3)
        controls = Controls(engine)
        for name, value in {"reverb": 0.3, "lfo2_rate": 2.0, "lfo1_shape": 4.0}.items():
            controls.set(name, value, at=0)
        controls.set_routes(ALL_KINDS, at=0)
        engine.note_on(57, 90, at=0).off(at=12_000)
        engine.express("pressure", 0.7, at=4_345)
        engine.express("vibrato", 0.4, at=7_001)
        controls.set("lfo1_rate", 9, at=10_000)
        parts, left = list[Float](), RATE
        while left:
            parts.append(engine.read(min(left, sizes[len(parts) % len(sizes)])))
            left -= len(parts[-1])
        return np.concatenate(parts)

    whole = played([RATE])
    assert np.abs(whole).max() > 0.01
    np.testing.assert_array_equal(played(reads), whole)


@pytest.mark.parametrize(
    ("modulator", "settings", "low", "high"),
    [
        ("lfo1", {"lfo1_rate": 4}, -3, 3),
        ("lfo1", {"lfo1_rate": 4, "lfo1_shape": 4}, -3, 3),
        ("lfo2", {"lfo2_rate": 2, "lfo2_shape": 1}, -3, 3),
        ("envelope", {"mod_attack": 0.2, "mod_decay": 0.2, "mod_sustain": 0.5}, 0.96, 3),
        ("velocity", {}, 3, 3),
        ("pressure", {}, 1.5, 1.5),
        ("wheel", {}, 0.75, 0.75),
    ],
)
def test_each_modulator_moves_by_its_amount(
    model: Model, modulator: str, settings: dict[str, float], low: float, high: float
) -> None:
    voice = started(model, [(modulator, "brightness", 3)], settings, pressure=0.5, wheel=0.25)
    moved = over_a_second(voice, "brightness")[4:]  # what is pressed and turned takes 10 ms
    assert moved.min() == pytest.approx(low, abs=0.15)
    assert moved.max() == pytest.approx(high, abs=0.15)


def test_routes_add_up_and_stay_within_the_range(model: Model) -> None:
    voice = started(model, [("velocity", "pan", 0.8), ("lfo1", "pan", 0.6)])
    moved = over_a_second(voice, "pan")
    assert moved.max() == 1
    assert moved.min() == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(("settings", "hz"), [({"lfo1_rate": 3}, 3.0), ({"lfo1_beats": 0.5}, 4.0)])
def test_an_oscillator_keeps_its_rate(model: Model, settings: dict[str, float], hz: float) -> None:
    moved = over_a_second(started(model, [("lfo1", "pan", 1)], settings), "pan")
    rises = np.flatnonzero((moved[:-1] < 0) & (moved[1:] >= 0))
    assert len(rises) == pytest.approx(hz, abs=1)
    assert np.diff(rises).mean() * 256 / RATE == pytest.approx(1 / hz, rel=0.02)


@pytest.mark.parametrize(("retrigger", "phase", "begins"), [(1, 0, 0), (1, 0.25, 1), (0, 0, 1), (0, 0.5, -1)])
def test_a_cycle_begins_with_the_note_if_it_is_retriggered(
    model: Model, retrigger: int, phase: float, begins: float
) -> None:
    settings = {"lfo1_rate": 1, "lfo1_retrigger": retrigger, "lfo1_phase": phase}
    voice = started(model, [("lfo1", "pan", 1)], settings, at=RATE // 4)
    assert over_a_second(voice, "pan")[0] == pytest.approx(begins, abs=0.02)


def test_oscillators_follow_the_tempo_and_the_beat_of_the_clock(model: Model) -> None:
    engine = Engine(model)
    controls = Controls(engine)
    controls.set("lfo1_beats", 1)
    controls.set_routes([("lfo1", "pan", 1)])
    clock = Clock(engine, tempo=60, controls=controls)
    engine.read(RATE // 4)
    timeline = engine.allocator.timeline
    now = np.array([float(engine.now)])
    assert timeline.offset("pan", now)[0] == pytest.approx(1, abs=0.01)  # a quarter of a beat
    clock.tempo = 120
    assert timeline.offset("pan", now + RATE / 8)[0] == pytest.approx(0, abs=0.05)
    clock.locate(0.75 - 256 / RATE * 2)  # a jump is linear within the grid
    assert timeline.offset("pan", np.array([engine.now + 256.0]))[0] == pytest.approx(-1, abs=0.05)


def test_changing_a_rate_does_not_jump(model: Model) -> None:
    engine = Engine(model)
    controls = Controls(engine)
    controls.set_routes([("lfo1", "pan", 1)], at=0)
    controls.set("lfo1_rate", 0.3, at=0)
    controls.set("lfo1_rate", 7.3, at=RATE)
    engine.read(2 * RATE)
    steps = np.diff(engine.allocator.timeline.offset("pan", np.arange(RATE - 2048.0, RATE + 2048.0)))
    assert np.abs(steps).max() < 2 * np.pi * 7.3 / RATE * 1.01


def test_without_routes_every_sample_is_as_before(model: Model) -> None:
    def played(route: bool) -> Float:
        engine = Engine(model, seed=5)
        controls = Controls(engine)
        if route:
            controls.set("lfo1_rate", 9)
            controls.route("lfo1", "brightness", 6)
            controls.route("lfo1", "brightness", 0)
        engine.note_on(60, at=0)
        return engine.read(RATE // 2)

    np.testing.assert_array_equal(played(route=True), played(route=False))


def test_a_file_holds_what_is_heard_live(model: Model) -> None:
    score = Score(
        "two", [(0.0, NoteOn(0, 60, 100, 0)), (0.1, Expression(0, "pressure", 0.6)), (0.6, NoteOff(0, 60))], 0.7
    )
    routes: list[RouteLike] = [("lfo1", "bend", 1), ("pressure", "brightness", 6), ("lfo2", "pan", 1)]
    file = render(score, model=model, routes=routes, tail=0)
    engine = Engine(model)
    controls = Controls(engine)
    controls.set_routes(routes)
    engine.play(score, {0: model.timbre_vector(None)})
    engine.read(engine.latency_samples)
    np.testing.assert_allclose(file, engine.read(len(file)), atol=1e-5)


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (("lfo3", "pan", 1), "modulator: Input should be 'lfo1', 'lfo2', 'envelope'"),
        (("lfo1", "cutoff", 1), "no control 'cutoff'; what can be modulated: bend, gain, "),
        (("lfo1", "steps", 1), "nothing modulates 'steps'; what can be modulated: "),
        (
            ("velocity", "reverb_decay", 1),
            "velocity modulates notes, and reverb_decay belongs to the effects: use lfo1 or ",
        ),
        (("lfo1", "pan", 2.5), "amount of lfo1 to pan must be a number from -2 to 2 (of full), not 2.5"),
        (("lfo1", "pan", float("nan")), "amount: Input should be a finite number"),
        (("lfo1", "pan"), "a route is a modulator, a control and an amount, not ('lfo1', 'pan')"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(model: Model, route: Any, told: str) -> None:
    controls = Controls(Engine(model))
    controls.route("lfo2", "pan", 0.5)
    with pytest.raises(CmaudioError) as error:
        controls.set_routes([route])
    assert told in str(error.value)
    assert [each.key for each in controls.routes] == [("lfo2", "pan")]


def test_listeners_hear_of_routes_and_reset_ends_them(model: Model) -> None:
    controls, heard = Controls(Engine(model)), list[tuple[str, Any, str]]()
    controls.subscribe(lambda *change: heard.append(change))
    controls.route("lfo1", "pan", 0.5, source="me")
    controls.route("lfo1", "pan", 0.5, source="me")  # nothing new
    assert [(name, len(value), who) for name, value, who in heard] == [("routes", 1, "me")]
    controls.reset()
    assert not controls.routes
