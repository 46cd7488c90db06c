"""The convolution equals a direct one, without latency, and leaves nothing behind."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.effects.convolution import Convolution
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

RATE = 48_000


def response(length: int, channels: int) -> Float:
    """Decaying noise with the energy of one sample a side."""
    noise = np.random.default_rng(length).standard_normal((length, channels))
    noise *= np.exp(-6 * np.arange(length) / length)[:, None]
    return np.asarray(noise / np.sqrt(np.square(noise).sum() / min(2, channels)), np.float32)


def sound(samples: int = 20_000) -> Float:
    x = np.random.default_rng(1).uniform(-1, 1, (samples, 2)).astype(np.float32)
    x[5000:12_000] = 0
    return x


def run(convolution: Convolution, x: Float, sizes: tuple[int, ...]) -> Float:
    out, done, turn = np.zeros_like(x), 0, 0
    while done < len(x):
        end = done + sizes[turn % len(sizes)]
        convolution.process(x[done:end], out[done:end])
        done, turn = end, turn + 1
    return out


def direct(x: Float, h: Float) -> Float:
    """By one long Fourier transform in double precision."""
    size = len(x) + len(h)

    def one(side: int, channel: int) -> Float:
        product = np.fft.rfft(x[:, side], size) * np.fft.rfft(h[:, channel].astype(np.float64), size)
        return np.asarray(np.fft.irfft(product, size)[: len(x)])

    channels = h.shape[1]
    if channels == 4:
        return np.stack([one(0, 0) + one(1, 2), one(0, 1) + one(1, 3)], 1)
    return np.stack([one(0, 0), one(1, channels - 1)], 1)


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("length", [1, 100, 256, 257, 8193, 60_000])
def test_equals_direct_convolution(length: int, channels: int) -> None:
    h, x = response(length, channels), sound()
    out = run(Convolution(h, RATE), x, (1000,))
    assert np.abs(out - direct(x, h)).max() < 1e-5


@pytest.mark.parametrize("sizes", [(1,), (7, 64, 1, 100), (65,), (8193,)])
def test_sizes_of_blocks_do_not_matter(sizes: tuple[int, ...]) -> None:
    h, x = response(3000, 2), sound()
    assert np.array_equal(run(Convolution(h, RATE), x, (len(x),)), run(Convolution(h, RATE), x, sizes))


def test_has_no_latency() -> None:
    h = np.zeros((5000, 1), np.float32)
    h[0] = h[4000] = 1
    x = np.zeros((9000, 2), np.float32)
    x[100] = 1
    out = run(Convolution(h, RATE), x, (64,))
    assert np.flatnonzero(np.abs(out[:, 0]) > 0.5).tolist() == [100, 4100]


def test_falls_silent_after_its_response_and_starts_again() -> None:
    h, x = response(1000, 2), sound(4000)
    convolution = Convolution(h, RATE)
    first = run(convolution, x, (64,))
    run(convolution, np.zeros((4000, 2), np.float32), (64,))
    assert convolution.silent
    assert np.allclose(run(convolution, x, (64,)), first, atol=1e-5)


@pytest.mark.parametrize("shape", [(100, 3), (100, 32), (0, 2), (100,)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(CmaudioError, match="1, 2 or 4 channels"):
        Convolution(np.ones(shape, np.float32), RATE)
