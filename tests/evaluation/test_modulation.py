"""The modulation section of the report, on tones that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cmaudio.evaluation.modulation import UNTIL_SECONDS, modulation, share_kept
from cmaudio.signal.dsp import Float

RATE, KEY = 48_000, 57


def tone(cents: float, hz: float = 5.0) -> Float:
    time = np.arange(round((UNTIL_SECONDS + 0.2) * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(220 * 2 ** (cents / 1200 * np.sin(2 * np.pi * hz * time))) / RATE
    return (0.1 * np.sum([np.sin(k * phase) / k for k in range(1, 7)], 0)).astype(np.float32)


@pytest.mark.parametrize(("cents", "hz"), [(8.0, 5.0), (20.0, 4.0)])
def test_a_vibrato_is_measured(cents: float, hz: float) -> None:
    fm, am, rate, depth = modulation(tone(cents, hz), RATE, KEY)
    assert fm == pytest.approx(cents / np.sqrt(2), rel=0.35)  # what is faster than 8 Hz counts less and less
    assert am < 0.3
    assert (rate, depth) == pytest.approx((hz, cents), rel=0.05)


def test_a_steady_tone_has_none() -> None:
    fm, am, _, depth = modulation(tone(0.0), RATE, KEY)
    assert (fm, am, depth) == pytest.approx((0, 0, 0), abs=0.01)


def test_shares_are_counted_where_there_is_something_to_keep() -> None:
    rows: list[dict[str, Any]] = [
        {"kept": 0.8, "fm_cents": 4.0},
        {"kept": 2.0, "fm_cents": 8.0},
        {"kept": None, "fm_cents": 0.3},
    ]
    kept = share_kept(rows)
    assert (kept["n"], kept["within_target"], kept["steady_fm_cents"]) == (2, 1, 0.3)
    assert share_kept([])["median"] is None
