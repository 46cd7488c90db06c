"""What layers do to a partial."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.layers import LAYERS, layer_offsets, layered


@pytest.mark.parametrize("moving", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("turning", [0.0, 0.4, 1.0])
def test_the_power_stays(moving: float, turning: float) -> None:
    radians = np.random.default_rng(0).uniform(0, 2 * np.pi, (LAYERS, 50_000)).astype(np.float32)
    sums = layered(radians, np.float32(moving), np.float32(turning))
    assert np.square(np.abs(sums)).mean() == pytest.approx(1, abs=0.02)
    assert bool(np.abs(sums.imag).max() > 1e-6) == (moving > 0 and turning > 0)


@pytest.mark.parametrize("seed", range(5))
def test_offsets_have_mean_0_and_variance_1(seed: int) -> None:
    offsets = layer_offsets(np.random.default_rng(seed))
    assert (offsets.mean(), offsets.std(), abs(offsets[0])) == pytest.approx((0, 1, 1))
