"""How far the recordings of a timbre lie from the prior's median, by key, velocity and age, band by band.

The differences of each note, averaged between neighbouring ages, are regressed on a grid that is interpolated linearly.
Neighbouring keys and velocities, and each age and the one before it, are drawn towards each other, as strongly as if a
fraction of a note said so: where a corpus has no note, its neighbours decide.

Shapes: T frames, K keys, V velocities, A ages, M mel bands, N notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.correction import AGES_S, VELOCITIES
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.correction import nearness
from cmaudio.synthesis.learned import CLOCK_COLUMN, clock_of, keys_of
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.reading import read_clips
from cmaudio.training.export.power_offsets import PowerOffset

_STARTED_COLUMN, _RELEASED_COLUMN, _VELOCITY_COLUMN = 0, 1, 4  # of the features of notes
_DB = 20 / np.log(10)
_MOST_DB = 40.0
_HEARD_DB = 6.0  # above the floor, in the recording or in the median
_FEW_FRAMES = 2.0  # a note with so many frames between two ages counts half
# How strongly neighbours in the table are drawn together, as a number of notes. Chosen on held-out notes of 21 timbres:
# mean difference of active bands 4.15 dB; 4.23 with 0.2, 0.05, 0.03, and 6.12 without a table.
_SAME_KEYS, _SAME_VELOCITIES, _SAME_AGES = 0.05, 0.02, 0.03
_CLOCKS = clock_of(np.array(AGES_S))
_BETWEEN_AGES = (_CLOCKS[1:] + _CLOCKS[:-1]) / 2
_LOG_VELOCITIES = np.log(VELOCITIES)

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

    def plus(self, power: PowerOffset | None) -> KeyTable:
        """With an offset of the power added."""
        if power is None:
            return self
        keys = self.lowest_key + np.arange(len(self.offsets_db))
        return KeyTable(
            self.lowest_key, (self.offsets_db + power.at(keys, self.offsets_db.shape[-1])).astype(np.float32)
        )


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
    keys = np.arange(lowest, highest + 1, dtype=np.float64)
    shape = (len(keys), len(VELOCITIES))
    pull = _SAME_KEYS * np.kron(_roughness(shape[0], 1), np.eye(shape[1]))
    pull += _SAME_VELOCITIES * np.kron(np.eye(shape[0]), _roughness(shape[1], 2) + 0.1 * _roughness(shape[1], 1))
    pull += _SAME_AGES * np.eye(pull.shape[0])
    bands = len(notes[0].off_db)
    table, before = np.zeros((*shape, len(AGES_S), bands), np.float32), np.zeros((pull.shape[0], bands))
    for age in range(len(AGES_S)):
        mine = [note for note in notes if note.age == age]
        if mine:
            by_key = nearness(np.array([note.key for note in mine]), keys)
            by_velocity = nearness(np.log([note.velocity for note in mine]), _LOG_VELOCITIES)
            places = (by_key[:, :, None] * by_velocity[:, None]).reshape(len(mine), -1)
            before = _regressed(places, mine, np.asarray(pull, np.float64), before)
        table[:, :, age] = before.reshape(*shape, bands)
    return KeyTable(lowest, np.clip(table, -_MOST_DB, _MOST_DB))


def _regressed(places: Array, notes: Sequence[Difference], pull: Array, before: Array) -> Array:
    """(K * V, M) values of the grid at which its interpolations (N, K * V) come nearest to the notes."""
    off, weight = np.stack([note.off_db for note in notes]), np.stack([note.weight for note in notes])
    wanted = places.T @ (weight * off) + _SAME_AGES * before
    normal = np.stack([places.T @ (places * one[:, None]) for one in weight.T]) + pull
    return np.asarray(np.linalg.solve(normal, wanted.T[..., None])[..., 0].T)


def _roughness(count: int, order: int) -> Array:
    """(count, count) matrix of the sum of squared differences of an order."""
    steps = np.diff(np.eye(count), order, axis=0) if count > order else np.zeros((0, count))
    return np.asarray(steps.T @ steps)
