"""Measures the corrections of a model's timbres on a corpus of notes.

First the prior's median is brought to the recordings, band by band for each key. Then the notes are played, and their
mean power and share of noise brought to the recorded ones in broad parts of the spectrum, since a median of noise lies
below its mean power, a vocoder smooths, and it cannot hear how noisy a timbre is. A second round corrects what the
first has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.model.correction import Correction, rows_of
from cmaudio.model.file import Model
from cmaudio.model.noise_balance import NoiseBalance
from cmaudio.model.saving import save_changed
from cmaudio.training.corpus.description import CorpusDescription, read_description
from cmaudio.training.export.compared_notes import RecordedNote, Sounding, played, recorded_notes
from cmaudio.training.export.key_grid import Array, KeyGrid
from cmaudio.training.export.measured import with_measured
from cmaudio.training.export.median_offsets import KeyTable, median_offsets
from cmaudio.training.export.noise_offsets import noise_offsets
from cmaudio.training.export.power_offsets import by_age_and_band, power_offsets, quantisation_noise
from cmaudio.training.export.spectrum_parts import resampled

_ROUNDS = 2
_MOST_NOISE_DB = 40.0
_SPACING = 6

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
    corrected = with_tables(model, tables, {})
    notes = recorded_notes(corpus, description, corrected)
    noise: dict[str, Array] = {}
    for number in range(1, _ROUNDS + 1):
        made = played(corrected, notes, lambda text, number=number: on_progress(f"round {number}: {text}"))  # type: ignore[misc]
        _improve(tables, noise, notes, made, model)
        corrected = with_tables(model, tables, noise)
    return corrected


def _improve(
    tables: dict[str, KeyTable],
    noise: dict[str, Array],
    notes: Sequence[RecordedNote],
    made: Sequence[Sounding],
    model: Model,
) -> None:
    """Add what notes lack in power to the tables, and what they lack in noise to its (K, P) offsets."""
    quiet, bands = quantisation_noise(model.mel, model.stft.n_fft), model.mel.bands
    for name in {note.timbre for note in notes}:
        mine = [i for i, note in enumerate(notes) if note.timbre == name]
        places = np.array([(notes[i].pitch, notes[i].velocity) for i in mine])
        theirs, ours = [notes[i].sounding for i in mine], [made[i] for i in mine]
        table = tables[name]
        grid = KeyGrid(table.lowest_key, len(table.offsets_db))
        power = power_offsets(grid, places, [one.power for one in theirs], [one.power for one in ours], quiet)
        tables[name] = table.plus(by_age_and_band(power, bands))
        offsets = noise_offsets(grid, places, [one.noise for one in theirs], [one.noise for one in ours])
        noise[name] = np.clip(noise.get(name, 0) + offsets, -_MOST_NOISE_DB, _MOST_NOISE_DB)


def with_tables(model: Model, tables: Mapping[str, KeyTable], noise: Mapping[str, Array]) -> Model:
    """The model in memory with these corrections and offsets of the noise (K, P), and no others."""
    corrections = {
        name: Correction(lowest_key=table.lowest_key, keys=len(table.offsets_db)) for name, table in tables.items()
    }
    balances = {name: _balance(tables[name].lowest_key, offsets) for name, offsets in noise.items() if offsets.any()}
    manifest = with_measured(with_measured(model.manifest, "correction", corrections), "noise", balances)
    rows = rows_of([tables[timbre.name].offsets_db for timbre in manifest.timbres if timbre.correction])
    return Model(model.path, manifest, model.card, rows)


def _balance(lowest_key: int, offsets: Array) -> NoiseBalance:
    """Of some keys, since it changes slowly: the first, the last, and every `_SPACING` keys between."""
    chosen = sorted({*range(0, len(offsets), _SPACING), len(offsets) - 1})
    evenly = resampled(offsets[chosen])
    return NoiseBalance(keys=[lowest_key + float(i) for i in chosen], offsets_db=np.round(evenly, 1).tolist())


def _fitting(model: Model, corpus: Path) -> CorpusDescription:
    m = model.manifest
    if not (m.prior and m.features == "note-2"):
        raise CmaudioError(f"{model.path.name}: only instruments with a prior take corrections")
    description = read_description(corpus)
    signal = description.signal
    if (signal.sample_rate, signal.hop_length, signal.bands) != (m.sample_rate, m.hop_length, m.mel.bands):
        raise CmaudioError(f"{corpus} has another signal than the model: {signal.sample_rate} Hz, {signal.bands} bands")
    return description
