"""Accuracy of the controls: rank correlation between the value set and the value measured.

Each control is set to nine values (three in a quick report), with the others typical, and measured on the output as on
the recordings (`cmaudio.signal.texture`). Intensity and density are those of steady timbres; size is measured by the
sharpness, which falls as it grows. Takes are half as varied as usual, except for density, which is measured over many
events at their usual strength: in six seconds of some timbres, there are fewer than the noise has by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, summary
from cmaudio.evaluation.textures.material import chosen_timbres, made, take
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.signal.texture import MEASURES, measure_texture

ASKED, QUICKLY_ASKED = (tuple(np.linspace(0, 1, count).tolist()) for count in (9, 3))
_OF_STEADY = ("intensity", "density")
_SECONDS = {True: 6.0, False: 0.8}  # steady or not
_DENSITY_SECONDS = 20.0
_HUMANITY = 0.5
_SKIPPED_SECONDS = 0.5  # of a steady sound, whose start differs


def measure_controls(context: EvaluationContext) -> Figures:
    """By control: rank correlation over timbres, and how far the measure moves."""
    rows: dict[str, Figures] = {}
    for timbre in chosen_timbres(context):
        names = [n for n in (*MEASURES, "size") if timbre.sustained or n not in _OF_STEADY]
        settings = QUICKLY_ASKED if context.quick else ASKED
        rows[timbre.name] = {name: effect(name, settings, _measured(context, timbre, name, settings)) for name in names}
        context.progress(f"controls: {timbre.name}")
    controls = {name: [row[name] for row in rows.values() if name in row] for name in (*MEASURES, "size")}
    overall = {
        name: {
            "rank_correlation": summary([row["rank_correlation"] for row in of]),
            "share_over_0.9": round(float(np.mean([row["rank_correlation"] >= 0.9 for row in of])), 3),
            "moved": summary([row["moved"] for row in of]),
        }
        for name, of in controls.items()
        if of
    }
    return {"controls": overall, "timbres": rows}


def _measured(
    context: EvaluationContext, timbre: TimbreDefinition, control: str, asked: Sequence[float]
) -> list[Mapping[str, float]]:
    """The measures of a timbre with a control at these values."""
    counting = control == "density"
    humanity, seconds = (1.0, _DENSITY_SECONDS) if counting else (_HUMANITY, _SECONDS[timbre.sustained])
    notes = [take(timbre.name, 1, humanity=humanity, **{control: value}) for value in asked]
    return [measure(context, mel, timbre) for mel in made(context, notes, seconds)]


def measure(context: EvaluationContext, mel: Float, timbre: TimbreDefinition) -> Mapping[str, float]:
    """Means of the measures over a sound; for a one-shot, weighted by its level."""
    rate = context.renderer.sample_rate / context.renderer.stft.hop_length
    found = measure_texture(mel, rate, context.renderer.mel.floor)
    start = round(_SKIPPED_SECONDS * rate) if timbre.sustained else 0
    weights = None if timbre.sustained else np.exp(mel.astype(np.float64).mean(1))
    return {name: float(np.average(values[start:], weights=weights)) for name, values in found.items()}


def effect(control: str, asked: Sequence[float], measured: Sequence[Mapping[str, float]]) -> Figures:
    """The effect of a control that was set to these values."""
    values = np.array([m["sharpness" if control == "size" else control] for m in measured])
    values = -values if control == "size" else values
    return {
        "rank_correlation": round(rank_correlation(np.array(asked), values), 3),
        "moved": round(float(values[-1] - values[0]), 3),
    }


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, 0 if either is constant; equal values keep their order."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    first, second = (np.argsort(np.argsort(x, kind="stable"), kind="stable") for x in (a, b))
    return float(np.corrcoef(first, second)[0, 1])
