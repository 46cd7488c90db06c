"""Modulation: how much of the frequency and amplitude modulation of the SoundFont's held notes the model reproduces.

For each of the four strongest partials: the standard deviation over three seconds of its frequency in cents and of its
level in dB, below 8 Hz; then the median of these, and the mean over the keys. Ensembles are programs made up of several
players or detuned layers.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, not_measured, summary
from cmaudio.evaluation.evenness import family
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.signal.dsp import Float
from cmaudio.signal.modulation import amplitude_modulation, frequency_modulation, partial_tracks
from cmaudio.soundfont.deviation import common_swing
from cmaudio.soundfont.partials import f0_hz

KEYS = (48, 55, 60, 67, 72)
VELOCITY = 90
FROM_SECONDS, UNTIL_SECONDS = 0.5, 3.5
ENSEMBLES = (44, *range(48, 55), 61)  # tremolo strings, string ensembles to synth voice, brass section
TARGET_KEPT = (0.7, 1.3)
_LEAST_CENTS = 1.0  # recordings with less have no modulation to reproduce
_END_SECONDS = 0.2  # of the notes, beyond the measured part

Measured = tuple[float, float, float, float]  # FM in cents, AM in dB, rate in Hz and cents of the common modulation


def modulation(signal: Float, sample_rate: int, key: int) -> Measured:
    """Of (N,) samples of a held note from its onset on: FM in cents, AM in dB, vibrato in Hz and cents."""
    held = partial_tracks(signal, sample_rate, f0_hz(key)).between(FROM_SECONDS, UNTIL_SECONDS)
    return frequency_modulation(held), amplitude_modulation(held), *common_swing(held)


def measure_modulation(context: EvaluationContext) -> Figures:
    """Every sustained pitched timbre, at five keys, ours and the SoundFont's."""
    if isinstance(context.soundfont, str):
        return not_measured(context.soundfont)
    chosen = [t for t in context.timbres(sustained_only=True) if t.tonal and t.program is not None]
    if not chosen:
        return not_measured("no sustained timbre of the model is a General MIDI program")
    rate = context.renderer.sample_rate
    samples = round((UNTIL_SECONDS + _END_SECONDS) * rate)
    timbres: Figures = {}
    for timbre in chosen:
        assert timbre.program is not None
        notes = [HeldNote(timbre.name, key, VELOCITY, seed=key) for key in KEYS]
        ours = [modulation(signal, rate, note.pitch) for note, signal in hold(context.renderer, notes, samples)]
        theirs = [modulation(context.soundfont.note(timbre.program, key, VELOCITY, samples), rate, key) for key in KEYS]
        timbres[timbre.name] = _compared(ours, theirs) | {
            "family": family(timbre),
            "ensemble": timbre.program in ENSEMBLES,
        }
        context.progress(f"modulation: {timbre.name}")
    return {
        "target_kept": list(TARGET_KEPT),
        "all": share_kept(list(timbres.values())),
        "ensembles": share_kept([figures for figures in timbres.values() if figures["ensemble"]]),
        "families": {name: share_kept(rows) for name, rows in _by_family(timbres).items()},
        "timbres": timbres,
    }


def _compared(ours: list[Measured], theirs: list[Measured]) -> Figures:
    fm, am = (float(np.mean([row[i] for row in ours])) for i in (0, 1))
    their_fm, their_am = (float(np.mean([row[i] for row in theirs])) for i in (0, 1))
    rates = [abs(1 - a[2] / b[2]) for a, b in zip(ours, theirs, strict=True) if a[3] and b[3]]
    return {
        "fm_cents": round(fm, 2),
        "soundfont_fm_cents": round(their_fm, 2),
        "am_db": round(am, 2),
        "soundfont_am_db": round(their_am, 2),
        "kept": round(fm / their_fm, 3) if their_fm >= _LEAST_CENTS else None,
        "vibratos": sum(bool(row[3]) for row in ours),
        "soundfont_vibratos": sum(bool(row[3]) for row in theirs),
        "rate_off": round(float(np.median(rates)), 3) if rates else None,
    }


def share_kept(rows: list[Figures]) -> Figures:
    """Reproduced shares, how many of them lie within the target, and what is added where the recording has none."""
    kept = [figures["kept"] for figures in rows if figures["kept"] is not None]
    added = [figures["fm_cents"] for figures in rows if figures["kept"] is None]
    low, high = TARGET_KEPT
    return summary(kept) | {
        "within_target": sum(low <= share <= high for share in kept),
        "steady_fm_cents": round(float(np.median(added)), 3) if added else None,
    }


def _by_family(timbres: Figures) -> dict[str, list[Figures]]:
    families: defaultdict[str, list[Figures]] = defaultdict(list)
    for figures in timbres.values():
        families[figures["family"]].append(figures)
    return families
