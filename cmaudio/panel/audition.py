"""Auditions: a short, quiet note of a timbre or preset, without selecting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cmaudio.engine.note import Note
from cmaudio.instrument.preset import Preset
from cmaudio.model.timbres import Timbre
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.synth import Synth

_CHANNEL = 15  # rarely used for playing
_KEY, _VELOCITY, _LEVEL_DB = 60, 72, -9.0
_SECONDS, _CUT_SECONDS = 1.2, 0.08


@dataclass(frozen=True)
class Sketch:
    """The part of a sound that one note can audition: its timbre and expressions."""

    timbre: Timbre
    shape: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None


def sketch_of_preset(preset: Preset) -> Sketch:
    """Timbre, seed and expressions of a preset, without effects and modulation."""
    shape = {name: value for name, value in preset.controls.items() if name in EXPRESSIONS}
    return Sketch(preset.timbre, shape, preset.seed)


class Auditions:
    """At most one note for each client. Not thread-safe: the command handler's lock guards it."""

    def __init__(self, synth: Synth) -> None:
        self._synth, self._notes = synth, dict[str, Note]()

    def hear(self, client: str, sketch: Sketch | None) -> None:
        """Audition a sound, replacing the previous one; None ends it. Raises CmaudioError for an unknown one."""
        before = self._notes.pop(client, None)
        if before is not None:
            before.cut(_CUT_SECONDS)
        if sketch is None:
            return
        at = self._synth.place()
        note = self._synth.note_on(_KEY, _VELOCITY, timbre=sketch.timbre, seed=sketch.seed, channel=_CHANNEL, at=at)
        for name, value in {"level": _LEVEL_DB, **sketch.shape}.items():
            note.express(name, value, 0.0, at)
        note.off(at + round(_SECONDS * self._synth.engine.sample_rate))
        self._notes[client] = note
