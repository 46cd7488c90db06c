"""The streaming state of a voice: its row in the arrays of the batch that it was last computed with.

Voices that stay together from block to block need no copies of their states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cmaudio.signal.dsp import Float


class Row(NamedTuple):
    """One voice of a batch, whose arrays have a leading axis of voices."""

    batch: list[Float]
    number: int


def rows_of(batch: list[Float]) -> list[Row]:
    """The voices of a batch."""
    return [Row(batch, number) for number in range(len(batch[0]))]


def joined(rows: Sequence[Row]) -> list[Float]:
    """The arrays of a batch of these voices; those of the last batch themselves if it had the same voices."""
    last = rows[0].batch
    if len(rows) == len(last[0]) and all(row.batch is last and row.number == i for i, row in enumerate(rows)):
        return last
    arrays = zip(*([array[number : number + 1] for array in batch] for batch, number in rows), strict=True)
    return [np.concatenate(of_voices) for of_voices in arrays]
