"""What the prior reads of a note's clock, key and velocity."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import Tensor

from cmaudio.synthesis.note_features import NOTE_KINDS, all_note_features
from cmaudio.training.networks.prior import PriorNetwork, waves

HELD, RELEASED, KEY = 16, 17, 3  # columns of the note features


def features(held: list[float], released: list[float], key: float = 60.0) -> Tensor:
    """(1, T, 30) of a note."""
    rows = all_note_features(
        np.array([held]), np.array([released]), np.full((1, len(held)), key), np.array([key]), np.array([90.0])
    )
    return torch.from_numpy(rows)


def test_the_columns_are_those_of_the_note_features() -> None:
    rows = features([0.5], [0.25], 72)[0, 0]
    torch.testing.assert_close(rows[[HELD, RELEASED]], torch.tensor([np.log1p(10) / 4, np.log1p(5) / 4]).float())
    assert rows[KEY] == 0.5


@pytest.mark.parametrize(("column", "other"), [(HELD, RELEASED), (RELEASED, HELD)])
def test_waves_of_time_follow_the_attack_and_stop_after_a_second(column: int, other: int) -> None:
    seconds = [0.01, 0.1, 0.99, 1.0, 1.5, 4.0, 60.0]
    rows = features(seconds, [-1.0] * 7) if column == HELD else features([70.0] * 7, seconds)
    waved = waves(rows, (column, 1.0, (0.1, 0.2)))[0]
    assert (waved[1:3] - waved[:2]).abs().amax(-1).min() > 0.1
    torch.testing.assert_close(waved[3:], waved[3:4].expand(4, -1), atol=1e-4, rtol=0)
    torch.testing.assert_close(waves(rows, (other, 1.0, (0.1,)))[0, 3:].std(0), torch.zeros(2), atol=1e-5, rtol=0)


def test_waves_of_the_key_cover_all_keys() -> None:
    rows = torch.cat([features([1.0], [-1.0], key) for key in (24.0, 60.0, 61.0, 108.0)])
    waved = waves(rows, (KEY, 24.0, (18.0,)))[:, 0]
    angle = torch.tensor([-36.0, 0.0, 1.0, 48.0]) * 2 * np.pi / 18
    torch.testing.assert_close(waved, torch.stack([angle.sin(), angle.cos()], -1), atol=1e-4, rtol=0)


def test_a_note_held_for_a_minute_sounds_as_it_did_when_the_clocks_stopped() -> None:
    torch.manual_seed(2)
    shape = {"controls": NOTE_KINDS["note-2"], "timbres": 2, "timbre_dims": 4, "bands": 5, "width": 16, "depth": 2}
    prior = PriorNetwork(**shape, modulation=6)
    median = prior(features([12.0, 30.0, 60.0], [-1.0] * 3), torch.zeros(1, 3, 4))[0][0]
    torch.testing.assert_close(median, median[:1].expand(3, -1))
