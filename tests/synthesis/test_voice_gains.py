"""The gains of a voice: what rests is what would be computed sample by sample, until something changes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from cmaudio.score.expression import EXPRESSIONS
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice_gains import VoiceGains

N = 256


class Restless(Trajectory):
    """Never said to rest, so that every sample is computed."""

    def rests_at(self, time: float) -> bool:
        return False


def gains(kind: type[Trajectory], values: Mapping[str, float], place: float = 0.0) -> VoiceGains:
    made = VoiceGains({name: kind(values.get(name, e.rest)) for name, e in EXPRESSIONS.items()})
    made.place = place
    return made


def heard(of: VoiceGains, start: int, channels: int = 2) -> tuple[Float, Float, dict[str, Float]]:
    samples = np.random.default_rng(0).standard_normal((channels, N)).astype(np.float32)
    samples = samples if channels == 2 else samples[0]
    direct, sends = of.routed(start, N)
    levels = {name: np.broadcast_to(np.asarray(sent, np.float32), N) for name, sent in sends}
    return of.apply(samples, start), np.broadcast_to(np.asarray(direct, np.float32), N), levels


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("place", [0.0, -0.7])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {"level": -7.0},
        {"pressure": 0.5},
        {"pan": 0.6, "spread": 1.0},
        {"pan": -1.0, "spread": 1.0, "level": 3.0},
        {"distance": 0.4, "chorus": 0.2},
        {"reverb": 0.5, "delay": 0.1},
    ],
)
def test_resting_gains_are_those_of_every_sample(values: dict[str, float], place: float, channels: int) -> None:
    resting, moving = (heard(gains(kind, values, place), 512, channels) for kind in (Trajectory, Restless))
    np.testing.assert_allclose(resting[0], moving[0], rtol=1e-6)
    np.testing.assert_allclose(resting[1], moving[1], rtol=1e-6)
    for name, level in moving[2].items():
        np.testing.assert_allclose(resting[2].get(name, np.zeros(N)), level, rtol=1e-6)


@pytest.mark.parametrize("name", ["pressure", "level", "pan", "distance", "reverb", "chorus", "delay"])
def test_a_change_is_heard_at_its_sample_and_then_rests(name: str) -> None:
    trajectories = {n: Trajectory(e.rest) for n, e in EXPRESSIONS.items()}
    of = VoiceGains(trajectories)
    before = heard(of, 0)
    trajectories[name].move(300, EXPRESSIONS[name].max, 100)
    of.changed()
    unmoved, moving, after = heard(of, 0), heard(of, 256), heard(of, 512)

    def same(one: tuple[Float, Float, dict[str, Float]], other: tuple[Float, Float, dict[str, Float]]) -> bool:
        silent = {n: np.zeros(N, np.float32) for n in ("reverb", "chorus", "delay")}
        pairs = [
            (one[0], other[0]),
            (one[1], other[1]),
            *((({**silent, **one[2]})[n], ({**silent, **other[2]})[n]) for n in silent),
        ]
        return all(np.allclose(a, b, rtol=1e-6) for a, b in pairs)

    assert same(before, unmoved)
    assert not same(moving, before)
    assert not same(moving, after)
    assert same(after, heard(of, 10_000))
    assert not same(after, before)


def test_a_place_that_is_set_later_is_heard() -> None:
    of = gains(Trajectory, {"spread": 1.0})
    middle, _, _ = heard(of, 0)
    of.place = 1.0
    right, _, _ = heard(of, 256)
    assert np.abs(right[0]).max() == 0
    np.testing.assert_allclose(right[1], middle[1] * np.sqrt(2), rtol=1e-6)
