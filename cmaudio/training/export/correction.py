"""Measures the corrections of a model's timbres on a corpus of notes.

First the prior's median is brought to the recordings, band by band for each key. Then the notes are played, and their
mean power brought to the recorded one in broad parts of the spectrum, since a median of noise lies below its mean
power, and a vocoder smooths. A second round of this was tried: levels came nearer, spectra went further off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.model.correction import Correction, rows_of
from cmaudio.model.file import Model
from cmaudio.model.saving import save_changed
from cmaudio.training.corpus.description import CorpusDescription, read_description
from cmaudio.training.export.compared_notes import RecordedNote, played, recorded_notes
from cmaudio.training.export.key_grid import Array, KeyGrid
from cmaudio.training.export.measured import with_measured
from cmaudio.training.export.median_offsets import KeyTable, median_offsets
from cmaudio.training.export.power_offsets import by_age_and_band, power_offsets, quantisation_noise

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
    corrected = with_tables(model, tables)
    notes = recorded_notes(corpus, description, corrected)
    made = played(corrected, notes, lambda text: on_progress(f"power: {text}"))
    return with_tables(model, _with_power(tables, notes, made, model))


def _with_power(
    tables: dict[str, KeyTable], notes: Sequence[RecordedNote], made: Sequence[Array], model: Model
) -> dict[str, KeyTable]:
    """The tables with what the notes of each key lack in power, as made by the model."""
    noise, bands = quantisation_noise(model.mel), model.mel.bands
    found = dict(tables)
    for name, mine in _by_timbre(notes).items():
        places = np.array([(notes[i].pitch, notes[i].velocity) for i in mine])
        grid = KeyGrid(tables[name].lowest_key, len(tables[name].offsets_db))
        lacking = power_offsets(grid, places, [notes[i].power for i in mine], [made[i] for i in mine], noise)
        found[name] = tables[name].plus(by_age_and_band(lacking, bands))
    return found


def _by_timbre(notes: Sequence[RecordedNote]) -> dict[str, list[int]]:
    """The indices of the notes of each timbre."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for index, note in enumerate(notes):
        found[note.timbre].append(index)
    return found


def with_tables(model: Model, tables: Mapping[str, KeyTable]) -> Model:
    """The model in memory with these corrections, and no others."""
    entries = {
        name: Correction(lowest_key=table.lowest_key, keys=len(table.offsets_db)) for name, table in tables.items()
    }
    manifest = with_measured(model.manifest, "correction", entries)
    rows = rows_of([tables[timbre.name].offsets_db for timbre in manifest.timbres if timbre.correction])
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
