"""Clicks: the largest second difference of the samples around an event, relative to that of the surrounding sound.

A jump in the waveform or in its slope is a spike in the second difference. 0 dB means that the sound itself has steps
as steep shortly before or after; the row "none" is the same measure at a moment without an event.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.evaluation.context import EvaluationContext, Figures, decibels, summary
from cmaudio.evaluation.listening import Listener
from cmaudio.signal.dsp import Float

PITCH, OTHER_PITCH, VELOCITY = 60, 64, 96
OTHER_TIMBRES = ("violin", "drawbar organ")  # targets of a morph: the first that is not the timbre itself
EVENTS = ("none", "release", "bend 0.3", "bend 2", "bend 7", "morph at once", "steal", "start")
SUSPICIOUS_DB = 6.0
_HOLD_SECONDS = 0.35
_AROUND_SECONDS = 0.1
_BEFORE_SECONDS, _AFTER_SECONDS = 0.001, 0.01
_BLENDED_SECONDS = 0.08  # releases and morphs take effect with the next block, and blend in over a window
_LATE_EVENTS = ("release", "morph at once")
_QUIETEST = 1e-5


def click_db(
    signal: Float, at: int, sample_rate: int, *, compared_with: str = "both", after_seconds: float = _AFTER_SECONDS
) -> float | None:
    """Click of an event at index `at` relative to the sound 100 ms "before" it, "after" it or "both"; None in silence.

    The event's own part of the signal lasts from 1 ms before `at` to `after_seconds` after it.
    """
    steps = np.abs(np.diff(signal.astype(np.float64), n=2))
    first, last = at - round(_BEFORE_SECONDS * sample_rate), at + round(after_seconds * sample_rate)
    around = round(_AROUND_SECONDS * sample_rate)
    before, after = steps[max(0, first - around) : max(0, first)], steps[last : last + around]
    compared = {"before": before, "after": after, "both": np.concatenate([before, after])}[compared_with]
    if compared.max(initial=0) < _QUIETEST:
        return None
    return float(decibels(steps[max(0, first) : last].max() / compared.max()))


def _other(timbre: str, context: EvaluationContext) -> str:
    names = [*OTHER_TIMBRES, *context.model.timbres]
    return next((name for name in names if name != timbre and name in context.model.timbres), timbre)


def _event(listener: Listener, name: str, timbre: str, context: EvaluationContext) -> float | None:
    """Trigger the event during a held note, and measure."""
    engine, rate = listener.engine, context.renderer.sample_rate
    actions: dict[str, Callable[[Note], None]] = {
        "none": lambda note: None,
        "release": lambda note: note.off(),
        "bend 0.3": lambda note: note.bend(0.3),
        "bend 2": lambda note: note.bend(2, 0),
        "bend 7": lambda note: note.bend(-7, 0),
        "morph at once": lambda note: note.morph(_other(timbre, context)),
    }
    start = engine.now + 64
    note = engine.note_on(PITCH, VELOCITY, timbre=timbre, seed=2, at=start)
    listener.until(start)
    parts = [listener.until(start + round(_HOLD_SECONDS * rate) + 177)]
    at = engine.now - start
    actions[name](note)
    parts.append(listener.until(start + at + round(2 * _AROUND_SECONDS * rate)))
    listener.hush()
    after_seconds = _BLENDED_SECONDS if name in _LATE_EVENTS else _AFTER_SECONDS
    return click_db(np.concatenate(parts), at, rate, after_seconds=after_seconds)


def _start(listener: Listener, timbre: str, context: EvaluationContext) -> tuple[float | None, float | None]:
    """Clicks of a note's first samples, ours and the SoundFont's."""
    engine, rate = listener.engine, context.renderer.sample_rate
    start, lead = engine.now + 1111, 960
    engine.note_on(PITCH, VELOCITY, timbre=timbre, seed=2, at=start)
    listener.until(start - lead)
    output = listener.until(start + round(2 * _AROUND_SECONDS * rate))
    listener.hush()
    recorded, theirs = context.recorded(timbre, PITCH, VELOCITY, len(output) - lead), None
    if recorded is not None:
        theirs = click_db(np.concatenate([np.zeros(lead, np.float32), recorded]), lead, rate, compared_with="after")
    return click_db(output, lead, rate, compared_with="after"), theirs


def _steal(listener: Listener, timbre: str, context: EvaluationContext) -> float | None:
    """The end of a stolen note: the sound of both notes minus that of the second alone (same seed, same samples)."""
    engine, rate = listener.engine, context.renderer.sample_rate
    hold, rest = round(_HOLD_SECONDS * rate) + 331, round(2 * _AROUND_SECONDS * rate)
    outputs = []
    for both in (True, False):
        start = engine.now + 64
        if both:
            engine.note_on(PITCH, VELOCITY, timbre=timbre, seed=2, at=start)
        engine.note_on(OTHER_PITCH, VELOCITY, timbre=timbre, seed=3, at=start + hold)
        listener.until(start)
        outputs.append(listener.until(start + hold + rest))
        listener.hush()
    return click_db(outputs[0] - outputs[1], hold, rate, compared_with="before")


def measure_clicks(context: EvaluationContext) -> Figures:
    """Every timbre and every kind of event, sent to the engine at the moment it takes effect."""
    listener = Listener(Engine(context.model, polyphony=1, channels=1))
    found: dict[str, dict[str, float]] = {name: {} for name in (*EVENTS, "start of the SoundFont")}
    for timbre in (t.name for t in context.timbres()):
        values = {name: _event(listener, name, timbre, context) for name in EVENTS[:-2]}
        values["steal"] = _steal(listener, timbre, context)
        values["start"], values["start of the SoundFont"] = _start(listener, timbre, context)
        for name, value in values.items():
            if value is not None:
                found[name][timbre] = value
        context.progress(f"clicks: {timbre}")
    return {"suspicious_db": SUSPICIOUS_DB, "events": {name: _overall(rows) for name, rows in found.items()}}


def _overall(rows: dict[str, float]) -> Figures:
    worst = sorted(rows, key=lambda timbre: -rows[timbre])[:5]
    return {
        **summary(list(rows.values())),
        "suspicious": sum(value > SUSPICIOUS_DB for value in rows.values()),
        "worst": [{"timbre": timbre, "db": round(rows[timbre], 2)} for timbre in worst],
    }
