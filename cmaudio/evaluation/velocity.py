"""Level against velocity: a higher velocity must not give a lower level (by more than half a dB)."""

from __future__ import annotations

from collections.abc import Sequence

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, summary
from cmaudio.evaluation.rendering import HeldNote, hold

VELOCITIES = (16, 32, 48, 64, 80, 96, 112, 127)
PITCHES = (48, 67)
ALLOWED_DB = 0.5
SECONDS = 0.6

Curves = dict[tuple[str, int], list[float]]
"""Levels in dB re full scale by timbre and pitch, from the lowest velocity to the highest."""


def largest_fall_db(levels: Sequence[float]) -> float:
    """Largest drop of a level below that of a lower velocity, in dB; 0 if there is none."""
    return max(max(levels[: i + 1]) - level for i, level in enumerate(levels))


def measure_velocity(context: EvaluationContext) -> Figures:
    """Level of the first 0.6 s of a held note at eight velocities: every timbre, two pitches."""
    ours: Curves = {(timbre.name, pitch): [] for timbre in context.timbres() for pitch in PITCHES}
    theirs: Curves = {}
    notes = [HeldNote(name, pitch, velocity) for name, pitch in ours for velocity in VELOCITIES]
    samples = round(SECONDS * context.renderer.sample_rate)
    for note, signal in hold(context.renderer, notes, samples):
        ours[note.timbre, note.pitch].append(level_db(signal))
        recorded = context.recorded(note.timbre, note.pitch, note.velocity, samples)
        if recorded is not None:
            theirs.setdefault((note.timbre, note.pitch), []).append(level_db(recorded))
        if note.velocity == VELOCITIES[-1] and note.pitch == PITCHES[-1]:
            context.progress(f"velocity: {note.timbre}")
    return {
        "velocities": list(VELOCITIES),
        "allowed_db": ALLOWED_DB,
        "ours": _overall(ours),
        "soundfont": _overall(theirs),
        "range_difference_db": summary([abs(_range_db(ours[key]) - _range_db(theirs[key])) for key in theirs]),
        "level_difference_db": summary(
            [abs(a - b) for key in theirs for a, b in zip(ours[key], theirs[key], strict=True)]
        ),
    }


def _range_db(levels: Sequence[float]) -> float:
    return levels[-1] - levels[0]


def _overall(rows: Curves) -> Figures:
    falls = {key: largest_fall_db(levels) for key, levels in rows.items()}
    exceptions = sorted((key for key in falls if falls[key] > ALLOWED_DB), key=lambda key: -falls[key])
    return {
        "curves": len(rows),
        "monotonic": len(rows) - len(exceptions),
        "range_db": summary([_range_db(levels) for levels in rows.values()]),
        "exceptions": [
            {
                "timbre": name,
                "pitch": pitch,
                "fall_db": round(falls[name, pitch], 2),
                "levels_db": [round(level, 1) for level in rows[name, pitch]],
            }
            for name, pitch in exceptions
        ],
    }
