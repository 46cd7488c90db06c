"""The effects behind an engine's voices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures.engine import RATE, schedule_a_bit_of_everything

from cmaudio.controls.controls import Controls
from cmaudio.effects.settings import SETTINGS
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.timing.clock import Clock


def everything(model: Model, read: int, seed: int = 7, samples: int = 40_000) -> Float:
    """All effects, with settings that change between notes."""
    engine = Engine(model, polyphony=4, seed=seed, channels=2)
    engine.set_effect("reverb_decay", 0.4)
    engine.express("reverb", 0.5, None, at=0)
    engine.express("chorus", 0.4, 1, at=0)
    engine.express("delay", 0.3, 2, at=5001)
    engine.set_effect("delay_beats", 0.125)
    engine.set_effect("reverb_kind", 2, at=9001)
    engine.set_effects_tempo(150, at=12_007)
    schedule_a_bit_of_everything(engine)
    return np.concatenate([engine.read(min(read, samples - start)) for start in range(0, samples, read)])


def a_note(engine: Engine, seconds: float = 1.0) -> Float:
    engine.note_on(60, 100, timbre="whistle", seed=1, at=0).off(at=RATE // 4)
    return engine.read(round(seconds * RATE))


@pytest.mark.parametrize("read", [7, 64, 1000])
def test_sizes_of_reads_do_not_matter(model: Model, read: int) -> None:
    assert np.array_equal(everything(model, read), everything(model, 40_000))


def test_seeds_decide(model: Model) -> None:
    assert not np.array_equal(everything(model, 40_000, seed=1), everything(model, 40_000, seed=2))


def test_without_sends_the_sound_is_that_without_effects(model: Model) -> None:
    with_rack, without = Engine(model, channels=2), Engine(model, channels=2)
    without.effects = None
    with_rack.set_effect("reverb_decay", 9)
    with_rack.express("reverb", 0, None)
    assert np.array_equal(a_note(with_rack), a_note(without))


@pytest.mark.parametrize("name", ["reverb", "chorus", "delay"])
def test_what_is_sent_is_heard_on_top(model: Model, name: str) -> None:
    dry, wet = Engine(model, channels=2), Engine(model, channels=2)
    wet.express(name, 0.3, None)
    added = a_note(wet) - a_note(dry)
    assert 0.001 < np.abs(added).max() < 0.3


def test_an_engine_is_idle_once_its_reverb_is_silent(model: Model) -> None:
    engine = Engine(model, channels=2)
    engine.set_effect("reverb_decay", 1)
    engine.express("reverb", 0.5, None)
    a_note(engine, 0.25)
    seconds = 0.0
    while not engine.idle:
        last = engine.read(RATE // 10)
        seconds += 0.1
    assert 0.8 < seconds < 4
    assert np.abs(last).max() < 1e-3


def test_panic_silences_what_rings(model: Model) -> None:
    engine = Engine(model, channels=2)
    engine.set_effect("reverb_decay", 20)
    engine.express("reverb", 1, None)
    a_note(engine, 0.5)
    engine.panic()
    assert engine.read(960).any()
    assert not engine.read(RATE // 4).any()
    assert engine.idle
    assert np.abs(a_note(engine, 0.5)).max() > 0.01


def test_the_delay_is_in_time_with_the_clock(model: Model) -> None:
    engine = Engine(model, channels=2)
    clock = Clock(engine, 150)
    dry = Engine(model, channels=2)
    engine.set_effect("delay_beats", 0.5)
    engine.set_effect("delay_feedback", 0)
    engine.express("delay", 1, None)
    added = a_note(engine, 1.5) - a_note(dry, 1.5)
    assert clock.tempo == 150
    first = int(np.flatnonzero(np.abs(added[:, 0]) > 1e-4)[0])
    assert first - np.flatnonzero(np.abs(a_note(Engine(model, channels=2))[:, 0]) > 1e-4)[0] == pytest.approx(
        0.2 * RATE, abs=200
    )


@pytest.mark.parametrize("channels", [1, 2])
def test_inserts_replace_the_sound_of_any_engine(model: Model, channels: int) -> None:
    plain, inserted = Engine(model, channels=channels), Engine(model, channels=channels)
    shapes = set()

    def halve(block: Float) -> Float:
        shapes.add(block.shape[1])
        return 0.5 * block

    insert = inserted.insert(halve)
    assert np.allclose(a_note(inserted), 0.5 * a_note(plain), atol=1e-6)
    assert shapes == {channels}
    insert.remove()
    assert np.array_equal(inserted.read(RATE // 4), plain.read(RATE // 4))


def test_a_failing_insert_leaves_the_sound_and_says_so(model: Model) -> None:
    notices: list[str] = []
    plain, inserted = Engine(model), Engine(model)
    inserted.insert(lambda block: block[:, :0], notices.append)
    assert np.array_equal(a_note(inserted), a_note(plain))
    assert len(notices) == 1


def test_one_channel_says_that_it_has_no_space(model: Model, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "any.wav", np.ones((10, 2), np.float32), RATE)
    notices: list[str] = []
    Engine(model, channels=1).set_impulse_response(tmp_path / "any.wav", on_notice=notices.append)
    assert ["mono instrument has no reverb" in each for each in notices] == [True]


def test_an_impulse_response_replaces_the_reverb(model: Model, tmp_path: Path) -> None:
    echo = np.zeros((RATE // 2, 2), np.float32)
    echo[-1] = 1
    soundfile.write(tmp_path / "echo.wav", echo, RATE)
    dry, wet = Engine(model, channels=2), Engine(model, channels=2)
    wet.set_impulse_response(tmp_path / "echo.wav", at=0)
    wet.express("reverb", 1, None, at=0)
    for engine in (dry, wet):
        engine.master_gain(-12, at=0)  # the sum stays below the limiter
    alone, both = a_note(dry, 1.5), a_note(wet, 1.5)
    late = RATE // 2 - 1
    assert np.allclose(both[late + 4000 :], alone[late + 4000 :] + alone[4000 : -late or None], atol=2e-3)
    with pytest.raises(CmaudioError, match="cannot be read"):
        wet.set_impulse_response(tmp_path / "missing.wav")


def test_every_setting_is_a_control_of_two_channels(model: Model) -> None:
    controls = Controls(Engine(model, channels=2))
    for name, setting in SETTINGS.items():
        assert controls[name] == setting.default
        assert controls.set(name, setting.max) == setting.max
    assert controls.set("reverb_kind", 1.6) == 2
    controls.reset()
    assert controls.values()["reverb_kind"] == SETTINGS["reverb_kind"].default
    with pytest.raises(CmaudioError, match="'reverb_decay' needs stereo"):
        Controls(Engine(model, channels=1)).set("reverb_decay", 1)


@pytest.mark.parametrize("at", ["soon", 1.5, float("nan"), -1, True])
def test_a_change_at_no_sample_is_refused_and_the_sound_goes_on(model: Model, at: Any) -> None:
    plain, asked = Engine(model, channels=2), Engine(model, channels=2)
    changes: list[Callable[[], object]] = [
        lambda: asked.set_effect("reverb_decay", 2, at),
        lambda: asked.set_effects_tempo(90, at),
        lambda: asked.set_impulse_response(None, at),
    ]
    for change in changes:
        with pytest.raises(CmaudioError, match="at must be a whole number"):
            change()
    assert np.array_equal(a_note(asked), a_note(plain))
