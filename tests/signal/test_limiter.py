"""The limiter: its ceiling, its delay, its recovery."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmaudio.signal.dsp import Float
from cmaudio.signal.limiter import Limiter
from cmaudio.signal.pairs import sum_of_pairs

RATE = 48_000


quanta = st.lists(
    st.tuples(st.floats(0, 1e4), st.sampled_from(["impulse", "noise", "square", "ramp"]), st.integers(0, 63)),
    min_size=1,
    max_size=40,
)


def quantum(peak: float, kind: str, place: int) -> Float:
    shapes = {
        "impulse": np.eye(1, 64, place)[0],
        "noise": np.random.default_rng(place).uniform(-1, 1, 64),
        "square": np.where(np.arange(64) % (place + 1) < place / 2, -1.0, 1.0),
        "ramp": np.arange(64) / 63,
    }
    return np.asarray(peak * shapes[kind], np.float32)


@settings(max_examples=150, deadline=None)
@given(quanta)
def test_limiter_never_passes_its_ceiling(parts: list[tuple[float, str, int]]) -> None:
    x = np.concatenate([*(quantum(*part) for part in parts), np.zeros(64, np.float32)])
    limiter = Limiter(RATE)
    y = limiter.process(x)
    assert np.abs(y).max() <= limiter.ceiling * (1 + 1e-6)
    assert 0 < limiter.gain <= 1
    chunked = Limiter(RATE)
    pieces = [chunked.process(x[start : start + 64]) for start in range(0, len(x), 64)]
    np.testing.assert_array_equal(np.concatenate(pieces), y)


def test_limiter_leaves_alone_what_is_below_the_ceiling() -> None:
    x = np.random.default_rng(0).uniform(-0.96, 0.96, 64 * 50).astype(np.float32)
    np.testing.assert_array_equal(Limiter(RATE).process(x)[64:], x[:-64])


@pytest.mark.parametrize("place", [0, 1, 63, 64, 200])
def test_limiter_delays_by_what_it_declares(place: int) -> None:
    limiter = Limiter(RATE)
    y = limiter.process(np.eye(1, 640, place, dtype=np.float32)[0] * np.float32(0.5))
    assert int(np.abs(y).argmax()) - place == limiter.latency_samples


def test_limiter_recovers_and_forgets_on_reset() -> None:
    limiter = Limiter(RATE)
    limiter.process(np.full(640, 4.0, np.float32))
    assert limiter.gain == pytest.approx(10 ** (-0.3 / 20) / 4, rel=1e-6)
    after = limiter.process(np.full(RATE * 2 // 64 * 64, 0.1, np.float32))
    assert (np.diff(after[128:]) >= -1e-9).all()
    assert after[-1] == np.float32(0.1)
    limiter.process(np.full(640, 4.0, np.float32))
    limiter.reset()
    x = np.random.default_rng(0).uniform(-3, 3, 6400).astype(np.float32)
    np.testing.assert_array_equal(limiter.process(x), Limiter(RATE).process(x))


def test_both_sides_have_the_same_gain() -> None:
    rng = np.random.default_rng(3)
    loud = rng.uniform(-3, 3, (20 * 64, 1)).astype(np.float32)
    sides = np.concatenate([loud, 0.1 * loud], 1)
    limited = Limiter(RATE, channels=2).process(sides)
    assert np.abs(limited).max() <= Limiter(RATE).ceiling * (1 + 1e-6)
    np.testing.assert_allclose(limited[:, 1], 0.1 * limited[:, 0], rtol=1e-5, atol=1e-7)
    one = Limiter(RATE).process(loud[:, 0])
    np.testing.assert_array_equal(limited[:, 0], one)


def test_neither_a_pair_nor_their_sum_exceeds_the_ceiling() -> None:
    x = np.random.default_rng(0).uniform(-0.9, 0.9, (6400, 4)).astype(np.float32)
    limiter = Limiter(RATE, channels=4)
    out = limiter.process(x)
    assert np.abs(sum_of_pairs(out)).max() == pytest.approx(limiter.ceiling, abs=0.01)
    assert np.abs(out).max() < limiter.ceiling
