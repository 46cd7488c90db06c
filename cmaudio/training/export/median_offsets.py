"""How far the recordings of a timbre lie from the prior's median, by key, velocity and age, band by band.

The differences of each note, averaged between neighbouring ages, are regressed on a grid of keys and velocities, age by
age; each age is regularised towards the previous one, as neighbouring keys are towards each other.

Shapes: T frames, K keys, V velocities, A ages, M mel bands, N notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.correction import AGES_S
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.learned import CLOCK_COLUMN, clock_of, keys_of
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.reading import read_clips
from cmaudio.training.export.key_grid import KeyGrid, KeyPull, regressed

_STARTED_COLUMN, _RELEASED_COLUMN, _VELOCITY_COLUMN = 0, 1, 4  # of the features of notes
_DB = 20 / np.log(10)
_MOST_DB = 40.0
_HEARD_DB = 6.0  # above the floor, in the recording or in the median
_FEW_FRAMES = 2.0  # a note with this many frames nearest to an age gets half the weight
# Each age is regularised towards the previous one. Chosen on held-out notes of 21 timbres: mean difference of active
# bands 4.15 dB (4.23 with 0.2, 0.05, 0.03; 6.12 without a table).
_PULL = KeyPull(same_keys=0.05, same_velocities=0.02, prior=0.03)
_CLOCKS = clock_of(np.array(AGES_S))
_BETWEEN_AGES = (_CLOCKS[1:] + _CLOCKS[:-1]) / 2

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Of one note, at one of `AGES_S`.

    Attributes:
        age: index of `AGES_S`.
        key: mean sounding pitch, a MIDI note number.
        velocity: 1 to 127.
        off_db: (M,) recording minus median.
        weight: (M,) 0 to 1.
    """

    age: int
    key: float
    velocity: float
    off_db: Float
    weight: Float


@dataclass(frozen=True)
class KeyTable:
    """What is added to the median of a timbre: (K, V, A, M) dB, of the keys from `lowest_key` on."""

    lowest_key: int
    offsets_db: Float

    def plus(self, offsets_db: NDArray[np.floating]) -> KeyTable:
        """With others (K, V, A, M) added."""
        return KeyTable(self.lowest_key, (self.offsets_db + offsets_db).astype(np.float32))


def median_offsets(
    model: Model, corpus: Path, description: CorpusDescription, on_progress: Callable[[str], None] = lambda text: None
) -> dict[str, KeyTable]:
    """The tables of the model's timbres with notes in the training split, by name."""
    synthesizer = Synthesizer(_uncorrected(model))
    found: defaultdict[str, list[Difference]] = defaultdict(list)
    shards = description.splits["train"].shards
    for shard in range(shards):
        on_progress(f"median: part {shard + 1} of {shards}")
        clips = read_clips(corpus, description, "train", [shard], with_audio=False, note_kind=model.manifest.features)
        for index, timbre in enumerate(clips.timbre.tolist()):
            name = description.timbres[timbre].name
            if name in model.timbres:
                rows = clips.rows(index)
                controls, log_mel = (x[rows].float().numpy() for x in (clips.controls, clips.log_mel))
                median = log_median(synthesizer, controls, model.timbre_vector(name))
                found[name] += differences(controls, log_mel, median, float(np.log(model.mel.floor)))
    return {name: fitted_table(notes) for name, notes in found.items()}


def _uncorrected(model: Model) -> Model:
    return Model(model.path, model.manifest, model.card)


def log_median(synthesizer: Synthesizer, controls: Float, point: Array) -> Float:
    """(T, M) log-mel that the prior predicts for features (T, C) at a point (Z,); T is rounded down to whole blocks."""
    prior, k = synthesizer.prior, synthesizer.block_frames
    assert prior is not None
    blocks = controls[: len(controls) // k * k].reshape(-1, k, controls.shape[1])
    timbre = np.broadcast_to(point.astype(np.float32), (*blocks.shape[:2], len(point)))
    median, _ = prior.graph(blocks, np.ascontiguousarray(timbre[..., : synthesizer.model.manifest.timbre_dims]))
    return np.asarray(median.reshape(-1, median.shape[-1]) * synthesizer.std + synthesizer.mean)


def differences(controls: Float, log_mel: Float, median: Float, floor: float) -> list[Difference]:
    """Those of a note until its release, from features (T, C), recorded log-mel (T, M), and median (T', M), T' <= T."""
    controls, log_mel = controls[: len(median)], np.maximum(log_mel[: len(median)], floor)
    median = np.maximum(median, floor)
    held = (controls[:, _STARTED_COLUMN] > 0) & (controls[:, _RELEASED_COLUMN] <= 0)
    off = np.clip((log_mel - median) * _DB, -_MOST_DB, _MOST_DB)
    heard = np.maximum(log_mel, median) > floor + _HEARD_DB / _DB
    ages = np.searchsorted(_BETWEEN_AGES, controls[:, CLOCK_COLUMN])
    keys, velocity = keys_of(controls), float(64 * (controls[0, _VELOCITY_COLUMN] + 1))
    found = []
    for age in range(len(AGES_S)):
        here = held & (ages == age)
        if here.any():
            count = heard[here].sum(0)
            mean = (heard[here] * off[here]).sum(0) / np.maximum(count, 1)
            weight = (count / (here.sum() + _FEW_FRAMES)).astype(np.float32)
            found.append(Difference(age, float(keys[here].mean()), velocity, mean.astype(np.float32), weight))
    return found


def fitted_table(notes: Sequence[Difference]) -> KeyTable:
    """The table of a timbre, from lowest to highest key of its notes."""
    pitches = np.array([note.key for note in notes])
    lowest, highest = int(np.floor(pitches.min() + 0.01)), int(np.ceil(pitches.max() - 0.01))
    grid = KeyGrid(lowest, highest + 1 - lowest)
    pull = grid.pull(_PULL)
    bands = len(notes[0].off_db)
    table, before = np.zeros((*grid.shape, len(AGES_S), bands), np.float32), np.zeros((len(pull), bands))
    for age in range(len(AGES_S)):
        mine = [note for note in notes if note.age == age]
        if mine:
            shares = grid.shares([note.key for note in mine], [note.velocity for note in mine])
            off, weight = (np.stack(rows) for rows in ([note.off_db for note in mine], [note.weight for note in mine]))
            before = regressed(shares, off, weight, pull, _PULL.prior * before)
        table[:, :, age] = before.reshape(*grid.shape, bands)
    return KeyTable(lowest, np.clip(table, -_MOST_DB, _MOST_DB))
