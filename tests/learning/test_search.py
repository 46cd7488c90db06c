"""The search for what a learned timbre should lie on, and the scores that it goes by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures.examples import hiss, thud, written

from cmaudio.learning.learn import learn_timbre
from cmaudio.learning.scoring import score_of_bed, score_of_takes
from cmaudio.model.file import Model

FLOOR = -8.0


def mel(seed: int, spread: float = 1.0, level: float = 0.0) -> np.ndarray:
    """Frames (200, 16) about a fixed course."""
    course = np.sin(np.arange(200)[:, None] / 20 + np.arange(16))
    noise = np.random.default_rng(seed).standard_normal((200, 16))
    return (course + level + spread * noise).astype(np.float32)


@pytest.mark.parametrize(
    ("spread", "level"), [(1.0, 1.0), (1.0, -1.0), (0.05, 0.0), (3.0, 0.0)], ids=["loud", "soft", "frozen", "wild"]
)
def test_draws_like_the_recordings_score_best(spread: float, level: float) -> None:
    recorded = mel(0)
    alike = [mel(seed) for seed in range(1, 5)]
    others = [mel(seed, spread, level) for seed in range(1, 5)]
    assert score_of_takes(recorded, alike, FLOOR) < score_of_takes(recorded, others, FLOOR)
    assert score_of_bed(recorded, alike) < score_of_bed(recorded, others)


@pytest.mark.parametrize("samples", [thud(), hiss()], ids=["one-shot", "bed"])
def test_a_search_tells_its_progress_and_ends_in_time(textures: Model, tmp_path: Path, samples: np.ndarray) -> None:
    told: list[float] = []
    path = written(tmp_path / "sound.wav", samples)
    learned = learn_timbre(textures, path, minutes=1e-3, on_progress=lambda share, text: told.append(share))
    assert told[-1] == 1
    assert len(told) < 5
    assert learned.nearest in textures.timbres


def test_a_search_that_is_cancelled_leaves_the_model_as_it_was(textures: Model, tmp_path: Path) -> None:
    before = textures.manifest

    def cancel(share: float, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn_timbre(textures, written(tmp_path / "thud.wav", thud()), minutes=1, on_progress=cancel)
    assert textures.manifest == before
