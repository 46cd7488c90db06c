"""Drift: how far a note held for a minute departs from its third second.

Level: root mean square of a second, in dB. Spectrum: mean absolute difference in dB between the mean log-mel of a
second and that of the reference second, over the bands that are active (20 dB above the floor) in either.
Some recordings change by themselves (applause falls to silence within a minute), so the level contours of model and
recording are also compared, down to 30 dB below their third seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, summary
from cmaudio.evaluation.rendering import BATCH, HeldNote, stream
from cmaudio.signal.dsp import Float, Mel, Stft
from cmaudio.soundfont.player import TRAINING_GAIN

PITCH, VELOCITY = 60, 96
REFERENCE_SECOND = 2  # zero-based: 2 s to 3 s after the onset
SECONDS, QUICK_SECONDS = 60, 5
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB
_LOWEST_DB = -30.0
_DB = 20 / np.log(10)
_WORST = 12


@dataclass(frozen=True)
class Drift:
    """Signed level and mean spectral difference of every second from the reference, in dB."""

    level_db: NDArray[np.float64]
    spectrum_db: NDArray[np.float64]

    def metrics(self) -> Figures:
        after = slice(REFERENCE_SECOND, None)
        level, spectrum = self.level_db[after], self.spectrum_db[after]
        return {
            "level_end_db": round(float(level[-1]), 2),
            "level_max_db": round(float(np.abs(level).max()), 2),
            "spectrum_end_db": round(float(spectrum[-1]), 2),
            "spectrum_max_db": round(float(spectrum.max()), 2),
        }

    def apart_db(self, other: Drift) -> float:
        """Largest distance of two level contours, clipped at 30 dB below the third second."""
        ours, theirs = (np.maximum(each.level_db[REFERENCE_SECOND:], _LOWEST_DB) for each in (self, other))
        return round(float(np.abs(ours - theirs).max()), 2)


def measure_seconds(seconds: Iterable[Float], stft: Stft, mel: Mel) -> Drift:
    """Drift of a note given in pieces of one second, at the level of the SoundFont."""
    levels, spectra = [], []
    for piece in seconds:
        levels.append(level_db(piece))
        spectra.append(mel(stft.analyse(piece * np.float32(TRAINING_GAIN))).mean(0).astype(np.float64))
    return drift(np.array(levels), np.stack(spectra), float(np.log(mel.floor * _ACTIVE_ABOVE_FLOOR)))


def drift(levels: NDArray[np.float64], spectra: NDArray[np.float64], active_above: float) -> Drift:
    """The drift of (T,) levels in dB and (T, M) mean log-mels (natural logarithm), one per second."""
    reference = spectra[REFERENCE_SECOND]
    active = (spectra > active_above) | (reference > active_above)
    difference = np.abs(spectra - reference) * _DB
    mean = (difference * active).sum(1) / np.maximum(active.sum(1), 1)
    return Drift(levels - levels[REFERENCE_SECOND], mean)


def measure_drift(context: EvaluationContext) -> Figures:
    """A held note of every sustained timbre, ours and the SoundFont's."""
    chosen = context.timbres(sustained_only=True)
    seconds = QUICK_SECONDS if context.quick else SECONDS
    rows: dict[str, dict[str, Figures]] = {}
    for first in range(0, len(chosen), BATCH):
        batch = chosen[first : first + BATCH]
        notes = [HeldNote(timbre.name, PITCH, VELOCITY) for timbre in batch]
        for timbre, found in zip(batch, _batch_drift(context, notes, seconds), strict=True):
            rows[timbre.name] = {"ours": found.metrics()}
            recorded = context.recorded(timbre.name, PITCH, VELOCITY, seconds * context.renderer.sample_rate)
            if recorded is not None:
                reference = measure_seconds(np.split(recorded, seconds), context.renderer.stft, context.renderer.mel)
                rows[timbre.name] |= {
                    "soundfont": reference.metrics(),
                    "apart": {"level_db": found.apart_db(reference)},
                }
            context.progress(f"drift: {timbre.name}")
    return {
        "seconds": seconds,
        "pitch": PITCH,
        "velocity": VELOCITY,
        "ours": _overall(rows, "ours"),
        "soundfont": _overall(rows, "soundfont"),
        "apart_db": summary([row["apart"]["level_db"] for row in rows.values() if "apart" in row]),
        "timbres": rows,
    }


def _batch_drift(context: EvaluationContext, notes: list[HeldNote], seconds: int) -> Iterator[Drift]:
    """All notes of a batch second by second, so that a whole minute is never in memory."""
    rate, stft, mel = context.renderer.sample_rate, context.renderer.stft, context.renderer.mel
    levels, spectra = [], []
    for count, pieces in enumerate(stream(context.renderer, notes, seconds * rate, chunk=rate), start=1):
        levels.append([level_db(piece) for piece in pieces])
        spectra.append([mel(stft.analyse(piece * np.float32(TRAINING_GAIN))).mean(0) for piece in pieces])
        if count % 10 == 0:
            context.progress(f"drift: {notes[0].timbre} and {len(notes) - 1} more, {count} s")
    active_above = float(np.log(mel.floor * _ACTIVE_ABOVE_FLOOR))
    for i in range(len(notes)):
        yield drift(np.array(levels)[:, i], np.array(spectra, np.float64)[:, i], active_above)


def _overall(rows: dict[str, dict[str, Figures]], whose: str) -> Figures:
    found = {name: row[whose] for name, row in rows.items() if whose in row}
    names = ("level_end_db", "level_max_db", "spectrum_end_db", "spectrum_max_db")
    worst = sorted(found, key=lambda name: -max(found[name]["level_max_db"], found[name]["spectrum_max_db"]))
    return {
        **{key: summary([abs(row[key]) for row in found.values()]) for key in names},
        "worst": [{"timbre": name, **found[name]} for name in worst[:_WORST]],
    }
