"""The notes of a corpus, as recorded and as a model plays them from controls to samples.

Shapes: N samples; A phases of a note and P parts of the spectrum, as in `power_offsets`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.file import Model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.shard import read_samples
from cmaudio.training.export.key_grid import Array
from cmaudio.training.export.power_offsets import PHASES_S, phase_powers

_BATCH = 32
_ENOUGH_NOTES = 320  # of a timbre, on average: three velocities of most keys


@dataclass(frozen=True)
class RecordedNote:
    """A note of the corpus.

    Attributes:
        timbre: its name.
        pitch: MIDI note number.
        velocity: 1 to 127.
        held_samples: from its onset to its release.
        power: (A, P) of its phases (`phase_powers`).
    """

    timbre: str
    pitch: float
    velocity: float
    held_samples: int
    power: Array


def recorded_notes(corpus: Path, description: CorpusDescription, model: Model) -> list[RecordedNote]:
    """Notes of the training split, of the timbres with a correction, shortest first."""
    return sorted(_recorded(corpus, description, model), key=lambda note: note.held_samples)


def _recorded(corpus: Path, description: CorpusDescription, model: Model) -> Iterator[RecordedNote]:
    gain, rng = np.float32(description.gain), np.random.default_rng(0)
    share = {timbre.name: _ENOUGH_NOTES / max(1, timbre.clips) for timbre in description.timbres}
    for _, custom, samples in read_samples(corpus, description, "train"):
        timbre = model.timbres.get(custom["timbre"])
        if timbre and timbre.correction and rng.random() < share[custom["timbre"]]:
            onset, held = custom["onset_samples"], _held(custom, model)
            power = phase_powers(samples[onset : onset + held] * gain, model)
            yield RecordedNote(custom["timbre"], custom["pitch"], custom["velocity"], held, power)


def _held(custom: dict[str, Any], model: Model) -> int:
    """Samples of a note that are compared: until its release, which a drum ignores."""
    longest = round(PHASES_S[-1] * model.manifest.sample_rate)
    if model.timbres[custom["timbre"]].key is not None:
        return longest
    return min(longest, int(custom["release_samples"] - custom["onset_samples"]))


def played(
    model: Model, notes: Sequence[RecordedNote], on_progress: Callable[[str], None] = lambda text: None
) -> list[Array]:
    """(A, P) powers of the notes as the model plays them, at humanity 1."""
    renderer, settings = Renderer(Synthesizer(model)), VoiceSettings.of_model(model)
    found: list[Array] = []
    for start in range(0, len(notes), _BATCH):
        on_progress(f"{start} of {len(notes)} notes")
        batch = notes[start : start + _BATCH]
        voices: list[NoteVoice] = []
        for seed, note in enumerate(batch):
            params = NoteParams(note.pitch, note.velocity, 0, seed, 0, 1)
            voices.append(voice_of(model, params, model.timbre_vector(note.timbre), settings))
        while lacking := [voice for voice, note in zip(voices, batch, strict=True) if voice.lacks(note.held_samples)]:
            renderer.render(lacking)
        for voice, note in zip(voices, batch, strict=True):
            audio = voice.take(note.held_samples)
            audio = np.pad(audio, (0, note.held_samples - len(audio)))
            found.append(phase_powers(audio, model))
    return found
