"""Held notes of the model, rendered in batches but separately, without an engine's mix.

Shapes: B notes, N samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.timbres import Timbre
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import TRAINING_GAIN
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.voice import Voice

BATCH = 16
_CHUNK_SAMPLES = 8192


@dataclass(frozen=True)
class HeldNote:
    """A note that is not released.

    Attributes:
        timbre: its name.
        pitch: MIDI note number.
        velocity: 1..127.
        seed: of its voice.
        expression: values by name.
        point: played instead of the named timbre, such as a mix.
    """

    timbre: str
    pitch: int
    velocity: int
    seed: int = 0
    expression: Mapping[str, float] = field(default_factory=dict)
    point: Timbre | None = None


def stream(renderer: Renderer, notes: Sequence[HeldNote], samples: int, chunk: int = _CHUNK_SAMPLES) -> Iterator[Float]:
    """(B, chunk) pieces of all notes from their onsets on, at the level of the SoundFont."""
    voices = [started(renderer, note) for note in notes]
    for start in range(0, samples, chunk):
        yield renderer.take(voices, min(chunk, samples - start)) / np.float32(TRAINING_GAIN)


def hold(renderer: Renderer, notes: Sequence[HeldNote], samples: int) -> Iterator[tuple[HeldNote, Float]]:
    """Every note with its (N,) samples from the onset on."""
    for first in range(0, len(notes), BATCH):
        batch = notes[first : first + BATCH]
        pieces = np.concatenate(list(stream(renderer, batch, samples)), axis=1)
        yield from zip(batch, pieces, strict=True)


def started(renderer: Renderer, note: HeldNote) -> Voice:
    """The voice of a note, before its first block."""
    params = NoteParams(note.pitch, note.velocity, 0, note.seed, 0, 1)
    model = renderer.synthesizer.model
    settings = VoiceSettings.of_model(model)
    place = model.timbre_vector(note.timbre if note.point is None else note.point)
    return voice_of(model, params, place, settings, expression=note.expression)
