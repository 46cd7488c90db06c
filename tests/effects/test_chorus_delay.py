"""Chorus and delay."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cmaudio.effects.chorus import Chorus
from cmaudio.effects.delay import LONGEST_SECONDS, Delay
from cmaudio.signal.dsp import Float

RATE = 48_000


def run(unit: Chorus | Delay, x: Float, sizes: tuple[int, ...] = (4096,)) -> Float:
    out, done, turn = np.zeros_like(x), 0, 0
    while done < len(x):
        end = done + sizes[turn % len(sizes)]
        unit.process(x[done:end], out[done:end])
        done, turn = end, turn + 1
    return out


def noise(seconds: float) -> Float:
    return 0.1 * np.random.default_rng(0).standard_normal((round(seconds * RATE), 2), dtype=np.float32)


def impulse(seconds: float, sides: tuple[float, float] = (1, 1)) -> Float:
    x = np.zeros((round(seconds * RATE), 2), np.float32)
    x[0] = sides
    return x


def echoes(out: Float) -> list[tuple[int, int]]:
    """Milliseconds and side of what stands out."""
    at, side = np.nonzero(np.abs(out) > 0.05)
    found = {(round(1000 * a / RATE), s) for a, s in zip(at.tolist(), side.tolist(), strict=True)}
    return sorted(found)


@pytest.mark.parametrize("make", [lambda: Chorus(RATE, 3), lambda: Delay(RATE)], ids=["chorus", "delay"])
@pytest.mark.parametrize("sizes", [(1,), (7, 64, 1, 100), (65,), (8193,)])
def test_sizes_of_blocks_do_not_matter(make: Callable[[], Chorus | Delay], sizes: tuple[int, ...]) -> None:
    x = noise(0.8)
    x[5000:30_000] = 0
    x[33_000:] = 0
    results = []
    for each in ((len(x),), sizes):
        made = make()
        if isinstance(made, Delay):
            made.set(0.05, 0.2)
        results.append(run(made, x, each))
    assert np.array_equal(results[0], results[1])


def test_chorus_keeps_the_level_and_is_wide() -> None:
    x = noise(5)
    x[:, 1] = x[:, 0]
    out = run(Chorus(RATE), x)
    assert 20 * np.log10(out.std() / x.std()) == pytest.approx(0, abs=1.5)
    assert abs(np.corrcoef(out[:, 0], out[:, 1]).item(1)) < 0.2


def test_chorus_moves_pitch_up_and_down_by_a_few_cents() -> None:
    seconds = np.arange(8 * RATE) / RATE
    x = np.zeros((len(seconds), 2), np.float32)
    x[:, 0] = np.sin(2 * np.pi * 1000 * seconds)
    chorus = Chorus(RATE)
    chorus._swings[1, 0] = chorus._swings[0, 0]
    chorus._swings[1, 2:4] = chorus._swings[0, 2:4]  # both voices alike, so that there is one pitch
    out = run(chorus, x)[RATE:, 0].astype(np.float64)
    rising = np.flatnonzero((out[:-1] < 0) & (out[1:] >= 0))
    crossings = rising - out[rising] / (out[rising + 1] - out[rising])
    cents = 1200 * np.log2(RATE / np.diff(crossings[::10]) * 10 / 1000)
    assert 5 < cents.max() < 20
    assert -20 < cents.min() < -5


def test_chorus_of_a_tone_has_no_clicks() -> None:
    seconds = np.arange(4 * RATE) / RATE
    x = np.repeat(np.sin(2 * np.pi * 440 * seconds).astype(np.float32)[:, None], 2, 1)
    out = run(Chorus(RATE), x)[RATE:].astype(np.float64)
    assert np.abs(np.diff(out, 2, axis=0)).max() < 1.6 * np.abs(np.diff(x.astype(np.float64), 2, axis=0)).max()


@pytest.mark.parametrize(
    ("ping_pong", "sides", "found"),
    [
        (1, (1, 1), [(100, 0), (200, 1), (300, 0), (400, 1)]),
        (1, (0, 2), [(100, 0), (200, 1), (300, 0), (400, 1)]),
        (0, (1, 0), [(100, 0), (200, 0), (300, 0), (400, 0)]),
        (0, (0, 1), [(100, 1), (200, 1), (300, 1), (400, 1)]),
    ],
)
def test_echoes_change_sides_or_stay(
    ping_pong: float, sides: tuple[float, float], found: list[tuple[int, int]]
) -> None:
    delay = Delay(RATE)
    delay.set(0.1, 0.5, 0, ping_pong)
    assert echoes(run(delay, impulse(0.45, sides))) == found


def test_feedback_is_the_ratio_of_echoes() -> None:
    delay = Delay(RATE)
    delay.set(0.1, 0.5, 0, 0)
    out = run(delay, impulse(0.5))[:, 0]
    energies = [float(np.square(out[4800 * k : 4800 * (k + 1)]).sum()) for k in (1, 2, 3)]
    assert np.sqrt(energies[1] / energies[0]) == pytest.approx(0.5, abs=0.1)


def test_damping_makes_echoes_duller() -> None:
    brightness = []
    for damping in (0.0, 0.5, 1.0):
        delay = Delay(RATE)
        delay.set(0.1, 0.9, damping, 0)
        third = np.abs(np.fft.rfft(run(delay, impulse(0.5))[13_000:19_000, 0]))
        brightness.append(third[2000:].sum() / third.sum())
    assert brightness == sorted(brightness, reverse=True)


def test_times_that_are_too_long_are_halved() -> None:
    delay = Delay(8000)
    delay.set(4 * LONGEST_SECONDS, 0)
    x = np.zeros((8000 * 7, 2), np.float32)
    x[0] = 1
    out = np.zeros_like(x)
    delay.process(x, out)
    assert np.flatnonzero(out[:, 0]).tolist() == [8000 * LONGEST_SECONDS]


def test_is_stable_and_falls_silent_at_the_highest_feedback() -> None:
    delay = Delay(RATE)
    delay.set(0.03, 0.95, 0)
    for _ in range(20):
        out = run(delay, noise(1))
    assert np.abs(out).max() < 10
    for _ in range(10):
        out = run(delay, np.zeros((RATE, 2), np.float32))
    assert delay.silent
    assert not out.any()


@pytest.mark.parametrize("change", [{"seconds": 0.21}, {"feedback": 0.9}, {"damping": 1.0}, {"ping_pong": 0.0}])
def test_settings_change_without_clicks(change: dict[str, float]) -> None:
    seconds = np.arange(RATE) / RATE
    x = np.repeat((0.3 * np.sin(2 * np.pi * 220 * seconds)).astype(np.float32)[:, None], 2, 1)
    delay = Delay(RATE)
    delay.set(0.1)
    run(delay, x)
    delay.set(**{"seconds": 0.1, **change})
    out = run(delay, x)
    assert np.abs(np.diff(out.astype(np.float64), 2, axis=0)).max() < 5e-3
