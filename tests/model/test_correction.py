"""The tables of corrections in a model file: written, read, and refused where they do not fit."""

from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmaudio.errors import CmaudioError
from cmaudio.model.correction import AGES_S, ROWS, VELOCITIES, Correction, decoded, encoded, rows_of, tables_of
from cmaudio.model.file import Model, load_model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.saving import save_changed, save_model

BANDS = 6


def entry(keys: int) -> Correction:
    return Correction(lowest_key=40, keys=keys)


def tables(*keys: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(-90, 90, (count, len(VELOCITIES), len(AGES_S), BANDS)).astype(float) for count in keys]


def test_every_timbre_gets_its_own_rows_back() -> None:
    entries, written = [entry(2), None, entry(3)], tables(2, 3)
    rows = decoded(encoded(rows_of(written)), entries, BANDS)
    first, none, last = tables_of(entries, rows)
    assert none is None
    for found, table in ((first, written[0]), (last, written[1])):
        np.testing.assert_array_equal(found, table.reshape(len(table), ROWS, BANDS))


def saved(array: Any, pickled: bool = False) -> bytes:
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        saved(np.zeros((ROWS, BANDS), np.float32)),
        saved(np.zeros((ROWS - 1, BANDS), np.int8)),
        saved(np.zeros((ROWS, BANDS + 1), np.int8)),
        saved(np.zeros(ROWS * BANDS, np.int8)),
        saved(np.array([{}] * ROWS), pickled=True),
        saved(np.zeros((ROWS, BANDS), np.int8))[:-1],
        pickle.dumps(np.zeros((ROWS, BANDS), np.int8)),
        b"",
        b"none",
    ],
    ids=["floats", "too few rows", "other bands", "flat", "objects", "cut off", "a pickle", "empty", "text"],
)
def test_an_array_that_does_not_fit_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, EOFError)):
        decoded(content, [entry(1)], BANDS)


def test_a_file_says_what_is_wrong_with_its_corrections(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "wrong.cmaudio"
    monkeypatch.setattr("cmaudio.model.saving.encoded", lambda rows: saved(np.zeros((2, 2), np.int8)))
    with pytest.raises(CmaudioError, match=r"corrections\.npy is int8 \(2, 2\).*get or export it again"):
        save_changed(model, path, fast=True)


def test_corrections_and_the_timbres_that_have_them_go_together(model: Model, tmp_path: Path) -> None:
    graphs = {name: model.graph(name) for name in model.manifest.graphs}
    with pytest.raises(ValueError, match="go together"):
        save_model(tmp_path / "a.cmaudio", model.manifest, graphs, model.card)
    assert load_model("english").corrections is None


def test_a_correction_of_earlier_files_is_left_out() -> None:
    earlier = {"colour_db": [[1.0]], "velocity_db": [2.0], "key_db": [3.0]}
    fields = {"name": "flute", "vector": [0.0], "events": {}, "correction": earlier}
    assert TimbreDefinition.model_validate(fields) == TimbreDefinition(name="flute", vector=[0.0])
