"""Crops are reshaped as a player's controls would do it, each by a draw of its own."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from cmaudio.signal import dsp
from cmaudio.training.corpus.batch import Batch
from cmaudio.training.corpus.clips import MelStatistics
from cmaudio.training.tasks.shaped_mels import ShapedMels

RATE, HOP, BANDS, FRAMES, CLIPS = 16_000, 64, 24, 6, 400
MEL = dsp.Mel(RATE, 4 * HOP, BANDS, 20.0, 8000.0, 3e-4)
FLOOR = float(np.log(MEL.floor))


def batch() -> Batch:
    """Every crop flat, four nepers above the floor."""
    return Batch(
        mel=torch.full((CLIPS, FRAMES, BANDS), FLOOR + 4),
        controls=torch.zeros(CLIPS, FRAMES, 1),
        timbre=torch.zeros(CLIPS, dtype=torch.long),
        f0=torch.full((CLIPS, FRAMES), 220.0),
        audio=torch.zeros(CLIPS, 0),
        scored=torch.ones(CLIPS, FRAMES, dtype=torch.bool),
    )


def shaped(share: float, seed: int = 0) -> torch.Tensor:
    statistics = MelStatistics(torch.zeros(BANDS), torch.ones(BANDS))
    return ShapedMels(MEL, statistics, share)(batch(), torch.Generator().manual_seed(seed)).mel


def test_no_share_leaves_every_frame_as_it_is() -> None:
    assert torch.equal(shaped(0.0), batch().mel)


def test_a_seed_gives_the_same_crops_and_another_one_others() -> None:
    assert torch.equal(shaped(0.5), shaped(0.5))
    assert not torch.equal(shaped(0.5), shaped(0.5, seed=1))


def test_brightness_and_level_reach_the_ends_of_their_ranges_and_are_constant_over_a_crop() -> None:
    change = (shaped(1.0) - batch().mel) * 20 / np.log(10)
    assert torch.allclose(change, change[:, :1].expand_as(change), atol=1e-4)
    lowest = change[:, 0, 0]  # below the pitch, where only the level counts
    assert lowest.min() < -20
    assert 5 < lowest.max() < 6.01
    centre = np.flatnonzero(MEL.centres_hz > 3000)[0]
    octaves = np.log2(MEL.centres_hz[centre] / 220)
    tilt = (change[:, 0, centre] - lowest)[lowest > -2] / octaves  # where the floor does not cut it off
    assert -6.01 < tilt.min() < -5
    assert 5 < tilt.max() < 6.01


def test_about_the_share_of_the_crops_gets_each_change() -> None:
    change = (shaped(0.3) - batch().mel)[:, 0]
    changed = (change[:, 0].abs() > 1e-6).float().mean()
    assert 0.22 < changed < 0.38
