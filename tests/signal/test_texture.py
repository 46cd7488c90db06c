"""Measures of textures move with what they are named after, and only there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cmaudio.signal.dsp import Float, Mel, Stft
from cmaudio.signal.texture import MEASURES, measure_texture, onsets, smoothed

RATE, HOP, FLOOR = 48_000, 512, 3e-4
STFT, MEL = Stft(4 * HOP, HOP), Mel(RATE, 4 * HOP, 128, 20.0, 24_000.0, FLOOR)
SECONDS = 3


def noise(seed: int = 0) -> Float:
    return np.random.default_rng(seed).standard_normal(SECONDS * RATE).astype(np.float32) * np.float32(0.1)


def tilted(octaves_db: float) -> Float:
    spectrum = np.fft.rfft(noise())
    hz = np.maximum(np.fft.rfftfreq(SECONDS * RATE, 1 / RATE), 30)
    return np.fft.irfft(spectrum * (hz / 1000) ** (octaves_db / 6.02)).astype(np.float32)


def clicks(per_second: int) -> Float:
    out = noise() * np.float32(0.001)
    out[:: RATE // per_second] = 0.5
    return out


def toned(share: float) -> Float:
    time = np.arange(SECONDS * RATE) / RATE
    tones = sum(np.sin(2 * np.pi * hz * time) for hz in (440, 1320, 3000, 7000))
    return (noise() * (1 - share) + share * 0.1 * tones).astype(np.float32)


def flickering(depth: float) -> Float:
    steps = np.random.default_rng(1).uniform(1 - depth, 1, SECONDS * RATE // HOP + 1)
    return (noise() * np.repeat(steps, HOP)[: SECONDS * RATE]).astype(np.float32)


def measured(audio: Float) -> dict[str, float]:
    mel = MEL(STFT.analyse(np.concatenate([np.zeros(STFT.overlap, np.float32), audio])))
    found = measure_texture(mel, RATE / HOP, FLOOR)
    assert tuple(found) == MEASURES
    assert all(len(values) == len(mel) and np.isfinite(values).all() for values in found.values())
    return {name: float(values[40:-40].mean()) for name, values in found.items()}


@pytest.mark.parametrize(
    ("measure", "make", "values"),
    [
        ("intensity", lambda x: noise() * np.float32(x), (0.1, 0.3, 1.0)),
        ("density", clicks, (2, 5, 11)),
        ("sharpness", tilted, (-6.0, -3.0, 0.0)),
        ("tonality", toned, (0.0, 0.5, 0.9)),
        ("roughness", flickering, (0.0, 0.6, 0.95)),
    ],
)
def test_a_measure_rises_with_what_it_is_named_after(
    measure: str, make: Callable[[float], Float], values: tuple[float, ...]
) -> None:
    found = [measured(make(value))[measure] for value in values]
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.3


def test_louder_is_neither_denser_nor_sharper() -> None:
    loud, soft = measured(noise()), measured(noise() * np.float32(0.25))
    assert loud["intensity"] - soft["intensity"] == pytest.approx(20 * np.log10(4), abs=0.2)
    assert loud["density"] == pytest.approx(soft["density"], abs=0.2)
    assert loud["sharpness"] == pytest.approx(soft["sharpness"], abs=1)


@pytest.mark.parametrize("frames", [1, 2, 7, 30])
def test_short_and_silent_sounds_are_measured(frames: int) -> None:
    silence = np.full((frames, 128), np.log(FLOOR), np.float32)
    assert all(np.isfinite(values).all() for values in measure_texture(silence, RATE / HOP, FLOOR).values())
    assert not onsets(np.full((frames, 128), -70.0), -70.0).any()


def test_a_constant_stays_what_it_is_when_smoothed() -> None:
    np.testing.assert_allclose(smoothed(np.full(11, 3.0), 7), 3.0)
