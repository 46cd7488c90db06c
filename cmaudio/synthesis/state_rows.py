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


def rows_of(batch: list[Float], voices: int) -> list[Row]:
    """The voices of a batch, whose network may have no state."""
    return [Row(batch, number) for number in range(voices)]


def joined(rows: Sequence[Row]) -> list[Float]:
    """The arrays of a batch of these voices; those of the last batch themselves if it had the same voices."""
    last = rows[0].batch
    together = all(row.batch is last and row.number == i for i, row in enumerate(rows))
    if together and all(len(array) == len(rows) for array in last):
        return last
    arrays = zip(*([array[number : number + 1] for array in batch] for batch, number in rows), strict=True)
    return [np.concatenate(of_voices) for of_voices in arrays]
