"""Whether the model copies: the largest cross-correlation of its output with any training recording.

The loudest second of the output is correlated with every recording at all lags, normalised by the energy of both, so
that a copy gives 1 at any level. Low pitches and hums, of which a second holds few independent values, correlate with
each other by chance; so held-out recordings, which are not copies, are compared likewise. At 16 kHz, where a whole
corpus fits into memory, after a filter that makes all parts of the spectrum count (first differences).

Shapes: N samples, W samples of a window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, summary
from cmaudio.evaluation.textures.material import chosen_timbres, recorded_sounds, sounds_of
from cmaudio.signal.dsp import Float

_RATE = 16_000
WINDOW = _RATE  # 1 s
_BLOCK = 2**16
_SEEDS, _QUICK_SEEDS = 2, 1
_SECONDS = {True: 3.0, False: 1.0}  # steady or not
_QUIET = 1e-3  # of a recording's loudest window: a softer copy would be inaudible


def measure_copies(context: EvaluationContext) -> Figures:
    """Largest correlations with training recordings, by timbre, of the output and of held-out recordings."""
    sounds = recorded_sounds(context)
    rate = context.renderer.sample_rate
    chosen = chosen_timbres(context)
    index = RecordingIndex([resampled(s, rate) for of in sounds["train"].values() for s in of])
    rows: dict[str, Figures] = {}
    seeds = range(_QUICK_SEEDS if context.quick else _SEEDS)
    for timbre in chosen:
        made = sounds_of(context, timbre.name, seeds, _SECONDS[timbre.sustained])
        held_out = sounds["held_out"].get(timbre.name, [])
        rows[timbre.name] = {"made": _largest(index, made, rate), "held_out": _largest(index, held_out, rate)}
        context.progress(f"copies: {timbre.name}")
    return _overall(rows)


def _overall(rows: Mapping[str, Figures]) -> Figures:
    of = {what: [row[what] for row in rows.values() if row[what] is not None] for what in ("made", "held_out")}
    return {
        **{what: summary(values) for what, values in of.items()},
        "half_or_more": sorted(name for name, row in rows.items() if (row["made"] or 0) >= 0.5),
        "timbres": dict(rows),
    }


def _largest(index: RecordingIndex, sounds: Sequence[Float], sample_rate: int) -> float | None:
    found = [index.largest(loudest_window(resampled(sound, sample_rate))) for sound in sounds]
    return round(max(found), 3) if found else None


def resampled(samples: Float, sample_rate: int) -> Float:
    """(N,) at 16 kHz, as differences from sample to sample."""
    return np.diff(soxr.resample(samples.astype(np.float32), sample_rate, _RATE, quality="HQ"), prepend=np.float32(0))


def loudest_window(samples: Float) -> Float:
    """The loudest second (W,) of a sound; a shorter one is padded with silence."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    start = int(moving_energy(padded).argmax())
    return padded[start : start + WINDOW]


class RecordingIndex:
    """Spectra of recordings in overlapping blocks, for correlations at all lags."""

    def __init__(self, recordings: Sequence[Float]) -> None:
        step = _BLOCK - WINDOW
        spectra, energies = [], []
        for recording in recordings:
            padded = np.pad(recording, (WINDOW // 2, WINDOW // 2 + step + WINDOW))
            energy = moving_energy(padded)
            quiet = _QUIET * float(energy.max())
            for start in range(0, len(recording) + 1, step):
                block = np.zeros(_BLOCK, np.float32)
                part = padded[start : start + _BLOCK]
                block[: len(part)] = part
                spectra.append(np.fft.rfft(block))
                norm = energy[start : start + step]
                norm = np.where(norm > quiet, norm, np.inf).astype(np.float32)
                energies.append(np.pad(norm, (0, step - len(norm)), constant_values=np.inf))
        self._spectra: NDArray[np.complex64] = np.stack(spectra).astype(np.complex64)
        self._energies: Float = np.stack(energies)

    def largest(self, window: Float) -> float:
        """Largest normalised correlation, 0 to 1, of a window (W,) at any lag in any recording."""
        energy = float(np.square(window, dtype=np.float64).sum())
        if energy <= 0:
            return 0.0
        spectrum = np.conj(np.fft.rfft(window, _BLOCK)).astype(np.complex64)
        best = 0.0
        for known, energies in zip(self._spectra, self._energies, strict=True):
            found = np.fft.irfft(known * spectrum)[: len(energies)]
            best = max(best, float((np.square(found) / energies).max()))
        return float(np.sqrt(best / energy))


def moving_energy(samples: Float) -> NDArray[np.float64]:
    """(N,) -> (N - W + 1,) energy of the window that begins at each sample."""
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    return np.maximum(total[WINDOW:] - total[:-WINDOW], 0)
