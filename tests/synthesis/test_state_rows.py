"""States of voices as rows of batches."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.signal.dsp import Float
from cmaudio.synthesis.state_rows import joined, rows_of


def batch(voices: int, first: int) -> list[Float]:
    """Two arrays in which voice i holds first + i."""
    numbers = np.arange(first, first + voices, dtype=np.float32)
    return [np.tile(numbers[:, None], (1, 3)), np.tile(numbers[:, None, None], (1, 2, 5))]


def test_voices_that_stay_together_are_not_copied() -> None:
    arrays = batch(4, 0)
    assert joined(rows_of(arrays, 4)) is arrays


@pytest.mark.parametrize("wanted", [[2], [0, 1], [1, 0, 2], [3, 4], [0, 1, 2, 3, 4], [4, 0, 3]])
def test_voices_of_any_batches_can_be_joined_in_any_order(wanted: list[int]) -> None:
    rows = [*rows_of(batch(3, 0), 3), *rows_of(batch(2, 3), 2)]
    found = joined([rows[i] for i in wanted])
    assert [array.shape for array in found] == [(len(wanted), 3), (len(wanted), 2, 5)]
    for array in found:
        assert [set(voice.ravel()) for voice in array] == [{float(i)} for i in wanted]


def test_a_network_may_have_no_state() -> None:
    assert joined([*rows_of([], 2), *rows_of([], 1)]) == []
