"""The difference between a timbre's recordings and the prior's median, in a model file.

The prior is smooth over keys and velocities, and predicts the median of a band, which for noise lies below its mean
power. Recordings of an instrument are not smooth: each key differs from its neighbours. So a timbre can have a table of
what is added to the median of every band by key, velocity and age of the note, interpolated in between.

The tables of all timbres, in their order, are one array of the model file, `corrections.npy`: (rows, M) signed bytes in
steps of `STEP_DB`, the ages of a velocity and the velocities of a key one after the other.

Shapes: K keys, V velocities, A ages, M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cmaudio.strict import Strict

MEMBER = "corrections.npy"
VELOCITIES = (10.0, 45.0, 127.0)
AGES_S = (0.01, 0.03, 0.08, 0.25, 1.0, 2.5)
ROWS = len(VELOCITIES) * len(AGES_S)
"""Rows of one key."""
STEP_DB = 1.0
_STEPS = 127


class Correction(Strict):
    """The keys of a timbre's table: MIDI note numbers from `lowest_key` on; a drum has one key."""

    lowest_key: Annotated[int, Field(ge=0, le=127)]
    keys: Annotated[int, Field(ge=1, le=128)]

    @property
    def rows(self) -> int:
        return self.keys * ROWS


def rows_of(tables_db: Sequence[NDArray[np.floating]]) -> NDArray[np.int8]:
    """The tables (K, V, A, M) of all timbres that have one, in dB, as rows of the array in a file."""
    steps = [np.rint(np.clip(table / STEP_DB, -_STEPS, _STEPS)).astype(np.int8) for table in tables_db]
    return np.concatenate([table.reshape(-1, table.shape[-1]) for table in steps])


def tables_of(entries: Sequence[Correction | None], rows: NDArray[np.int8]) -> list[NDArray[np.int8] | None]:
    """The table (K, V * A, M) of each timbre in steps of `STEP_DB`, None for timbres without an entry."""
    tables: list[NDArray[np.int8] | None] = []
    start = 0
    for entry in entries:
        if entry is None:
            tables.append(None)
            continue
        end = start + entry.rows
        tables.append(rows[start:end].reshape(entry.keys, ROWS, -1))
        start = end
    return tables


def encoded(rows: NDArray[np.int8]) -> bytes:
    """The array as the bytes of `corrections.npy`."""
    buffer = BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    return buffer.getvalue()


def decoded(content: bytes, entries: Sequence[Correction | None], bands: int) -> NDArray[np.int8]:
    """The inverse of `encoded`. Raises ValueError for an array that does not fit the timbres' entries."""
    rows = np.load(BytesIO(content), allow_pickle=False)
    expected = (sum(entry.rows for entry in entries if entry), bands)
    if not isinstance(rows, np.ndarray) or rows.dtype != np.int8 or rows.shape != expected:
        found = f"{rows.dtype} {rows.shape}" if isinstance(rows, np.ndarray) else "several arrays"
        raise ValueError(f"{MEMBER} is {found}, not int8 {expected} as the timbres' keys demand")
    return rows
