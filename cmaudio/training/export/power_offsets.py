"""Measures the mean power that a model lacks compared with a corpus, by timbre, part of the spectrum and age.

The model plays the notes of the corpus from controls to samples, so every loss counts: the median of noise lies below
its mean power, and a vocoder smooths. The powers of each note are compared, and the differences of many notes averaged
in dB, so that variation between notes, which no prior can predict, cancels out.

Shapes: N samples, T frames, F bins, A phases of a note, P parts of the spectrum; K keys, V velocities, M mel bands and
the ages of a table as in `cmaudio.model.correction`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.correction import AGES_S, VELOCITIES
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

PARTS = 18
# Edges of the parts, as fractions of the bands; narrower where bands are as wide as an octave.
_EDGES = (0.0, 1 / 64, 1 / 32, *(part / 16 for part in range(1, 17)))
CENTRES_S = (0.03, 0.25, 1.0)
"""Seconds after the onset that stand for attack, body and sustain."""
_PHASES_S = (0.0, 0.09, 0.6, 1.6)  # their boundaries
_BATCH = 32
_ENOUGH_NOTES = 64  # of a timbre, on average; more change its few numbers little
_HEARD_DB = 60.0  # below the loudest part of the note
# Power per bin of 16-bit quantisation noise at the gain of training; ten times as much is taken as audible.
_NOISE, _ABOVE_NOISE = 1e-6, 10.0
_USUAL = 90.0  # reference velocity: the level fitted to few notes is least wrong there
_MOST_DB, _BOUND_DB = 30.0, 80.0  # limits of the colour of one note, and of the table
# Ridge penalties, as a number of notes with difference 0, and smoothing across parts. Chosen on held-out notes, on
# which the error of a part fell from 8.8 dB to 4.0 (half or twice the penalties: 0.1 more).
_LEVEL_KNOWN, _COLOUR_KNOWN, _SLOPES_KNOWN = 0.1, 0.5, 1.0
_EVENED = 0.3

Array = NDArray[np.float64]


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


@dataclass(frozen=True)
class PowerOffset:
    """What the notes of a timbre lack, for middle C at the usual velocity.

    Attributes:
        colour_db: (A, P) at each of `CENTRES_S`.
        velocity_db: (P,) slope per decade of velocity.
        key_db: (P,) slope per two octaves above middle C.
    """

    colour_db: Array
    velocity_db: Array
    key_db: Array

    def at(self, keys: NDArray[np.integer], bands: int) -> Array:
        """(K, V, ages, M) dB, as added to a table."""
        shares = nearness(clock_of(np.array(AGES_S)), clock_of(np.array(CENTRES_S)))
        colour = (shares @ self.colour_db)[None, None]
        velocity = np.log10(np.array(VELOCITIES) / _USUAL)[:, None, None] * self.velocity_db
        key = ((keys - 60) / 24)[:, None, None, None] * self.key_db
        return np.asarray((colour + velocity[None] + key) @ from_parts(bands))


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
) -> dict[str, PowerOffset]:
    """Those of the model's timbres with notes in the training split, by name."""
    notes = list(_recorded(corpus, description, model))
    ours: list[Array] = []
    renderer = Renderer(Synthesizer(model))
    order = sorted(range(len(notes)), key=lambda i: notes[i].held_samples)
    for start in range(0, len(order), _BATCH):
        on_progress(f"power: {start} of {len(notes)} notes")
        ours += play(renderer, [notes[i] for i in order[start : start + _BATCH]])
    noise = _NOISE * _bins_of_parts(model.mel).sum(0)
    return offsets_of([notes[i] for i in order], ours, noise)


def _recorded(corpus: Path, description: CorpusDescription, model: Model) -> Iterator[RecordedNote]:
    gain, rng = np.float32(description.gain), np.random.default_rng(0)
    share = {timbre.name: _ENOUGH_NOTES / max(1, timbre.clips) for timbre in description.timbres}
    for _, custom, samples in read_samples(corpus, description, "train"):
        if custom["timbre"] in model.timbres and rng.random() < share[custom["timbre"]]:
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


def offsets_of(notes: Sequence[RecordedNote], ours: Sequence[Array], noise: Array) -> dict[str, PowerOffset]:
    """By timbre, from (A, P) powers of the model's notes and the noise (P,) in the recorded ones.

    First the level of the whole note is fitted, linear in log velocity and key; then the remainder of each part.
    """
    names = np.array([note.timbre for note in notes])
    places = np.array([(np.log10(note.velocity / _USUAL), (note.pitch - 60) / 24) for note in notes])
    recorded, made = (np.maximum(np.stack(rows), noise + 1e-12) for rows in ([n.power for n in notes], ours))
    louder = np.maximum(recorded, made)
    loudest = np.nanmax(louder, (1, 2), keepdims=True)
    heard = louder > np.maximum(_ABOVE_NOISE * noise, loudest * 10 ** (-_HEARD_DB / 10))
    level = _decibels(_energy(recorded) / _energy(made))
    of_timbre = {name: np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}
    common = _common_slopes(level, places, of_timbre)
    found: dict[str, PowerOffset] = {}
    for name, mine in of_timbre.items():
        at = places[mine]
        ages = np.ones((len(mine), 1))
        line = fitted_lines(level[mine] - at @ common, ages, at, _LEVEL_KNOWN)
        level_there, slopes = line[0], line[1:] + common
        said = level_there + at @ slopes
        off = np.clip(_decibels(recorded[mine] / made[mine]) - said[:, None, None], -_MOST_DB, _MOST_DB)
        table = np.zeros((len(CENTRES_S) + 2, PARTS))
        for part in range(PARTS):
            note, age = np.nonzero(heard[mine, :, part])
            table[:, part] = fitted_lines(off[note, age, part], np.eye(len(CENTRES_S))[age], at[note], _COLOUR_KNOWN)
        around = np.pad(table, ((0, 0), (1, 1)), mode="edge")
        table = (1 - _EVENED) * table + _EVENED * (around[:, :-2] + around[:, 2:]) / 2
        table += np.concatenate([np.full(len(CENTRES_S), level_there), slopes])[:, None]
        table = np.clip(table, -_BOUND_DB, _BOUND_DB)
        found[name] = PowerOffset(table[: len(CENTRES_S)], velocity_db=table[-2], key_db=table[-1])
    return found


def _common_slopes(level: Array, places: Array, of_timbre: Mapping[str, NDArray[np.int64]]) -> Array:
    """(2,) slopes of the level over velocity and key, common to all timbres."""
    centred = [(places[i] - places[i].mean(0), level[i] - level[i].mean()) for i in of_timbre.values()]
    x, y = (np.concatenate(parts) for parts in zip(*centred, strict=True))
    return np.asarray(np.linalg.solve(x.T @ x + 1e-6 * np.eye(2), x.T @ y))


def fitted_lines(values: Array, ages: Array, places: Array, known: float) -> Array:
    """(A + 2,) ridge regression of values (N,) on their ages (N, A) and places (N, 2).

    `known`: the penalty, as a number of values of 0 added to each age.
    """
    x = np.concatenate([ages, places], 1)
    penalty = np.diag([known] * ages.shape[1] + [known * _SLOPES_KNOWN] * places.shape[1])
    return np.asarray(np.linalg.solve(x.T @ x + penalty, x.T @ values))


def _energy(power: Array) -> Array:
    """(N,) energy of notes from the power (N, A, P) of their phases; NaN: no such phase."""
    return np.asarray(np.nansum(power * np.diff(_PHASES_S)[:, None], (1, 2)))


def _decibels(power: Array) -> Array:
    return np.asarray(10 * np.log10(power))
