"""The partials section of the report, on sounds whose partials are known."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.evaluation.partials import strongest_off_cents
from cmaudio.signal.dsp import Float

RATE = 48_000
BELL = {1.0: 1.0, 2.756: 0.8, 5.404: 0.5, 8.933: 0.02}


def note(partials: dict[float, float], f0: float = 440.0) -> Float:
    time = np.arange(round(0.8 * RATE)) / RATE
    return (0.1 * np.sum([a * np.sin(2 * np.pi * f0 * r * time + r) for r, a in partials.items()], 0)).astype(
        np.float32
    )


@pytest.mark.parametrize(
    ("ours", "cents", "false"),
    [
        (BELL, [0, 0, 0], 0),
        ({r * 2 ** (7 / 1200): a for r, a in BELL.items()}, [7, 7, 7], 0),
        ({1.0: 1.0, 3.0: 0.8, 5.0: 0.5}, [0, 147, 134], 2),  # harmonics in their place
        ({1.0: 1.0}, [0, 300, 300], 0),
        ({1.0: 1.0, 2.756: 0.8, 5.404: 0.5, 6.0: 0.5}, [0, 0, 0], 1),
    ],
    ids=["right", "out of tune", "harmonic", "missing", "one too many"],
)
def test_strongest_partials_are_compared(ours: dict[float, float], cents: list[float], false: int) -> None:
    found, more = strongest_off_cents(note(BELL), note(ours), RATE, 440.0)
    assert found == pytest.approx(cents, abs=1.0)
    assert more == false


def test_silence_has_no_partials() -> None:
    assert strongest_off_cents(np.zeros(RATE, np.float32), note(BELL), RATE, 440.0)[0] in ([], [300.0])
