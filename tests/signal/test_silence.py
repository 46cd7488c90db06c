"""Silence in speech by its level."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.silence import silence_between, window_levels

RATE = 8000


def sound(*parts: tuple[float, float]) -> np.ndarray:
    """Seconds and amplitude of each part."""
    rng = np.random.default_rng(0)
    return np.concatenate([a * rng.normal(size=round(s * RATE)) for s, a in parts]).astype(np.float32)


@pytest.mark.parametrize(
    ("parts", "begin", "end", "expected"),
    [
        ([(0.2, 0.1), (0.1, 0), (0.2, 0.1)], 0.0, 0.5, (0.2, 0.3)),
        ([(0.2, 0.1), (0.1, 1e-4), (0.2, 0.1)], 0.0, 0.5, (0.2, 0.3)),
        ([(0.2, 0.1), (0.1, 0), (0.2, 0.1)], 0.25, 0.5, (0.25, 0.3)),  # only where it is looked for
        ([(0.1, 0.1), (0.05, 0), (0.1, 0.1), (0.2, 0)], 0.0, 0.45, (0.25, 0.45)),  # the longest
        ([(0.2, 0.1), (0.02, 0), (0.2, 0.1)], 0.0, 0.42, None),  # a stop consonant
        ([(0.4, 0.1)], 0.0, 0.4, None),
        ([(0.4, 0.1)], 0.6, 0.9, None),
    ],
)
def test_silence_is_found(
    parts: list[tuple[float, float]], begin: float, end: float, expected: tuple[float, float] | None
) -> None:
    found = silence_between(window_levels(sound(*parts), RATE), -50.0, begin, end)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found == pytest.approx(expected, abs=0.005)
