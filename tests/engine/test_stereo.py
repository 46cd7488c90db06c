"""Two channels: place, width, buses and stems."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from fixtures.engine import performance, rms, schedule_a_bit_of_everything

from cmaudio.engine.buses import EFFECTS_STEM
from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float

BREATHY = "pad 1 (new age)"
SAMPLES = 24_000


def side_by_side(model: Model, timbre: str = "flute", pitch: float = 60, **expression: float) -> Float:
    """(N, 2) half a second of a note."""
    engine = Engine(model, channels=2)
    for name, value in expression.items():
        engine.express(name, value, at=0)
    engine.note_on(pitch, 90, timbre=timbre, seed=1, at=0)
    return engine.read(SAMPLES)


def power(samples: Float) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


@pytest.fixture(scope="module")
def both(model: Model) -> Float:
    return performance(model, 26_000, channels=2)


@pytest.mark.parametrize("read", [1, 65, 8193])
def test_streaming_equals_offline_on_both_sides(model: Model, both: Float, read: int) -> None:
    assert both.shape == (26_000, 2)
    np.testing.assert_allclose(performance(model, read, channels=2), both, atol=1e-4)


def test_looking_ahead_changes_neither_side(model: Model, both: Float) -> None:
    ahead: dict[str, Any] = {"look_ahead_samples": 2**17, "threads": 2, "pipelined": True}
    np.testing.assert_allclose(performance(model, 26_000, channels=2, **ahead), both, atol=1e-4)


@pytest.mark.parametrize("width", [0.0, 0.5, 1.0])
def test_the_sides_add_up_to_one_channel_at_any_width(model: Model, width: float) -> None:
    engine = Engine(model, channels=1)
    engine.note_on(60, 90, timbre=BREATHY, seed=1, at=0)
    np.testing.assert_allclose(side_by_side(model, BREATHY, width=width).mean(1), engine.read(SAMPLES), atol=1e-5)


@pytest.mark.parametrize("name", ["pan", "width", "spread", "distance", "reverb", "chorus", "delay"])
def test_one_channel_is_bit_for_bit_the_same_wherever_sounds_are_placed(model: Model, name: str) -> None:
    plain, placed = (Engine(model, channels=1) for _ in range(2))
    placed.allocator.mono_notice.listen(lambda notice: None)
    placed.express(name, 0.9, channel=None, at=0)
    for engine in (plain, placed):
        engine.note_on(60, 90, timbre=BREATHY, seed=1, at=0)
    np.testing.assert_array_equal(placed.read(SAMPLES), plain.read(SAMPLES))


def test_without_width_left_and_right_are_the_same(model: Model) -> None:
    sides = side_by_side(model, BREATHY, width=0)
    np.testing.assert_array_equal(sides[:, 0], sides[:, 1])


@pytest.mark.parametrize("pan", [-1.0, -0.7, -0.2, 0.0, 0.35, 1.0])
def test_pan_keeps_the_power(model: Model, pan: float) -> None:
    centre, placed = side_by_side(model, width=0), side_by_side(model, width=0, pan=pan)
    assert abs(10 * np.log10(power(placed) / power(centre))) < 0.1
    left, right = power(placed[:, 0]), power(placed[:, 1])
    assert (right - left) / (right + left) == pytest.approx(pan, abs=1e-3)


def test_pans_of_note_channel_and_instrument_add_up(model: Model) -> None:
    engine = Engine(model, channels=2)
    engine.express("pan", -0.25, None, at=0)
    engine.express("pan", -0.25, 3, at=0)
    engine.express("width", 0, None, at=0)
    note = engine.note_on(60, 90, timbre="flute", seed=1, channel=3, at=0)
    note.express("pan", -0.25, 0, at=0)
    expected = side_by_side(model, width=0, pan=-0.75)
    np.testing.assert_allclose(engine.read(SAMPLES)[2000:], expected[2000:], atol=1e-5)


def test_a_moving_pan_has_no_steps(model: Model) -> None:
    def steps(pan: float) -> np.ndarray:
        engine = Engine(model, channels=2)
        note = engine.note_on(60, 90, timbre="whistle", seed=1, at=0)
        note.express("width", 0, 0, at=0)
        note.express("pan", pan, at=12_000)
        return np.abs(np.diff(engine.read(SAMPLES)[8000:], 2, axis=0)).max(0)

    assert (steps(0.8) < 1.5 * steps(0.0)).all()  # constant power raises a side by 3 dB


@pytest.mark.parametrize(
    ("timbre", "pitch", "side"),
    [("acoustic grand piano", 30, -1), ("acoustic grand piano", 96, 1), ("flute", 96, 0), ("closed hi-hat", 60, 1)],
)
def test_keyboards_and_kits_are_spread(model: Model, timbre: str, pitch: float, side: int) -> None:
    left, right = (power(x) for x in side_by_side(model, timbre, pitch, width=0).T)
    assert np.sign(round(10 * np.log10(right / left), 3)) == side
    gathered = side_by_side(model, timbre, pitch, width=0, spread=0)
    np.testing.assert_array_equal(gathered[:, 0], gathered[:, 1])


class Halver:
    """Halves the sound, and adds what is sent to the reverb."""

    silent = True

    def __init__(self) -> None:
        self.names: set[str] = set()

    def process(self, main: Float, sends: Mapping[str, Float]) -> None:
        self.names |= set(sends)
        main *= 0.5
        if "reverb" in sends:
            main += sends["reverb"]

    def recover(self) -> None: ...


def test_effects_get_what_is_sent(model: Model) -> None:
    plain = side_by_side(model)
    engine, halver = Engine(model, channels=2), Halver()
    engine.effects = halver
    engine.express("reverb", 0.25, at=0)
    engine.note_on(60, 90, timbre="flute", seed=1, at=0)
    np.testing.assert_allclose(engine.read(SAMPLES), 0.75 * plain, atol=1e-5)
    assert halver.names == {"reverb"}


def test_stems_add_up_to_what_the_limiter_gets(model: Model) -> None:
    engine, parts = Engine(model, channels=2, polyphony=4, seed=7), list[Mapping[int, Float]]()
    engine.effects = Halver()
    engine.take_stems(lambda samples, stems: parts.append(stems))
    schedule_a_bit_of_everything(engine)
    mix = np.concatenate([engine.read(6400) for _ in range(4)])
    assert {channel for stems in parts for channel in stems} == {0, 1, 2, EFFECTS_STEM}
    total = np.concatenate([sum(stems.values()) for stems in parts])
    late = engine.latency_samples
    assert rms(mix) > 0.01
    np.testing.assert_allclose(mix[late:], total[:-late], atol=1e-6)


def test_the_state_shows_both_sides_and_how_alike_they_are(model: Model) -> None:
    engine = Engine(model, channels=2)
    assert engine.state().correlation == 1
    engine.express("width", 1, at=0)
    engine.express("pan", 0.5, at=0)
    engine.note_on(60, 90, timbre="ride cymbal 1", at=0)
    engine.read(SAMPLES)
    state = engine.state()
    assert state.sides_db[1] > state.sides_db[0] + 1
    assert state.peak_db == state.sides_db[1]
    assert abs(state.correlation) < 0.5


def test_a_text_is_read_on_two_channels_if_asked(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice, channels=2)
    engine.say("one")
    assert engine.read(512).shape == (512, 2)
    assert Engine(tiny_voice).read(512).shape == (512,)


def test_panic_keeps_the_mix(model: Model) -> None:
    engine = Engine(model, channels=2)
    engine.express("pan", -1, 2)
    engine.express("vibrato", 1, 2)
    engine.read(512)
    engine.panic()
    engine.read(512)
    assert engine.allocator.channels[2].expression == {"pan": -1}


def test_one_channel_has_no_stems_and_three_are_refused(tiny_voice: Model) -> None:
    with pytest.raises(CmaudioError, match="channels=2"):
        Engine(tiny_voice).take_stems(lambda samples, stems: None)
    with pytest.raises(CmaudioError, match="channels must be"):
        Engine(tiny_voice, channels=3)
