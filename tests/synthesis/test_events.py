"""Events of a texture: how many, how regular, how high, and that a model without them sounds as before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cmaudio.model.events import PARTS, Events
from cmaudio.signal.dsp import Mel
from cmaudio.synthesis.events import EventTrain
from cmaudio.synthesis.spectrum_shaping import SpectrumShaper

RATE = 93.75


def events(**changed: Any) -> Events:
    values: dict[str, Any] = {
        "per_second": 2.0,
        "regularity": 0.5,
        "heights": [0.5, 1.0, 1.5],
        "colour_db": [20.0] * PARTS,
        "course": [1, 0.5],
    }
    return Events.model_validate(values | changed)


def rise(of: Events, seconds: float = 200, density: float = 0.5, seed: int = 1) -> np.ndarray:
    count = int(seconds * RATE) // 4 * 4
    train = EventTrain(of, seed, RATE)
    blocks = np.arange(count).reshape(-1, 4)
    return np.concatenate([train.rise(block, np.full(4, density)) for block in blocks])


def onsets(rises: np.ndarray) -> np.ndarray:
    level = rises.mean(1)
    return np.flatnonzero((level > 0) & (np.concatenate([[0], level[:-1]]) == 0))


@pytest.mark.parametrize(("density", "per_second"), [(0.0, 0.5), (0.5, 2.0), (1.0, 8.0)])
@pytest.mark.parametrize("regularity", [0.3, 0.9])
def test_density_says_how_many_there_are(density: float, per_second: float, regularity: float) -> None:
    found = onsets(rise(events(regularity=regularity, course=[1.0]), density=density))
    assert len(found) / 200 == pytest.approx(per_second, rel=0.15)


@pytest.mark.parametrize("regularity", [0.0, 0.5, 0.9, 1.0])
def test_they_come_as_regularly_as_measured(regularity: float) -> None:
    apart = np.diff(onsets(rise(events(regularity=regularity, per_second=1, course=[1.0]), 600)))
    assert apart.std() / apart.mean() == pytest.approx(max(1 - regularity, 0.1), abs=0.09)


def test_they_rise_as_high_as_measured_in_their_colour() -> None:
    colour = np.linspace(0, 30, PARTS)
    found = rise(events(colour_db=colour.tolist(), course=[0.5, 1.0, 0.25]), 400)
    peaks = found[found.mean(1) > 0]
    np.testing.assert_allclose(
        peaks / peaks.max(1, keepdims=True), np.broadcast_to(colour / 30, peaks.shape), atol=1e-6
    )
    highest = found[onsets(found) + 1].max(1) / 30
    assert (highest.min(), np.median(highest), highest.max()) == pytest.approx((0.5, 1.0, 1.5), abs=0.1)


def test_the_same_seed_brings_the_same_events() -> None:
    np.testing.assert_array_equal(rise(events(), 20, seed=4), rise(events(), 20, seed=4))
    assert not np.array_equal(rise(events(), 20, seed=4), rise(events(), 20, seed=5))


def test_frames_before_the_onset_and_known_ones_have_none() -> None:
    train = EventTrain(events(per_second=50, course=[1.0] * 9), 1, RATE)
    assert not train.rise(np.arange(-4, 0), np.full(4, 0.5)).any()
    train.rise(np.arange(8), np.full(8, 0.5))
    assert not train.rise(np.arange(8), np.full(8, 0.5)).any()


@pytest.mark.parametrize(
    "changed",
    [
        {"per_second": 0},
        {"regularity": 1.1},
        {"heights": [1.0]},
        {"colour_db": [1.0]},
        {"course": []},
        {"course": [2.0]},
    ],
)
def test_what_no_events_are_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        events(**changed)


def test_they_lift_silence_and_levels_do_not() -> None:
    mel = Mel(48_000, 2048, 128, 20.0, 24_000.0, 3e-4)
    shaper = SpectrumShaper(mel, np.zeros(128, np.float32), np.ones(128, np.float32))
    silence, still = np.full((1, 4, 128), np.log(3e-4), np.float32), np.zeros((1, 4), np.float32)
    lifted = shaper(silence, still, still, still, np.full((1, 4, PARTS), 20.0, np.float32))
    np.testing.assert_allclose(lifted - silence, np.log(10), rtol=1e-5)
    np.testing.assert_array_equal(shaper(silence, still, still, still, np.full((1, 4), 20.0, np.float32)), silence)
    assert np.isfinite(lifted).all()
