"""Loudness while it sounds, against pyloudnorm, which measures whole files by the same recommendation."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Float
from cmaudio.signal.live_loudness import SILENT_LUFS, LiveLoudness

RATE = 48_000


def noise(seconds: float, level: float) -> Float:
    return (level * np.random.default_rng(1).standard_normal((round(seconds * RATE), 2))).astype(np.float32)


def reference(samples: Float, seconds: float) -> float:
    meters = pytest.importorskip("pyloudnorm")
    found: float = meters.Meter(RATE, block_size=seconds).integrated_loudness(samples[-round(seconds * RATE) :])
    return found


@pytest.mark.parametrize("pieces", [[2400], [1, 479, 8193], [100_000]])
def test_both_agree_with_the_reference_whatever_the_pieces(pieces: list[int]) -> None:
    samples = np.concatenate([noise(3.5, 0.02), noise(1.5, 0.2), noise(1.0, 0.05)])
    live, done = LiveLoudness(RATE, 2), 0
    while done < len(samples):
        count = pieces[done % len(pieces)]
        live.add(samples[done : done + count])
        done += count
    assert live.momentary == pytest.approx(reference(samples, 0.4), abs=0.1)
    assert live.short_term == pytest.approx(reference(samples, 3.0), abs=0.1)
    assert live.momentary < live.short_term - 5


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_has_no_loudness_and_short_term_lasts_longer(channels: int) -> None:
    live = LiveLoudness(RATE, channels)
    assert live.momentary == live.short_term == SILENT_LUFS
    live.add(noise(1, 0.1)[:, :channels])
    live.add(np.zeros((RATE, channels), np.float32))
    assert live.momentary == SILENT_LUFS or live.momentary < -80
    assert live.short_term > -30
