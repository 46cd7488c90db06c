"""Onsets: does a note start at the requested sample?

The onset is the first sample whose magnitude exceeds -50 dB relative to the note's peak in its first 50 ms: above the
noise before a slow attack, and early enough to be inaudible. Slow timbres exceed it late in any recording, so timing is
judged by three metrics: nothing sounds before the requested time, a note requested N samples later gives the same
samples N later, and the onset is where the SoundFont's is.
"""

from __future__ import annotations

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.evaluation.context import FLOOR_DB, EvaluationContext, Figures, decibels, summary
from cmaudio.evaluation.listening import Listener
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float

PITCHES = (48, 60, 74)
VELOCITY = 100
TARGET_MS = 1.0
THRESHOLD_DB = -50.0
PEAK_SECONDS = 0.05
_LISTEN_SECONDS = 0.1
_LEAD_SAMPLES = 3001  # more than the engine renders ahead, and odd
_SHIFT_SAMPLES = 997


def onset_sample(signal: Float, sample_rate: int) -> int | None:
    """Index of the onset in a note requested at index 0; None if its first 50 ms are silent."""
    first = np.abs(signal[: round(PEAK_SECONDS * sample_rate)])
    peak = float(first.max(initial=0.0))
    return int(np.argmax(first > peak * 10 ** (THRESHOLD_DB / 20))) if peak > 1e-7 else None


def _play_note(listener: Listener, timbre: str, pitch: int, lead: int) -> tuple[Float, Float]:
    """A note requested `lead` samples from now: the output before that time, and after it."""
    engine = listener.engine
    at = engine.now + lead
    engine.note_on(pitch, VELOCITY, timbre=timbre, seed=1, at=at)
    before = listener.until(at)
    after = listener.until(at + round(_LISTEN_SECONDS * engine.sample_rate))
    listener.hush()
    return before, after


def _measure_note(
    context: EvaluationContext, listener: Listener, timbre: TimbreDefinition, pitch: int, lead: int
) -> Figures:
    rate = context.renderer.sample_rate
    before, after = _play_note(listener, timbre.name, pitch, lead)
    _, moved = _play_note(listener, timbre.name, pitch, lead + _SHIFT_SAMPLES)
    peak = max(float(np.abs(after).max()), 1e-9)
    recorded = context.recorded(timbre.name, pitch, VELOCITY, len(after))
    ours, theirs = onset_sample(after, rate), None if recorded is None else onset_sample(recorded, rate)
    return {
        "timbre": timbre.name,
        "pitch": pitch,
        "before_db": float(decibels(np.abs(before).max() / peak)),
        "moved_db": float(decibels(np.abs(after - moved).max() / peak)),
        "onset_ms": None if ours is None else ours * 1000 / rate,
        "soundfont_ms": None if theirs is None else theirs * 1000 / rate,
    }


def measure_onset(context: EvaluationContext) -> Figures:
    """Every timbre at three pitches, each note at a different odd sample."""
    listener = Listener(Engine(context.model, channels=1))
    notes: list[Figures] = []
    for timbre in context.timbres():
        for pitch in PITCHES:
            lead = _LEAD_SAMPLES + 2 * (len(notes) * 37 % 512)
            notes.append(_measure_note(context, listener, timbre, pitch, lead))
        context.progress(f"onset: {timbre.name}")
    both = [n for n in notes if n["onset_ms"] is not None and n["soundfont_ms"] is not None]
    later = [n["onset_ms"] - n["soundfont_ms"] for n in both]
    furthest = sorted(zip(both, later, strict=True), key=lambda entry: -abs(entry[1]))[:10]
    return {
        "targets": {"moved_db": FLOOR_DB, "before_db": FLOOR_DB, "timing_ms": TARGET_MS},
        "threshold_db": THRESHOLD_DB,
        "notes": len(notes),
        "before_db_max": max(n["before_db"] for n in notes),
        "moved_db_max": max(n["moved_db"] for n in notes),
        "moved_exactly": sum(n["moved_db"] <= FLOOR_DB for n in notes),
        "silent": sum(n["onset_ms"] is None for n in notes),
        "ours_ms": summary([n["onset_ms"] for n in notes if n["onset_ms"] is not None]),
        "soundfont_ms": summary([n["soundfont_ms"] for n in notes if n["soundfont_ms"] is not None]),
        "later_than_soundfont_ms": summary(later),
        "apart_from_soundfont_ms": summary([abs(ms) for ms in later]),
        "within_target_of_soundfont": sum(abs(ms) <= TARGET_MS for ms in later),
        "furthest": [{**note, "later_ms": round(ms, 3)} for note, ms in furthest],
    }
