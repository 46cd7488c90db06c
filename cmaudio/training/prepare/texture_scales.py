"""Measures a written corpus of textures as a whole: typical values, their distribution, and the points of its takes.

Shapes: N recordings, D numbers of a description, P dimensions of a take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cmaudio.files.place import Place
from cmaudio.signal.dsp import Float
from cmaudio.signal.texture import MEASURES
from cmaudio.synthesis.texture_features import TAKE_DIMS
from cmaudio.training.corpus.description import (
    CorpusDescription,
    Credit,
    TextureScales,
    read_description,
    write_description,
)
from cmaudio.training.corpus.shard import read_cuts
from cmaudio.training.corpus.texture_controls import VARIANT, measured, quantiles_of

_FRAMES = 200  # per timbre, for the distribution of a measure
_SECTIONS_SECONDS = (0.0, 0.05, 0.15, 0.4, 1.0)  # after the onset
_GROUPS = 16  # of bands
_OCTAVES = 0.5

Array = NDArray[np.float64]


def write_scales(folder: Place, credited: Sequence[Credit]) -> CorpusDescription:
    """Add `textures` and `credits` to the corpus's description, and return it."""
    description = read_description(folder)
    steady = {timbre.name: timbre.sustained for timbre in description.timbres}
    values: dict[str, dict[str, list[Array]]] = {name: defaultdict(list) for name in MEASURES}
    described: dict[str, tuple[str, Array]] = {}
    for name, custom, log_mel in read_cuts(folder, description):
        timbre, onset = custom["timbre"], custom["onset_samples"] // description.signal.hop_length
        found = measured(log_mel, custom["velocity"], steady[timbre], onset, description.signal)
        for measure, row in found.items():
            values[measure][timbre].append(row[onset:])
        if VARIANT not in name:
            described[name] = timbre, _described(log_mel[onset:], steady[timbre], description.signal.frame_rate)
    joined = {m: {t: np.concatenate(rows) for t, rows in of.items()} for m, of in values.items()}
    scales = TextureScales(
        typical={t: {m: float(np.median(joined[m][t])) for m in MEASURES if t in joined[m]} for t in sorted(steady)},
        quantiles={m: quantiles_of(_distances(of)) for m, of in joined.items()},
        takes=take_points(described),
        octaves=_OCTAVES,
    )
    description = description.model_copy(update={"textures": scales, "credits": list(credited)})
    write_description(folder, description)
    return description


def _distances(of_timbres: dict[str, Array]) -> Array:
    """Distances from the median, the same number of frames for every timbre; 0 for timbres without the measure."""
    rows = [of[np.linspace(0, len(of) - 1, _FRAMES).astype(int)] - np.median(of) for of in of_timbres.values()]
    return np.concatenate(rows) if rows else np.zeros(1)


def _described(log_mel: Float, steady: bool, frame_rate: float) -> Array:
    """(D,) mean log-mel of groups of bands in sections after the onset; of a steady sound in all of it, repeated."""
    groups = np.stack([part.mean(1) for part in np.array_split(log_mel.astype(np.float64), _GROUPS, axis=1)], 1)
    edges = [round(second * frame_rate) for second in _SECTIONS_SECONDS]
    if steady:
        return np.tile(groups.mean(0), len(edges) - 1)
    last = len(groups) - 1
    parts = [groups[min(start, last) : max(end, start + 1)].mean(0) for start, end in pairwise(edges)]
    return np.concatenate(parts)


def take_points(described: dict[str, tuple[str, Array]]) -> dict[str, dict[str, list[float]]]:
    """Timbre -> recording -> its point (P,) relative to the mean of its timbre.

    The axes are principal directions of all recordings; each is scaled by the mean spread of the timbres along it.
    """
    names, timbres = list(described), [timbre for timbre, _ in described.values()]
    rows = np.stack([row for _, row in described.values()])
    for timbre in set(timbres):
        mine = [i for i, other in enumerate(timbres) if other == timbre]
        rows[mine] -= rows[mine].mean(0)
    _, _, directions = np.linalg.svd(rows, full_matrices=False)
    points = np.zeros((len(rows), TAKE_DIMS))
    found = rows @ directions[:TAKE_DIMS].T
    points[:, : found.shape[1]] = found / np.maximum(np.sqrt(np.mean(np.square(found), 0)), 1e-6)
    takes: dict[str, dict[str, list[float]]] = {}
    for name, timbre, point in zip(names, timbres, points, strict=True):
        takes.setdefault(timbre, {})[name] = np.round(np.clip(point, -3, 3), 4).tolist()
    return takes
