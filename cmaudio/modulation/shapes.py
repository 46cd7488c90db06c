"""Waveforms of modulators: LFOs over a phase in cycles, and an envelope over seconds.

Shapes: N times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.modulation.settings import ModulationEnvelope

Array = NDArray[np.float64]
_SHORTEST_SECONDS = 1e-4  # avoids division by zero


def oscillation(shape: str, cycles: Array, seed: int = 0) -> Array:
    """(N,) values -1..1 of an oscillator at a phase of (N,) cycles.

    "steps" holds a random value for every cycle and "drift" glides between these. Both depend only on `seed` and the
    number of the cycle, so they are the same in every run.
    """
    part = cycles - np.floor(cycles)
    match shape:
        case "sine":
            return np.sin(2 * np.pi * part)
        case "triangle":  # starts at 0 and rises, like the sine
            return np.asarray(4 * np.abs((part + 0.75) % 1 - 0.5) - 1)
        case "rise":
            return 2 * part - 1
        case "fall":
            return 1 - 2 * part
        case "square":
            return np.where(part < 0.5, 1.0, -1.0)
    number = np.floor(cycles).astype(np.int64)
    here = _random(number, seed)
    if shape == "steps":
        return here
    weight = part * part * (3 - 2 * part)
    return here + weight * (_random(number + 1, seed) - here)


def _random(number: NDArray[np.int64], seed: int) -> Array:
    """(N,) random values -1..1 by cycle number: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = number.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B9)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.asarray(mixed >> np.uint64(11), np.float64) / 2**52 - 1


def envelope(shape: ModulationEnvelope, seconds: Array, released_seconds: float) -> Array:
    """(N,) values 0..1 of an envelope, seconds (N,) after the onset; released at `released_seconds`, or inf."""
    held = _held(shape, np.minimum(seconds, released_seconds))
    if released_seconds == np.inf:
        return held
    over = np.maximum(seconds - released_seconds, 0) / max(shape.release, _SHORTEST_SECONDS)
    return np.asarray(held * np.maximum(0, 1 - over))


def _held(shape: ModulationEnvelope, seconds: Array) -> Array:
    """While the key is down: piecewise linear."""
    attack, decay = max(shape.attack, _SHORTEST_SECONDS), max(shape.decay, _SHORTEST_SECONDS)
    falling = 1 - (1 - shape.sustain) * np.clip((seconds - attack) / decay, 0, 1)
    return np.where(seconds < attack, np.maximum(seconds, 0) / attack, falling)
