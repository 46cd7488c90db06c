"""Measures the mean power that a model lacks compared with a corpus, by timbre, part of the spectrum and age.

The model plays the notes of the corpus from controls to samples, so every loss counts: the median of noise lies below
its mean power, and a vocoder smooths and gives equal frames other levels from key to key. The powers of each note are
compared in dB, and their differences regressed on a grid of keys and velocities.

Shapes: N samples, T frames, F bins, A phases of a note, P parts of the spectrum; K keys, V velocities, M mel bands and
the ages of a table as in `cmaudio.model.correction`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.correction import AGES_S
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float, Mel
from cmaudio.synthesis.correction import nearness
from cmaudio.synthesis.learned import clock_of
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.renderer import Renderer
from cmaudio.training.corpus.description import CorpusDescription
from cmaudio.training.corpus.shard import read_samples
from cmaudio.training.export.key_grid import Array, KeyGrid, KeyPull, regressed

PARTS = 18
# Edges of the parts, as fractions of the bands; narrower where bands are as wide as an octave.
_EDGES = (0.0, 1 / 64, 1 / 32, *(part / 16 for part in range(1, 17)))
CENTRES_S = (0.03, 0.25, 1.0)
"""Seconds after the onset that stand for attack, body and sustain."""
_PHASES_S = (0.0, 0.09, 0.6, 1.6)  # their boundaries
_BATCH = 32
_ENOUGH_NOTES = 320  # of a timbre, on average: three velocities of every key
_HEARD_DB = 60.0  # below the loudest part of the note
# Power per bin of 16-bit quantisation noise at the gain of training; ten times as much is taken as audible.
_NOISE, _ABOVE_NOISE = 1e-6, 10.0
_MOST_DB = 30.0
# Chosen on held-out notes: the level of a note is off by 0.5 dB and a part of a phase by 1.8 dB, where they were off by
# 1.9 and 4.8 dB without offsets (half or twice the penalties: 0.02 more).
_PULL = KeyPull(same_keys=0.1, same_velocities=0.05, prior=0.02)


@dataclass(frozen=True)
class RecordedNote:
    """A note of the corpus.

    Attributes:
        timbre: its name.
        pitch: MIDI note number.
        velocity: 1 to 127.
        held_samples: from its onset to its release.
        power: (A, P) of its phases; NaN for a phase that it lacks.
    """

    timbre: str
    pitch: float
    velocity: float
    held_samples: int
    power: Array


def parts_of(bands: int) -> list[slice]:
    """The bands of each part; some parts are empty if there are few bands."""
    edges = [round(edge * bands) for edge in _EDGES]
    return [slice(low, high) for low, high in pairwise(edges)]


def from_parts(bands: int) -> Array:
    """(P, M) matrix that interpolates values at the centres of the parts to bands."""
    edges = np.array(_EDGES) * bands
    middles = (edges[1:] + edges[:-1]) / 2 - 0.5
    return np.stack([np.interp(np.arange(bands), middles, one) for one in np.eye(PARTS)])


def power_offsets(
    model: Model, corpus: Path, description: CorpusDescription, on_progress: Callable[[str], None] = lambda text: None
) -> dict[str, Array]:
    """(K, V, ages, M) dB of each timbre with a correction and notes in the training split, on the keys of its table."""
    notes = list(_recorded(corpus, description, model))
    ours: list[Array] = []
    renderer = Renderer(Synthesizer(model))
    order = sorted(range(len(notes)), key=lambda i: notes[i].held_samples)
    for start in range(0, len(order), _BATCH):
        on_progress(f"power: {start} of {len(notes)} notes")
        ours += play(renderer, [notes[i] for i in order[start : start + _BATCH]])
    noise = _NOISE * _bins_of_parts(model.mel).sum(0)
    corrections = {name: timbre.correction for name, timbre in model.timbres.items() if timbre.correction}
    grids = {name: KeyGrid(one.lowest_key, one.keys) for name, one in corrections.items()}
    found = offsets_of([notes[i] for i in order], ours, noise, grids)
    return {name: by_age_and_band(offsets, model.manifest.mel.bands) for name, offsets in found.items()}


def _recorded(corpus: Path, description: CorpusDescription, model: Model) -> Iterator[RecordedNote]:
    gain, rng = np.float32(description.gain), np.random.default_rng(0)
    share = {timbre.name: _ENOUGH_NOTES / max(1, timbre.clips) for timbre in description.timbres}
    for _, custom, samples in read_samples(corpus, description, "train"):
        timbre = model.timbres.get(custom["timbre"])
        if timbre and timbre.correction and rng.random() < share[custom["timbre"]]:
            onset = custom["onset_samples"]
            held = _held(custom, model)
            power = phase_powers(samples[onset : onset + held] * gain, model)
            yield RecordedNote(custom["timbre"], custom["pitch"], custom["velocity"], held, power)


def _held(custom: dict[str, Any], model: Model) -> int:
    """Samples of a note that are compared: until its release, which a drum ignores."""
    longest = round(_PHASES_S[-1] * model.manifest.sample_rate)
    if model.timbres[custom["timbre"]].key is not None:
        return longest
    return min(longest, int(custom["release_samples"] - custom["onset_samples"]))


def play(renderer: Renderer, notes: Sequence[RecordedNote]) -> list[Array]:
    """(A, P) power of each note as the model plays it, at humanity 1."""
    model = renderer.synthesizer.model
    settings = VoiceSettings.of_model(model)
    voices: list[tuple[NoteVoice, int]] = []
    for seed, note in enumerate(notes):
        params = NoteParams(note.pitch, note.velocity, 0, seed, 0, 1)
        voices.append((voice_of(model, params, model.timbre_vector(note.timbre), settings), note.held_samples))
    while lacking := [voice for voice, samples in voices if voice.lacks(samples)]:
        renderer.render(lacking)
    return [phase_powers(_padded(voice.take(samples), samples), model) for voice, samples in voices]


def _padded(samples: Float, count: int) -> Float:
    return np.pad(samples, (0, count - len(samples)))


def phase_powers(audio: Float, model: Model) -> Array:
    """(N,) samples from the onset on -> (A, P) mean power of frames in each part and phase; NaN without frames."""
    stft, rate = model.stft, model.manifest.sample_rate
    hops = len(audio) // stft.hop_length
    before = np.zeros(stft.overlap, np.float32)
    spectra = stft.analyse(np.concatenate([before, audio[: hops * stft.hop_length]]))
    power = np.square(np.abs(spectra).astype(np.float64)) @ _bins_of_parts(model.mel)
    ends = (np.arange(hops) + 1) * stft.hop_length / rate
    phase = np.searchsorted(_PHASES_S, ends) - 1
    rows = [power[phase == i].mean(0) if (phase == i).any() else np.full(PARTS, np.nan) for i in range(len(CENTRES_S))]
    return np.stack(rows)


def _bins_of_parts(mel: Mel) -> Array:
    """(F, P) 1 where a bin belongs to a part, which is that of the nearest band."""
    hz = np.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
    band = np.searchsorted((mel.centres_hz[1:] + mel.centres_hz[:-1]) / 2, hz)
    inside = (hz >= mel.f_min_hz) & (hz <= mel.f_max_hz)
    return np.stack([inside & (band >= part.start) & (band < part.stop) for part in parts_of(mel.bands)], -1).astype(
        np.float64
    )


def offsets_of(
    notes: Sequence[RecordedNote], ours: Sequence[Array], noise: Array, grids: Mapping[str, KeyGrid]
) -> dict[str, Array]:
    """By timbre, (K, V, A, P) dB that the model's notes lack: their powers (A, P), and noise (P,) in recorded ones."""
    recorded, made = (np.maximum(np.stack(rows), noise + 1e-12) for rows in ([n.power for n in notes], ours))
    louder = np.maximum(recorded, made)
    loudest = np.nanmax(louder, (1, 2), keepdims=True)
    heard = louder > np.maximum(_ABOVE_NOISE * noise, loudest * 10 ** (-_HEARD_DB / 10))
    off = np.where(heard, np.clip(10 * np.log10(recorded / made), -_MOST_DB, _MOST_DB), 0.0)
    of_timbre: defaultdict[str, list[int]] = defaultdict(list)
    for index, note in enumerate(notes):
        of_timbre[note.timbre].append(index)
    found = {}
    for name, mine in of_timbre.items():
        shares = grids[name].shares([notes[i].pitch for i in mine], [notes[i].velocity for i in mine])
        flat = (len(mine), -1)
        found[name] = regressed(
            shares, off[mine].reshape(flat), heard[mine].reshape(flat).astype(np.float64), grids[name].pull(_PULL)
        )
    return {name: values.reshape(*grids[name].shape, len(CENTRES_S), PARTS) for name, values in found.items()}


def by_age_and_band(offsets: Array, bands: int) -> Array:
    """(K, V, A, P) dB of phases and parts -> (K, V, ages, M) dB of a table."""
    ages = nearness(clock_of(np.array(AGES_S)), clock_of(np.array(CENTRES_S)))
    return np.asarray(ages @ offsets @ from_parts(bands))
