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
from cmaudio.signal.dsp import Float
from cmaudio.signal.noise_share import N_FFT, noise_shares
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.shard import read_samples
from cmaudio.training.export.key_grid import Array
from cmaudio.training.export.power_offsets import PHASES_S, phase_powers
from cmaudio.training.export.spectrum_parts import bins_of_parts

_BATCH = 32
_ENOUGH_NOTES = 240  # of a timbre, on average: three velocities of most keys


@dataclass(frozen=True)
class Sounding:
    """Measurements of a sounding note.

    Attributes:
        power: (A, P) of its phases; NaN for a phase that it lacks.
        noise: (P,) share of noise in the sustained power, 0 to 1; NaN where it cannot be told.
    """

    power: Array
    noise: Array


@dataclass(frozen=True)
class RecordedNote:
    """A note of the corpus.

    Attributes:
        timbre: its name.
        pitch: MIDI note number.
        velocity: 1 to 127.
        held_samples: from its onset to its release.
        sounding: as recorded.
    """

    timbre: str
    pitch: float
    velocity: float
    held_samples: int
    sounding: Sounding


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
            sounding = _measured(samples[onset : onset + held] * gain, custom["timbre"], custom["pitch"], model)
            yield RecordedNote(custom["timbre"], custom["pitch"], custom["velocity"], held, sounding)


def _held(custom: dict[str, Any], model: Model) -> int:
    """Samples of a note that are compared: until its release, which a drum ignores."""
    longest = round(PHASES_S[-1] * model.manifest.sample_rate)
    if model.timbres[custom["timbre"]].key is not None:
        return longest
    return min(longest, int(custom["release_samples"] - custom["onset_samples"]))


def played(
    model: Model, notes: Sequence[RecordedNote], on_progress: Callable[[str], None] = lambda text: None
) -> list[Sounding]:
    """The notes as the model plays them, at humanity 1."""
    renderer, settings = Renderer(Synthesizer(model)), VoiceSettings.of_model(model)
    found: list[Sounding] = []
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
            found.append(_measured(audio, note.timbre, note.pitch, model))
    return found


def _measured(audio: Float, timbre: str, pitch: float, model: Model) -> Sounding:
    tonal = model.timbres[timbre].tonal
    f0_hz = 440 * 2 ** ((pitch - 69) / 12) if tonal else 0.0
    parts = bins_of_parts(model.mel, N_FFT).T > 0
    return Sounding(phase_powers(audio, model), noise_shares(audio, f0_hz, model.manifest.sample_rate, parts))
