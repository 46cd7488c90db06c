"""Measuring how pitch deviates, on notes that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.signal.dsp import Float
from cmaudio.soundfont.deviation import SECONDS, measure_deviation

RATE = 48_000
KEYS = (48, 60, 72)
TIME = np.arange(round(SECONDS * RATE)) / RATE


def played(key: int, cents: Any = 0.0, layers: tuple[float, ...] = (0.0,)) -> Float:
    """Six harmonics of each of a few layers, these so many cents apart."""
    rng = np.random.default_rng(key)
    out = np.zeros(len(TIME))
    for layer in layers:
        hz = 440 * 2 ** ((key - 69) / 12 + (np.asarray(cents) + layer) / 1200)
        phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, len(TIME))) / RATE
        out += sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 7))
    return (0.1 * out).astype(np.float32)


def test_a_steady_tone_is_exact() -> None:
    assert measure_deviation(played, RATE, KEYS) is None


def test_silence_is_exact() -> None:
    assert measure_deviation(lambda key: np.zeros(len(TIME), np.float32), RATE, KEYS) is None


@pytest.mark.parametrize(("cents", "hz"), [(4.0, 6.0), (12.0, 5.0), (25.0, 2.0)])
def test_a_vibrato_is_found(cents: float, hz: float) -> None:
    found = measure_deviation(lambda key: played(key, cents * np.sin(2 * np.pi * hz * TIME)), RATE, KEYS)
    assert found is not None
    for key in found.keys:
        assert key.vibrato_cents == pytest.approx(cents, rel=0.1)
        assert key.vibrato_hz == pytest.approx(hz, rel=0.03)
        assert key.spread_cents == 0
        assert key.full_s < 0.5


def test_a_vibrato_that_sets_in_late_is_found() -> None:
    depth = 15 * np.clip((TIME - 0.6) / 0.6, 0, 1)
    found = measure_deviation(lambda key: played(key, depth * np.sin(2 * np.pi * 5 * TIME)), RATE, KEYS)
    assert found is not None
    for key in found.keys:
        assert key.from_s == pytest.approx(0.6, abs=0.25)
        assert key.full_s == pytest.approx(1.2, abs=0.25)


@pytest.mark.parametrize(("cents", "settle"), [(-20.0, 0.08), (20.0, 0.12)])
def test_a_scoop_is_found(cents: float, settle: float) -> None:
    found = measure_deviation(lambda key: played(key, cents * np.exp(-TIME / settle)), RATE, KEYS)
    assert found is not None
    assert found.keys[1].scoop_cents == pytest.approx(cents, rel=0.2)
    assert found.keys[1].scoop_s == pytest.approx(settle, rel=0.5)


def test_layers_are_a_spread_and_no_vibrato() -> None:
    layers = (-14.0, -5.0, 6.0, 13.0)
    found = measure_deviation(lambda key: played(key, layers=layers), RATE, KEYS)
    assert found is not None
    assert np.median([key.vibrato_cents for key in found.keys]) == 0  # in one key they may swing together by chance
    for key in found.keys:
        assert key.spread_cents == pytest.approx(np.std(layers), rel=0.8)
        assert key.moving > 0.4


@pytest.mark.parametrize("layers", [(-7.0, 7.0), (-5.0, 5.0)])
def test_reeds_that_mirror_each_other_beat_without_turning(layers: tuple[float, ...]) -> None:
    found = measure_deviation(lambda key: played(key, layers=layers), RATE, KEYS[:2])
    assert found is not None
    for key in found.keys:
        assert key.turning < 0.5
        assert 4 < key.spread_cents < 24


def test_wandering_is_found_and_is_no_vibrato() -> None:
    rates = np.array([[1.0], [2.7], [4.4], [6.0]])
    wandering = 3 * np.sin(2 * np.pi * (rates * TIME + rates)).sum(0)
    found = measure_deviation(lambda key: played(key, wandering), RATE, KEYS)
    assert found is not None
    for key in found.keys:
        assert (key.vibrato_cents, key.spread_cents) == (0, 0)
        assert key.wander_cents == pytest.approx(wandering.std(), rel=0.4)
        assert 0.7 < key.wander_hz < 4


def test_a_steady_lowest_partial_stays_steady() -> None:
    def oohs(key: int) -> Float:
        hz = 440 * 2 ** ((key - 69) / 12)
        steady = np.sin(2 * np.pi * hz * TIME).astype(np.float32)
        layers = played(key, layers=(-14.0, -5.0, 6.0, 13.0))
        spectrum = np.fft.rfft(layers)
        spectrum[: round(1.5 * hz * len(TIME) / RATE)] = 0
        return np.float32(0.3) * steady + np.fft.irfft(spectrum, len(TIME)).astype(np.float32)

    found = measure_deviation(oohs, RATE, KEYS)
    assert found is not None
    for key in found.keys:
        assert key.first_moves < 0.1
        assert key.spread_cents > 4
