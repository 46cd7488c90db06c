"""Partials of pianos, bars, bells, organs and timpani, compared with the SoundFont's recordings.

For each of a recording's strongest partials, the distance in cents to the nearest of ours; and of ours, how many have
no counterpart in the recording (the false ones).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, not_measured, summary
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.signal.peaks import Peak, lasting_peaks, spectral_peaks
from cmaudio.soundfont.partials import FROM_SECONDS, UNTIL_SECONDS, f0_hz

KEYS = (48, 60, 72, 84)
LOW_KEYS = (38, 43, 48, 55)
VELOCITY = 90
TARGET_CENTS = 5.0
_PROGRAMS = (*range(4), *range(8, 15), *range(16, 19), 47, 98, 112)
_LOW_PROGRAMS = (47,)
_STRONGEST, _STRONG_DB = 5, 20.0
_OURS_DB, _OURS = 34.0, 60
_FURTHEST_CENTS, _FALSE_CENTS = 300.0, 50.0


def strongest_off_cents(recorded: Float, ours: Float, sample_rate: int, f0: float) -> tuple[list[float], int]:
    """Distances of the recording's strongest partials from ours, and the number of strong ones of ours that it lacks.

    Args:
        recorded: (N,) samples of a held note.
        ours: (N,) samples of the same note.
        sample_rate: Hz.
        f0: of the key, in Hz.
    """
    spacing_hz = max(15.0, 0.08 * f0)
    reference = lasting_peaks(
        recorded, sample_rate, lowest_hz=0.2 * f0, apart_hz=spacing_hz, count=_STRONGEST, range_db=_STRONG_DB
    )
    played = spectral_peaks(ours, sample_rate, lowest_hz=0.2 * f0, apart_hz=spacing_hz, count=_OURS)
    audible = [peak for peak in played if peak.level_db > -_OURS_DB]
    every = spectral_peaks(recorded, sample_rate, lowest_hz=0.2 * f0, apart_hz=5.0, count=4 * _OURS)
    kept = [peak for peak in every if peak.level_db > -_OURS_DB]
    false = sum(bool(p.level_db > -_STRONG_DB) and _nearest_cents(p, kept) > _FALSE_CENTS for p in audible)
    return [_nearest_cents(peak, audible) for peak in reference], false


def _nearest_cents(peak: Peak, others: Sequence[Peak]) -> float:
    distances = [abs(1200 * float(np.log2(other.hz / peak.hz))) for other in others]
    return min([*distances, _FURTHEST_CENTS])


def measured_timbres(context: EvaluationContext) -> list[TimbreDefinition]:
    """Timbres known to be inharmonic, and those that the model declares inharmonic."""
    timbres = [t for t in context.timbres() if t.program is not None and t.tonal]
    return [t for t in timbres if t.program in _PROGRAMS or t.partials]


def measure_partials_of_model(context: EvaluationContext) -> Figures:
    """Cents by timbre, false partials, and the level relative to the recording."""
    if isinstance(context.soundfont, str):
        return not_measured(context.soundfont)
    timbres = {timbre.name: timbre for timbre in measured_timbres(context)}
    if not timbres:
        return not_measured("the model has no piano, bell, bar, organ or timpani")
    rate = context.renderer.sample_rate
    start, samples = round(FROM_SECONDS * rate), round(UNTIL_SECONDS * rate)
    notes = [HeldNote(n, key, VELOCITY) for n, t in timbres.items() for key in _keys(t)]
    cents: dict[str, list[float]] = {name: [] for name in timbres}
    false = dict.fromkeys(timbres, 0)
    levels: dict[str, list[float]] = {name: [] for name in timbres}
    for note, signal in hold(context.renderer, notes, samples):
        program = timbres[note.timbre].program
        assert program is not None
        recorded = context.soundfont.note(program, note.pitch, note.velocity, samples)[start:]
        off, more = strongest_off_cents(recorded, signal[start:], rate, f0_hz(note.pitch))
        cents[note.timbre] += off
        false[note.timbre] += more
        if off:
            levels[note.timbre].append(level_db(signal[start:]) - level_db(recorded))
        if note.pitch == _keys(timbres[note.timbre])[-1]:
            context.progress(f"partials: {note.timbre}")
    everything = [value for row in cents.values() for value in row]
    return {
        "unit": "cents, absolute",
        "target": TARGET_CENTS,
        "all": summary(everything),
        "false_partials": sum(false.values()),
        "timbres": {
            name: {
                "kind": partials.kind if (partials := timbre.partials) else "harmonic",
                **summary(cents[name]),
                "false_partials": false[name],
                "level_db": round(float(np.median(levels[name])), 2) if levels[name] else None,
            }
            for name, timbre in timbres.items()
        },
    }


def _keys(timbre: TimbreDefinition) -> tuple[int, ...]:
    return LOW_KEYS if timbre.program in _LOW_PROGRAMS else KEYS
