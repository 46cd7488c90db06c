"""Shared by the sections of the report: the model and its references, levels, and summaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import SoundFont
from cmaudio.synthesis.renderer import Renderer

Figures = dict[str, Any]  # JSON-able

FLOOR_DB = -200.0
_QUICK_TIMBRES = 4


@dataclass(frozen=True)
class EvaluationContext:
    """A model to evaluate.

    Attributes:
        soundfont: to compare with, or the reason why there is none.
        progress: called with a line of text.
        corpus: folder of a prepared corpus.
        teacher: the model from which this one was distilled.
        limit: maximum number of clips of the corpus.
        picture: where to draw the section `corpus`.
    """

    model: Model
    renderer: Renderer
    soundfont: SoundFont | str
    quick: bool
    progress: Callable[[str], None]
    corpus: Path | None = None
    teacher: Model | None = None
    limit: int | None = None
    picture: Path | None = None

    def timbres(self, sustained_only: bool = False) -> list[TimbreDefinition]:
        """Timbres to measure: all of them, or in a quick report a few spread over the list."""
        chosen = [t for t in self.model.manifest.timbres if t.sustained or not sustained_only]
        return chosen[:: max(1, len(chosen) // _QUICK_TIMBRES)] if self.quick else chosen

    def recorded(self, timbre: str, pitch: int, velocity: int, samples: int) -> Float | None:
        """(N,) samples of a note held on the SoundFont; None without one, or for a timbre that is no program."""
        program = self.model.timbres[timbre].program
        if isinstance(self.soundfont, str) or program is None:
            return None
        return self.soundfont.note(program, pitch, velocity, samples)


def decibels(amplitude: ArrayLike) -> Any:
    """Amplitude (a ratio) to dB, at least -200."""
    return 20 * np.log10(np.maximum(np.abs(np.asarray(amplitude, np.float64)), 10 ** (FLOOR_DB / 20)))


def level_db(signal: ArrayLike) -> float:
    """Root mean square of a signal in dB re full scale, at least -200."""
    samples = np.asarray(signal, np.float64)
    return float(decibels(np.sqrt(np.mean(np.square(samples))))) if samples.size else FLOOR_DB


def summary(values: Sequence[float]) -> Figures:
    """Count, median, 95th percentile, minimum and maximum; all None without values."""
    if not len(values):
        return {"n": 0, "median": None, "p95": None, "min": None, "max": None}
    array = np.asarray(values, np.float64)
    return {
        "n": len(array),
        "median": round(float(np.median(array)), 4),
        "p95": round(float(np.percentile(array, 95)), 4),
        "min": round(float(array.min()), 4),
        "max": round(float(array.max()), 4),
    }


def not_measured(reason: str) -> Figures:
    return {"not_measured": reason}
