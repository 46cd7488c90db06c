"""Endless beds: their drift over ten minutes, and whether they repeat.

Level: root mean square of a minute, in dB. Spectrum: mean absolute difference in dB of a minute's mean log-mel to the
first minute's, over the bands 20 dB above the floor. Repetition: the largest autocorrelation of the envelope (the level
of every frame in dB, high-passed at 2 s) at lags between 2 s and half a minute.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, summary
from cmaudio.evaluation.rendering import BATCH, stream
from cmaudio.evaluation.textures.material import chosen_timbres, log_mel, take
from cmaudio.signal.dsp import Float
from cmaudio.signal.texture import smoothed

MINUTES, QUICK_MINUTES = 10, 1
_SHORTEST_LAG_SECONDS, _LONGEST_LAG_SECONDS = 2.0, 30.0
_DB = 20 / np.log(10)
_ACTIVE_DB = 20.0


def measure_beds(context: EvaluationContext) -> Figures:
    """Drift and repetition of every bed and rhythm."""
    timbres = chosen_timbres(context, steady=True)
    minutes = QUICK_MINUTES if context.quick else MINUTES
    rows: dict[str, Figures] = {}
    for first in range(0, len(timbres), BATCH):
        batch = timbres[first : first + BATCH]
        for timbre, found in zip(batch, _batch(context, [t.name for t in batch], minutes), strict=True):
            rows[timbre.name] = found
    keys = ("level_db", "spectrum_db", "repetition")
    return {"minutes": minutes, **{key: summary([row[key] for row in rows.values()]) for key in keys}, "timbres": rows}


def _batch(context: EvaluationContext, names: list[str], minutes: int) -> list[Figures]:
    """Ten seconds at a time, so that ten minutes are never in memory."""
    rate = context.renderer.sample_rate
    frame_rate = rate / context.renderer.stft.hop_length
    spectra: list[list[Float]] = [[] for _ in names]
    levels: list[list[NDArray[np.float64]]] = [[] for _ in names]
    notes = [take(name, 0) for name in names]
    for count, pieces in enumerate(stream(context.renderer, notes, minutes * 60 * rate, 10 * rate), start=1):
        for i, piece in enumerate(pieces):
            mel = log_mel(context, piece)[4:]
            spectra[i].append(mel.mean(0))
            levels[i].append(np.log(np.exp(2 * mel.astype(np.float64)).mean(1)) * _DB / 2)
        if count % 6 == 0:
            context.progress(f"beds: {names[0]} and {len(names) - 1} more, {count // 6} min")
    floor_db = _DB * np.log(context.renderer.mel.floor)
    return [
        drift(np.array(of, np.float64), np.stack(rows), floor_db)
        | {"repetition": repetition(np.concatenate(rows), frame_rate)}
        for of, rows in zip(spectra, levels, strict=True)
    ]


def drift(spectra: NDArray[np.float64], levels: NDArray[np.float64], floor_db: float) -> Figures:
    """Of ten-second pieces (P, M) of mean log-mel and (P, T) of levels in dB: the worst minute against the first."""
    minutes = len(spectra) // 6
    by_minute = spectra[: minutes * 6].reshape(minutes, 6, -1).mean(1) * _DB
    power = (10 ** (levels[: minutes * 6] / 10)).reshape(minutes, -1).mean(1)
    level = 10 * np.log10(power)
    active = by_minute[0] > floor_db + _ACTIVE_DB
    differences = np.abs(by_minute - by_minute[0])[:, active].mean(1) if active.any() else np.zeros(minutes)
    return {
        "level_db": round(float(np.abs(level - level[0]).max()), 3),
        "spectrum_db": round(float(differences.max()), 3),
    }


def repetition(levels: NDArray[np.float64], frame_rate: float) -> float:
    """Largest autocorrelation of the envelope (T,) in dB, at lags from 2 s to 30 s."""
    fast = levels - smoothed(levels, 2 * _SHORTEST_LAG_SECONDS * frame_rate)
    spectrum = np.fft.rfft(fast, 2 * len(fast))
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[: len(fast)]
    lags = slice(round(_SHORTEST_LAG_SECONDS * frame_rate), round(_LONGEST_LAG_SECONDS * frame_rate))
    found = correlation[lags] / max(correlation[0], 1e-12)
    return round(float(found.max()), 3) if len(found) else 0.0
