"""Similarity of textures to the recordings: Fréchet distances of patches of log-mel, timbre by timbre.

A patch is 8 frames in 12 groups of bands, as means in dB. Distances to held-out recordings are given for the output and
for the training recordings, which is the result of looping them. The floor is the distance between the halves of the
training recordings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, summary
from cmaudio.evaluation.held_out import frechet_of_features
from cmaudio.evaluation.textures.material import chosen_timbres, made, recordings, take
from cmaudio.signal.dsp import Float

_FRAMES, _HOP, _GROUPS = 8, 2, 12
_SEEDS, _LEAST_PATCHES = 4, 24
_DB = 20 / np.log(10)
_AUDIBLE_DB = 20.0  # of a frame's loudest band above the floor


def measure_likeness(context: EvaluationContext) -> Figures:
    """Distances by timbre, in dB squared, and their medians."""
    known = recordings(context)
    rows: dict[str, Figures] = {}
    for timbre in chosen_timbres(context):
        train, held_out = known.train.get(timbre.name, []), known.held_out.get(timbre.name, [])
        seconds = 5.0 if timbre.sustained else 1.6
        ours = made(context, [take(timbre.name, seed) for seed in range(_SEEDS)], seconds)
        context.progress(f"likeness: {timbre.name}")
        floor = context.renderer.mel.floor
        model, recorded, unseen = (patches(mels, floor) for mels in (ours, train, held_out))
        rows[timbre.name] = {
            "steady": timbre.sustained,
            "to_training": distance(model, recorded),
            "halves": distance(recorded[: len(recorded) // 2], recorded[len(recorded) // 2 :]),
            "to_held_out": distance(model, unseen),
            "looping_to_held_out": distance(recorded, unseen),
        }
    overall = {
        key: summary([row[key] for row in rows.values() if row[key] is not None])
        for key in ("to_training", "halves", "to_held_out", "looping_to_held_out")
    }
    return {**overall, "timbres": rows}


def patches(mels: Sequence[Float], floor: float) -> NDArray[np.float64]:
    """(P, 12) means in dB of eight audible frames, starting at every second one."""
    found = []
    for mel in mels:
        decibels = _DB * mel.astype(np.float64)
        loud = decibels[decibels.max(1) > _DB * np.log(floor) + _AUDIBLE_DB]
        groups = np.stack([part.mean(1) for part in np.array_split(loud, _GROUPS, axis=1)], 1)
        starts = range(0, len(groups) - _FRAMES + 1, _HOP)
        found += [groups[start : start + _FRAMES].mean(0) for start in starts]
    return np.array(found).reshape(-1, _GROUPS)


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Fréchet distance of two sets of patches; None for too few of them."""
    if min(len(a), len(b)) < _LEAST_PATCHES:
        return None
    return round(frechet_of_features(a, b), 2)
