"""The boundaries that the aligner finds: pauses begin where the sound falls silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cmaudio.training.run.alignment import silent_pauses

HOP, RATE = 160, 16_000
SYMBOLS = ["", ",", ".", "a", "t"]


def clips(*recordings: tuple[str, str, tuple[float, float]]) -> Any:
    """Of noise of 1 s each: name, phonemes, and from when to when it is silent."""
    samples = []
    for _, _, (begin, end) in recordings:
        audio = 3000 * np.random.default_rng(0).normal(size=RATE)
        audio[round(begin * RATE) : round(end * RATE)] *= 1e-3
        samples.append(audio.astype(np.int16).reshape(-1, HOP))
    ids = [np.array([[SYMBOLS.index(p), 0, 0, 0] for p in phonemes.split("|")]) for _, phonemes, _ in recordings]
    frames = RATE // HOP
    return SimpleNamespace(
        names=[name for name, _, _ in recordings],
        ids=ids,
        audio=torch.from_numpy(np.concatenate(samples)),
        rows=lambda index: slice(index * frames, (index + 1) * frames),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0.1, 0.55, 0.8, 0.9, 1.0], [0.1, 0.6, 0.8, 0.9, 1.0]),  # a vowel fades into the comma
        ([0.1, 0.65, 0.8, 0.9, 1.0], [0.1, 0.6, 0.8, 0.9, 1.0]),
    ],
)
def test_a_pause_begins_where_its_clip_falls_silent(given: list[float], expected: list[float]) -> None:
    description: Any = SimpleNamespace(signal=SimpleNamespace(sample_rate=RATE), symbols=SYMBOLS)
    read = clips(("other", "|a|.", (0.8, 1.0)), ("one", "|a|,|t|.", (0.6, 0.8)))
    moved = silent_pauses({"one": given}, read, description)
    assert list(moved) == ["one"], "a clip without boundaries has none afterwards"
    assert moved["one"] == pytest.approx(expected, abs=0.006)
