"""A fault while sound is made: live what is concerned is left out with one notice, and the rest is as without it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import TinyModel
from fixtures.faulty import HIGHEST_KEY, OUT_OF_RANGE, NoPitch, NoRelease, NoSamples, enter, faulty_model

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.deferred import Deferred

SAMPLES, LATER = 16_000, 8_000
Arrange = Callable[[Engine], object]


class Broken:
    """Effects that change half of a block and then raise."""

    silent = True

    def __init__(self) -> None:
        self.recovered = 0

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        main[: len(main) // 2] = 1
        raise ValueError("no effect")

    def recover(self) -> None:
        self.recovered += 1


class Infinite(Broken):
    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        main += np.inf


def _raising(*_: object) -> None:
    raise ValueError("not today")


def _listener(engine: Engine) -> None:
    engine.allocator.listeners.subscribe(_raising)


def _effects(kind: type[Broken]) -> Arrange:
    def arrange(engine: Engine) -> None:
        engine.effects = kind()

    return arrange


# What concerns nothing that others play.
ALONE: dict[str, tuple[Arrange, str]] = {
    "samples": (lambda engine: enter(engine, NoSamples), "notes were dropped.*no samples"),
    "event": (lambda engine: engine.submit(100, _raising), "an event was left out.*not today"),
    "exit": (lambda engine: engine.submit(100, lambda at: sys.exit(1)), "an event was left out.*SystemExit"),
    "listener": (_listener, "an event was not passed on.*not today"),
    "effects": (_effects(Broken), "the effects start again from silence.*no effect"),
    "infinity": (_effects(Infinite), "the effects start again from silence.*NaN or infinity"),
    "stems": (lambda engine: engine.take_stems(_raising), "the stems were not passed on.*not today"),
}


def performance(engine: Engine, arrange: Arrange | None = None, prepare: bool = False) -> Float:
    """Two chords, the second after what sounded first has ended or was dropped."""
    if arrange is not None:
        arrange(engine)
    for pitch in (48, 52, 55):
        engine.note_on(pitch, timbre="second", seed=pitch, at=0).cut(at=LATER - 1000)
        engine.note_on(pitch + 12, timbre="third", seed=pitch, at=LATER)
    parts = []
    for _ in range(0, SAMPLES, 320):
        while prepare and engine.prepare():
            pass
        parts.append(engine.read(320))
    return np.concatenate(parts)


def live(model: Model, notices: list[str], **settings: Any) -> Engine:
    engine = Engine(model, channels=2, seed=1, **settings)
    engine.allocator.report_to(notices.append)
    return engine


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", ALONE)
def test_what_is_not_concerned_sounds_as_without_the_fault(tiny: TinyModel, name: str) -> None:
    arrange, line = ALONE[name]
    notices: list[str] = []
    undisturbed = performance(Engine(tiny.model, channels=2, seed=1))
    with_fault = performance(live(tiny.model, notices), arrange)
    since = LATER if name == "samples" else 0
    np.testing.assert_array_equal(with_fault[since:], undisturbed[since:])
    assert np.abs(with_fault).max() > 0.01
    assert len(notices) == 1, notices
    with pytest.raises(AssertionError, match=line):
        raise AssertionError(notices[0])


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", ALONE)
def test_rendering_raises(tiny: TinyModel, name: str) -> None:
    with pytest.raises((ValueError, LookupError, SystemExit, FloatingPointError)):
        performance(Engine(tiny.model, channels=2, seed=1), ALONE[name][0])


def test_mono_effects_that_fail_leave_the_sound_dry(tiny: TinyModel) -> None:
    notices: list[str] = []
    engine, effects = Engine(tiny.model, channels=1, seed=1), Broken()
    engine.allocator.report_to(notices.append)
    engine.effects = effects
    np.testing.assert_array_equal(performance(engine), performance(Engine(tiny.model, channels=1, seed=1)))
    assert effects.recovered == SAMPLES // 320
    assert len(notices) == 1


def _no_pitch(engine: Engine) -> None:
    enter(engine, NoPitch)


def _no_timbre(engine: Engine) -> None:
    engine.note_on(60, timbre=[*OUT_OF_RANGE, 0, 0, 0, 0], at=0)


def _no_filters(engine: Engine) -> None:
    engine.note_on(HIGHEST_KEY, at=0)


BATCHES = {"voice": (None, _no_pitch), "controls": ("controls", _no_timbre), "vocoder": ("vocoder", _no_filters)}


@pytest.fixture(scope="module")
def models(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str | None, Model]:
    folder: Path = tmp_path_factory.mktemp("faulty")
    return {None: tiny.model} | {name: faulty_model(tiny.model, name, folder) for name in ("controls", "vocoder")}


@pytest.mark.parametrize(("threads", "prepare"), [(1, False), (1, True), (2, True)])
@pytest.mark.parametrize("name", BATCHES)
def test_voices_of_a_batch_that_fails_are_dropped_and_later_ones_play(
    models: Mapping[str | None, Model], name: str, threads: int, prepare: bool
) -> None:
    graph, arrange = BATCHES[name]
    notices: list[str] = []
    settings: dict[str, Any] = {"threads": threads, "batch_ahead_samples": 192}

    def several(engine: Engine) -> None:
        for pitch in (64, 67, 71):  # enough voices for two threads
            engine.note_on(pitch, timbre="second", at=0)
        arrange(engine)

    engine = live(models[graph], notices, **settings)
    with_fault = performance(engine, several, prepare)
    undisturbed = performance(Engine(models[graph], channels=2, seed=1, **settings), None, prepare)
    np.testing.assert_array_equal(with_fault[LATER:], undisturbed[LATER:])
    assert np.abs(with_fault[LATER:]).max() > 0.01
    assert len(notices) == 1, notices
    assert notices[0].startswith("notes were dropped, and the sound goes on: ")
    assert engine.sounding == 3
    with pytest.raises(Exception, match=r"no pitch|out of data bounds"):
        performance(Engine(models[graph], channels=2, seed=1, **settings), several, prepare)


def test_panic_and_all_notes_off_reach_every_note(tiny: TinyModel) -> None:
    notices: list[str] = []
    engine = live(tiny.model, notices)
    broken = enter(engine, NoRelease, 50.0)
    others = [engine.note_on(pitch, at=0) for pitch in (60, 64)]
    engine.read(2000)
    engine.all_notes_off()
    engine.read(2000)
    assert broken.ended
    assert all(other.ended or other.voice.released for other in others)
    assert len(notices) == 1


def test_panic_silences_voices_whose_blocks_have_failed(models: Mapping[str | None, Model]) -> None:
    notices: list[str] = []
    engine = live(models["vocoder"], notices, batch_ahead_samples=192)
    note = engine.note_on(60, at=0)
    for _ in range(10):
        engine.read(320)
    note.bend(48, 0.0)
    note.morph("second")
    engine.read(64)
    voice = note.voice
    voice.pending.append(failed := Deferred(_raising))
    engine.prepare()
    engine.panic()
    engine.read(2000)
    assert engine.idle
    assert note.ended
    with pytest.raises(ValueError, match="not today"):
        failed.result()
    assert len(notices) == 1


def test_a_key_that_was_dropped_is_reported_as_released(tiny: TinyModel) -> None:
    events: list[str] = []
    engine = live(tiny.model, [])
    engine.allocator.listeners.subscribe(lambda at, event: events.append(type(event).__name__))
    enter(engine, NoPitch)
    for _ in range(10):
        engine.read(320)
    assert events == ["NoteOff"]


def test_work_that_failed_raises_its_error_each_time() -> None:
    work = Deferred(_raising)
    for _ in range(2):
        with pytest.raises(ValueError, match="not today"):
            work.result()
