"""Measures the corrections of a model's timbres on a corpus of notes.

First the prior's median is brought to the recordings, band by band for each key. Then the notes are played, and their
mean power brought to the recorded one in broad parts of the spectrum, since a median of noise lies below its mean
power, and a vocoder smooths. A second round mends what the first one left, since the vocoder is not linear.
"""

from __future__ import annotations

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

_ROUNDS = 2

Progress = Callable[[str], None]


def amend_correction(model: Model, output: Path, corpus: Path, on_progress: Progress = lambda text: None) -> Model:
    """Write a model file whose corrections are measured on a corpus; they replace existing ones.

    Raises CmaudioError for a model that supports none, and for a corpus with another signal or none of its timbres.
    """
    corrected = measured_correction(model, corpus, on_progress)
    return save_changed(model, output, manifest=corrected.manifest, corrections=corrected.corrections)


def measured_correction(model: Model, corpus: Path, on_progress: Progress = lambda text: None) -> Model:
    """The model in memory with measured corrections; errors as for `amend_correction`.

    Its filters are shortened: the corrections make up for what partials between two bins lose by it.
    """
    description = _fitting(model, corpus)
    model = Model(model.path, model.manifest.model_copy(update={"short_filters": True}), model.card)
    tables = median_offsets(model, corpus, description, on_progress)
    if not tables:
        raise CmaudioError(f"{corpus}: the model has none of its timbres")
    corrected = with_tables(model, tables)
    notes = recorded_notes(corpus, description, corrected)
    for number in range(1, _ROUNDS + 1):
        made = played(corrected, notes, lambda text, number=number: on_progress(f"round {number}: {text}"))  # type: ignore[misc]
        corrected = with_tables(model, _with_power(tables, notes, made, model))
    return corrected


def _with_power(
    tables: dict[str, KeyTable], notes: Sequence[RecordedNote], made: Sequence[Array], model: Model
) -> dict[str, KeyTable]:
    """Add to the tables what the notes lack in power, as made by the model."""
    noise, bands = quantisation_noise(model.mel, model.stft.n_fft), model.mel.bands
    for name in {note.timbre for note in notes}:
        mine = [i for i, note in enumerate(notes) if note.timbre == name]
        places = np.array([(notes[i].pitch, notes[i].velocity) for i in mine])
        table = tables[name]
        grid = KeyGrid(table.lowest_key, len(table.offsets_db))
        lacking = power_offsets(grid, places, [notes[i].power for i in mine], [made[i] for i in mine], noise)
        tables[name] = table.plus(by_age_and_band(lacking, bands))
    return tables


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
