"""Level against velocity: a higher velocity must not give a lower level (by more than half a dB)."""

from __future__ import annotations

from collections.abc import Sequence

from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.evaluation.setting import Figures, Setting, level_db, summary

VELOCITIES = (16, 32, 48, 64, 80, 96, 112, 127)
PITCHES = (48, 67)
ALLOWED_DB = 0.5
SECONDS = 0.6


def largest_fall_db(levels: Sequence[float]) -> float:
    """Largest drop of a level below that of a lower velocity, in dB; 0 if there is none."""
    return max(max(levels[: i + 1]) - level for i, level in enumerate(levels))


def measure_velocity(setting: Setting) -> Figures:
    """Level of the first 0.6 s of a held note at eight velocities: every timbre, two pitches."""
    rows = {(t.name, pitch): Curve() for t in setting.timbres() for pitch in PITCHES}
    notes = [HeldNote(name, pitch, velocity) for name, pitch in rows for velocity in VELOCITIES]
    samples = round(SECONDS * setting.renderer.sample_rate)
    for note, signal in hold(setting.renderer, notes, samples):
        curve = rows[note.timbre, note.pitch]
        curve.ours.append(level_db(signal))
        recorded = setting.recorded(note.timbre, note.pitch, note.velocity, samples)
        if recorded is not None:
            curve.soundfont.append(level_db(recorded))
        if note.velocity == VELOCITIES[-1] and note.pitch == PITCHES[-1]:
            setting.progress(f"velocity: {note.timbre}")
    return {
        "velocities": list(VELOCITIES),
        "allowed_db": ALLOWED_DB,
        "ours": _overall({key: curve.ours for key, curve in rows.items()}),
        "soundfont": _overall({key: curve.soundfont for key, curve in rows.items() if curve.soundfont}),
        "range_difference_db": summary(
            [abs(c.range_db(c.ours) - c.range_db(c.soundfont)) for c in rows.values() if c.soundfont]
        ),
        "level_difference_db": summary(
            [abs(a - b) for c in rows.values() for a, b in zip(c.ours, c.soundfont, strict=False)]
        ),
    }


class Curve:
    """Levels in dB re full scale of one timbre and pitch, from the lowest velocity to the highest."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.soundfont: list[float] = []

    @staticmethod
    def range_db(levels: Sequence[float]) -> float:
        return levels[-1] - levels[0]


def _overall(rows: dict[tuple[str, int], list[float]]) -> Figures:
    falls = {key: largest_fall_db(levels) for key, levels in rows.items()}
    exceptions = sorted((key for key in falls if falls[key] > ALLOWED_DB), key=lambda key: -falls[key])
    return {
        "curves": len(rows),
        "monotonic": len(rows) - len(exceptions),
        "range_db": summary([Curve.range_db(levels) for levels in rows.values()]),
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
