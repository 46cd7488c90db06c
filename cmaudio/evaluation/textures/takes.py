"""Variation between takes: the spread of one-shots over seeds, compared with that of the recordings.

Spread: the mean over pairs of the distance in dB between log-mels of the first 0.4 s, where either is 20 dB above the
floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, summary
from cmaudio.evaluation.textures.material import chosen_timbres, made, recordings, take
from cmaudio.signal.dsp import Float

_SECONDS, _TAKES, _QUICK_TAKES, _LEAST_RECORDINGS = 0.4, 32, 6, 3
_DB = 20 / np.log(10)
_ACTIVE_DB = 20.0


def measure_takes(context: EvaluationContext) -> Figures:
    """Spreads by one-shot, in dB, and the ratio of ours to the recordings'."""
    known = recordings(context)
    frames = int(_SECONDS * context.renderer.sample_rate / context.renderer.stft.hop_length)
    rows: dict[str, Figures] = {}
    for timbre in chosen_timbres(context, steady=False):
        recorded = [*known.train.get(timbre.name, []), *known.held_out.get(timbre.name, [])]
        seeds = range(_QUICK_TAKES if context.quick else _TAKES)
        ours = made(context, [take(timbre.name, seed) for seed in seeds], _SECONDS)
        context.progress(f"takes: {timbre.name}")
        floor = context.renderer.mel.floor
        mine, theirs = spread(ours, frames, floor), spread(recorded, frames, floor)
        enough = len(recorded) >= _LEAST_RECORDINGS and theirs
        rows[timbre.name] = {
            "ours_db": round(mine, 2),
            "recordings_db": round(theirs, 2) if enough else None,
            "ratio": round(mine / theirs, 3) if enough else None,
        }
    ratios = [row["ratio"] for row in rows.values() if row["ratio"] is not None]
    inside = sum(0.5 <= ratio <= 2 for ratio in ratios)
    return {"ratio": summary(ratios), "between_half_and_twice": inside, "timbres": rows}


def spread(mels: Sequence[Float], frames: int, floor: float) -> float:
    """Mean distance of pairs; 0 for fewer than two."""
    loud = np.log(floor) + _ACTIVE_DB / _DB
    distances = []
    for a, b in combinations([np.pad(m[:frames], ((0, max(0, frames - len(m))), (0, 0)), "edge") for m in mels], 2):
        active = (a > loud) | (b > loud)
        if active.any():
            distances.append(float(np.abs(a - b)[active].mean() * _DB))
    return float(np.mean(distances)) if distances else 0.0
