"""The test material of the benchmark, the same every time: held notes and two scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.model.file import Model
from cmaudio.score.events import NoteOff, NoteOn, Score
from cmaudio.score.expression import SENDS

SENT = 0.3  # to each effect
_MELODY = (60, 62, 64, 67, 65, 64, 62, 59)
_DENSE_PITCHES = (36, 43, 48, 52, 55, 57, 60, 62, 64, 65, 67, 69, 72, 74, 76, 79)


def live_engine(model: Model, polyphony: int = 16, threads: int = 2, channels: int | None = None) -> Engine:
    """An engine as `cmaudio.open` makes it, warmed up, without a player."""
    ahead = model.manifest.block_samples
    engine = Engine(model, polyphony=polyphony, batch_ahead_samples=ahead, threads=threads, channels=channels)
    engine.warm_up()
    return engine


def held_timbres(model: Model) -> list[str]:
    """Names of the sustained timbres, or of all timbres if the model marks none."""
    names = [timbre.name for timbre in model.manifest.timbres if timbre.sustained]
    return names or [timbre.name for timbre in model.manifest.timbres]


def send_to_effects(engine: Engine) -> None:
    """Send everything to reverb, chorus and delay."""
    for name in SENDS:
        engine.express(name, SENT, None)


def start_held_notes(engine: Engine, voices: int, spread_samples: int = 0) -> list[Note]:
    """Start `voices` notes of various sustained timbres, spread evenly over the next `spread_samples`."""
    timbres = held_timbres(engine.model)
    now = engine.now
    return [
        engine.note_on(
            _DENSE_PITCHES[i % len(_DENSE_PITCHES)],
            90,
            timbre=timbres[7 * i % len(timbres)],
            seed=i,
            at=now + i * spread_samples // voices,
        )
        for i in range(voices)
    ]


def melody(seconds: float, note_seconds: float = 0.4) -> Score:
    """One voice: notes of `note_seconds` without rests, for `seconds`."""
    events: list[tuple[float, NoteOn | NoteOff]] = []
    for i in range(round(seconds / note_seconds)):
        pitch = _MELODY[i % len(_MELODY)] + 12 * (i // len(_MELODY) % 2)
        events.append((i * note_seconds, NoteOn(0, pitch, 90, 0)))
        events.append(((i + 1) * note_seconds, NoteOff(0, pitch)))
    return _score("melody", events, seconds)


def dense(seconds: float, voices: int = 16, note_seconds: float = 2.0) -> Score:
    """`voices` notes sounding at all times, each restarted about every `note_seconds`, for `seconds`."""
    events: list[tuple[float, NoteOn | NoteOff]] = []
    for i, late in enumerate(np.linspace(0, note_seconds, voices, endpoint=False).tolist()):
        pitch, channel = _DENSE_PITCHES[i % len(_DENSE_PITCHES)], i % 8
        starts = [0.0, *np.arange(note_seconds / 2 + late / 2, seconds, note_seconds).tolist()]
        for start, end in zip(starts, [*starts[1:], seconds], strict=True):
            events.append((start, NoteOn(channel, pitch, 90, 0)))
            events.append((end, NoteOff(channel, pitch)))
    return _score("dense", events, seconds)


def _score(name: str, events: Sequence[tuple[float, NoteOn | NoteOff]], seconds: float) -> Score:
    in_order = sorted(events, key=lambda item: (item[0], isinstance(item[1], NoteOn)))
    return Score(name, list(in_order), seconds, programs=[0])
