"""Measures the corrections of a model's timbres on a corpus of notes.

First the prior's median is brought to the recordings, band by band for each key; then, with the notes played, the mean
power of each key in broad parts of the spectrum, since a median of noise lies below its mean power, and a vocoder
smooths.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.correction import Correction, rows_of
from cmaudio.model.file import Model
from cmaudio.model.saving import save_changed
from cmaudio.training.corpus.description import CorpusDescription, read_description
from cmaudio.training.export.measured import with_measured
from cmaudio.training.export.median_offsets import KeyTable, median_offsets
from cmaudio.training.export.power_offsets import power_offsets

Progress = Callable[[str], None]


def amend_correction(model: Model, output: Path, corpus: Path, on_progress: Progress = lambda text: None) -> Model:
    """Write a model file whose corrections are measured on a corpus; they replace existing ones.

    Raises CmaudioError for a model that supports none, and for a corpus with another signal or none of its timbres.
    """
    corrected = measured_correction(model, corpus, on_progress)
    return save_changed(model, output, manifest=corrected.manifest, corrections=corrected.corrections)


def measured_correction(model: Model, corpus: Path, on_progress: Progress = lambda text: None) -> Model:
    """The model in memory with measured corrections; errors as for `amend_correction`."""
    description = _fitting(model, corpus)
    tables = median_offsets(model, corpus, description, on_progress)
    if not tables:
        raise CmaudioError(f"{corpus}: the model has none of its timbres")
    powers = power_offsets(with_tables(model, tables), corpus, description, on_progress)
    tables = {name: table.plus(powers[name]) if name in powers else table for name, table in tables.items()}
    return with_tables(model, tables)


def with_tables(model: Model, tables: dict[str, KeyTable]) -> Model:
    """The model in memory with these corrections, and no others."""
    entries = {
        name: Correction(lowest_key=table.lowest_key, keys=len(table.offsets_db)) for name, table in tables.items()
    }
    manifest = with_measured(model.manifest, "correction", entries)
    ordered = [tables[timbre.name].offsets_db for timbre in manifest.timbres if timbre.correction]
    rows: NDArray[np.int8] = rows_of(ordered)
    return Model(model.path, manifest, model.card, rows)


def _fitting(model: Model, corpus: Path) -> CorpusDescription:
    m = model.manifest
    if not (m.prior and m.features == "note-2"):
        raise CmaudioError(f"{model.path.name}: only instruments with a prior take corrections")
    description = read_description(corpus)
    signal = description.signal
    if (signal.sample_rate, signal.hop_length, signal.bands) != (m.sample_rate, m.hop_length, m.mel.bands):
        raise CmaudioError(f"{corpus} has another signal than the model: {signal.sample_rate} Hz, {signal.bands} bands")
    return description
