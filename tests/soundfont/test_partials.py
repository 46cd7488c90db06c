"""Kinds of partials, recognised on synthetic notes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cmaudio.model.partials import LowerBase, NoPartials, Partials, PartialSets, StretchedPartials
from cmaudio.signal.dsp import Float
from cmaudio.signal.partials import stretched_ratios
from cmaudio.soundfont.partials import f0_hz, measure_partials

RATE = 48_000
KEYS = (40, 46, 52, 58, 64, 70)
TIME = np.arange(RATE) / RATE
HARMONICS = tuple(float(k) for k in range(1, 13))
BELL = (0.5, 1.19, 2.756, 5.404, 8.933)


def ringing(ratios: tuple[float, ...] | np.ndarray, cents: float = 0.0, decay: float = 2.0) -> Callable[[int], Float]:
    def play(key: int) -> Float:
        hz = f0_hz(key) * 2 ** (cents / 1200)
        parts = [np.sin(2 * np.pi * hz * r * TIME + r) / (1 + i) for i, r in enumerate(ratios) if hz * r < RATE / 2]
        return (0.1 * np.sum(parts, 0) * np.exp(-decay * TIME)).astype(np.float32)

    return play


def stiff(key: int) -> Float:
    return ringing(stretched_ratios(2e-4 * 2 ** ((key - 40) / 12), 14))(key)


def noisy(key: int) -> Float:
    return np.random.default_rng(key).normal(0, 0.1, RATE).astype(np.float32)


def rumbling(key: int) -> Float:
    """Noise below some 200 Hz, the same on every key, as of a rotor."""
    return np.convolve(np.random.default_rng(1).normal(0, 1, RATE), np.ones(240) / 240, "same").astype(np.float32)


def wavering(key: int) -> Float:
    phase = np.cumsum(f0_hz(key) * (1 + 0.01 * np.sin(2 * np.pi * 5 * TIME))) / RATE
    return (0.1 * np.sum([np.sin(2 * np.pi * k * phase) / k for k in range(1, 9)], 0)).astype(np.float32)


def untuned(key: int) -> Float:
    """The same drum on every key."""
    return ringing((1.0, 1.47, 2.09))(50)


def silent(key: int) -> Float:
    return np.zeros(RATE, np.float32)


def measured(play: Callable[[int], Float], sustained: bool = False) -> Partials | None:
    return measure_partials(play, RATE, sustained, KEYS)


@pytest.mark.parametrize(
    ("play", "sustained"),
    [
        (ringing(HARMONICS), False),
        (ringing(HARMONICS, cents=12.0), False),  # a recording out of tune
        (ringing((1.0,)), False),
        (ringing(BELL), True),  # what sounds while held is left harmonic
        (wavering, False),
        (untuned, False),
        (silent, False),
    ],
    ids=["harmonic", "out of tune", "sine", "sustained", "vibrato", "untuned", "silence"],
)
def test_these_stay_harmonic(play: Callable[[int], Float], sustained: bool) -> None:
    assert measured(play, sustained) is None


@pytest.mark.parametrize("sustained", [False, True])
@pytest.mark.parametrize("play", [noisy, rumbling], ids=["white", "low"])
def test_noise_has_no_partials(play: Callable[[int], Float], sustained: bool) -> None:
    assert measured(play, sustained) == NoPartials()


@pytest.mark.parametrize(("lowest", "divisor"), [(0.5, 2), (0.25, 4)])
@pytest.mark.parametrize("sustained", [False, True])
def test_stops_below_the_key_give_a_lower_base(lowest: float, divisor: int, sustained: bool) -> None:
    assert measured(ringing((lowest, 1.0, 1.5, 2.0, 3.0)), sustained) == LowerBase(divisor=2 if divisor == 2 else 4)


def test_stiff_strings_give_their_inharmonicity() -> None:
    found = measured(stiff)
    assert isinstance(found, StretchedPartials)
    for key in (46, 52, 58):
        assert found.b(key) == pytest.approx(2e-4 * 2 ** ((key - 40) / 12), rel=0.02)


def test_bells_give_their_partials() -> None:
    found = measured(ringing(BELL))
    assert isinstance(found, PartialSets)
    assert [partials.key for partials in found.sets] == list(KEYS)
    for partials in found.sets:
        np.testing.assert_allclose(1200 * np.log2(np.array(partials.ratios) / BELL), 0, atol=1)
