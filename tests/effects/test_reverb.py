"""The reverb: its decay, echo density, modes, stability, decorrelation and determinism."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cmaudio.effects.reverb import KINDS, Reverb
from cmaudio.signal.dsp import Float

RATE = 48_000


def impulse_response(seconds: float, **settings: float | str) -> Float:
    """(N, 2) response to one sample on both sides, without pre-delay."""
    reverb = Reverb(RATE)
    reverb.set(**{"predelay_ms": 0.0, **settings})  # type: ignore[arg-type]
    x = np.zeros((round(seconds * RATE), 2), np.float32)
    x[0] = 1
    out = np.zeros_like(x)
    reverb.process(x, out)
    return out


def decay_seconds(response: Float) -> float:
    """Reverberation time from -5 to -35 dB of the backward integrated response (Schroeder 1965)."""
    energy = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    level = 10 * np.log10(energy / energy[0] + 1e-30)
    start, end = int(np.argmax(level < -5)), int(np.argmax(level < -35))
    slope = np.polyfit(np.arange(start, end) / RATE, level[start:end], 1)[0]
    return float(-60 / slope)


def echo_density(response: Float, seconds: float) -> float:
    """1 for Gaussian noise, 0 for sparse echoes, in a window of 20 ms (Abel and Huang 2006)."""
    half = round(0.01 * RATE)
    part = response[round(seconds * RATE) - half : round(seconds * RATE) + half].astype(np.float64)
    weights = np.hanning(2 * half)
    weights /= weights.sum()
    deviation = math.sqrt(float((weights * part**2).sum()))
    return float(weights @ (np.abs(part) > deviation)) / math.erfc(math.sqrt(0.5))


def run(reverb: Reverb, x: Float, sizes: tuple[int, ...] = (4096,)) -> Float:
    out, done, turn = np.zeros_like(x), 0, 0
    while done < len(x):
        end = done + sizes[turn % len(sizes)]
        reverb.process(x[done:end], out[done:end])
        done, turn = end, turn + 1
    return out


def noise(seconds: float, seed: int = 0) -> Float:
    return 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * RATE), 2), dtype=np.float32)


@pytest.mark.parametrize("damping", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("decay", [0.6, 2.0, 8.0])
@pytest.mark.parametrize("kind", KINDS)
def test_decays_as_fast_as_asked(kind: str, decay: float, damping: float) -> None:
    response = impulse_response(1.2 * decay, kind=kind, decay=decay, damping=damping)
    assert [decay_seconds(response[:, side]) / decay for side in (0, 1)] == pytest.approx([1, 1], abs=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_echoes_are_dense_after_80_ms(kind: str) -> None:
    response = impulse_response(0.5, kind=kind)
    for seconds in (0.08, 0.1, 0.2, 0.4):
        assert echo_density(response[:, 0], seconds) > 0.85


@pytest.mark.parametrize("size", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("kind", KINDS)
def test_no_mode_stands_out_by_12_db(kind: str, size: float) -> None:
    decay = 4.0
    response = impulse_response(6, kind=kind, decay=decay, damping=0, size=size)[:, 0].astype(np.float64)
    response *= 10 ** (3 * np.arange(len(response)) / RATE / decay)  # undo the decay
    frames = np.lib.stride_tricks.sliding_window_view(response[round(0.08 * RATE) :], RATE)[:: RATE // 2]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(RATE)))).mean(0)  # bins of 1 Hz
    neighbours = np.median(np.lib.stride_tricks.sliding_window_view(power, 51), axis=-1)
    prominence_db = 10 * np.log10(power[25:-25] / neighbours)
    assert prominence_db[100:6000].max() < 12


def test_is_stable_for_ten_minutes_at_the_longest_decay() -> None:
    reverb = Reverb(RATE)
    reverb.set("cathedral", 30, 0, 250, 2)
    sound, levels = noise(10), []
    for _ in range(60):
        levels.append(float(np.square(run(reverb, sound)).mean()))
    steady = levels[20:]
    assert max(steady) < 1.1 * min(steady)
    for _ in range(6):
        rest = run(reverb, np.zeros_like(sound))
    assert np.abs(rest).max() < 1e-3
    assert reverb.silent


@pytest.mark.parametrize("kind", KINDS)
def test_sides_are_decorrelated(kind: str) -> None:
    response = impulse_response(2, kind=kind)[round(0.05 * RATE) :]
    assert abs(np.corrcoef(response[:, 0], response[:, 1]).item(1)) < 0.1


@pytest.mark.parametrize("decay", [0.5, 2, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_a_steady_sound_has_about_its_own_level(kind: str, decay: float) -> None:
    reverb = Reverb(RATE)
    reverb.set(kind, decay, 0)
    spectrum = np.fft.rfft(noise(4), axis=0)
    spectrum[12_000:] = 0  # below the bandwidth of all kinds
    sound = np.fft.irfft(spectrum, axis=0).astype(np.float32)
    for _ in range(1 + round(decay)):
        out = run(reverb, sound)
    assert 20 * np.log10(out.std() / sound.std()) == pytest.approx(0, abs=3)


@pytest.mark.parametrize("sizes", [(1,), (7, 64, 1, 100), (65,), (8193,)])
def test_sizes_of_blocks_do_not_matter(sizes: tuple[int, ...]) -> None:
    sound = noise(0.3)
    sound[3000:] = 0
    results = []
    for each in ((len(sound),), sizes):
        reverb = Reverb(RATE, seed=5)
        reverb.set("room", 0.3)
        results.append(run(reverb, sound, each))
    assert np.array_equal(results[0], results[1])


def test_seeds_give_different_samples_and_each_its_own() -> None:
    first, again, other = (run(Reverb(RATE, seed), noise(0.5)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "change",
    [{"kind": "plate"}, {"size": 1.7}, {"decay": 0.4}, {"damping": 1.0}, {"predelay_ms": 90.0}],
    ids=lambda change: next(iter(change)),
)
def test_settings_change_without_clicks(change: dict[str, float | str]) -> None:
    seconds = np.arange(2 * RATE) / RATE
    sound = np.repeat((0.3 * np.sin(2 * np.pi * 220 * seconds)).astype(np.float32)[:, None], 2, 1)
    reverb = Reverb(RATE)
    before = run(reverb, sound)
    reverb.set(**change)  # type: ignore[arg-type]
    after = run(reverb, sound)
    steps = [np.abs(np.diff(part.astype(np.float64), 2, axis=0)).max() for part in (before, after)]
    assert steps[1] < 1.6 * steps[0]


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 96_000])
def test_other_sample_rates_decay_as_fast(rate: int) -> None:
    reverb = Reverb(rate)
    reverb.set("hall", 1.0, 0, 0)
    x = np.zeros((rate, 2), np.float32)
    x[0] = 1
    response = run(reverb, x)[:, 0]
    assert decay_seconds(response) * RATE / rate == pytest.approx(1, abs=0.1)
