"""A timbre from an example, at once: the nearest named timbre, and how the example differs from what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text
from cmaudio.learning.choice import nearest_timbres
from cmaudio.learning.example import Example, Kind, measure
from cmaudio.learning.expectation import Expectation
from cmaudio.learning.hearing import heard
from cmaudio.learning.reading import read_examples
from cmaudio.learning.table import corrected, spectrum_of
from cmaudio.model.file import Model
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_KINDS

_HEARD_SECONDS, _SKIPPED_FRAMES, _SEEDS = 2.0, 30, (0, 1)
_SAME_KEY_SEMITONES = 0.5
_PLACED_BY, _JITTER = 3, 0.02
_LONGEST_NAME = 60
_LEVEL_AGES = 96  # frames


@dataclass(frozen=True)
class LearnedTimbre:
    """What was learned.

    Attributes:
        timbre: to add to a model.
        nearest: name of the timbre that the example was nearest to.
        distance_db: of that timbre from the example, by what the prior says.
        key: pitch of the example as a MIDI note number, None without one.
        notices: what was used of the files, and what to expect.
    """

    timbre: TimbreDefinition
    nearest: str
    distance_db: float
    key: float | None
    notices: tuple[str, ...]


def learn_timbre(
    model: Model,
    paths: str | Path | Iterable[str | Path],
    *,
    name: str | None = None,
    kind: Kind = "auto",
    synthesizer: Synthesizer | None = None,
) -> LearnedTimbre:
    """A timbre for a model from recordings of one sound.

    Args:
        model: which has a prior; it stays as it is.
        paths: files, or folders of them: takes of one sound, or notes of one instrument at several pitches.
        name: of the timbre; by default that of the first file or folder, with a number if the model has it.
        kind: whether it goes on for ever ("bed") or ends ("one-shot"); "auto" decides by the sound.
        synthesizer: the model's networks, if they are loaded.

    Raises:
        CmaudioError: a model that learns no timbres, a name that is taken, or nothing in the files that can be used.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    notices: list[str] = []
    networks = synthesizer or Synthesizer(model)
    expectation = Expectation(networks)
    name = _free_name(model, paths) if name is None else _checked_name(model, name)
    examples = measure(read_examples(paths, model.manifest.sample_rate, notices.append), model)
    rate, floor = _frame_rate(model), float(np.log(model.manifest.mel.floor))
    steady = any(example.goes_on(rate) for example in examples) if kind == "auto" else kind == "bed"
    candidates = _candidates(model, steady, examples[0].tonal)
    near, distances = nearest_timbres(examples, candidates, expectation, rate, floor)
    base = near[0].model_copy(update={"name": name, "program": None, "key": None, "takes": [], "learned": None})
    base = base.model_copy(update={"place": _place(near, distances, name), "takes": _takes(model)})
    if model.manifest.features not in TEXTURE_KINDS:
        examples = _levelled(examples, base, expectation, rate)
    spectra = [spectrum_of(alike, base, expectation, rate, floor) for alike in _by_key(examples, base)]
    timbre = base.model_copy(update={"learned": Learned(spectra=spectra)})
    if steady and len(spectra) == 1 and spectra[0].key is None:
        timbre = _corrected(model, networks, timbre, examples)
    notices += _expectations(model, examples, steady)
    return LearnedTimbre(timbre, near[0].name, round(distances[0], 1), spectra[0].key, tuple(notices))


def _frame_rate(model: Model) -> float:
    return model.manifest.sample_rate / model.manifest.hop_length


def _candidates(model: Model, steady: bool, tonal: bool) -> list[TimbreDefinition]:
    """The trained timbres of the example's kind, or what is nearest to it."""
    trained = [timbre for timbre in model.manifest.timbres if timbre.learned is None]
    of_pitch = [timbre for timbre in trained if timbre.tonal == tonal] or trained
    return [timbre for timbre in of_pitch if timbre.sustained == steady] or of_pitch


def _takes(model: Model) -> list[list[float]]:
    """Of textures the typical take: the takes of the nearest timbre are those of other recordings."""
    return [[0.0] * TAKE_DIMS] if model.manifest.features in TEXTURE_KINDS else []


def _by_key(examples: Sequence[Example], base: TimbreDefinition) -> list[list[Example]]:
    """Examples of one pitch together, by pitch; those without a pitch are left out of an instrument's."""
    tonal = sorted((example for example in examples if example.tonal), key=lambda example: example.pitch.key)
    if not base.tonal or not tonal:
        return [list(examples)]
    groups = [[tonal[0]]]
    for example in tonal[1:]:
        if example.pitch.key - groups[-1][0].pitch.key < _SAME_KEY_SEMITONES:
            groups[-1].append(example)
        else:
            groups.append([example])
    return groups


def _levelled(
    examples: Sequence[Example], base: TimbreDefinition, expectation: Expectation, frame_rate: float
) -> list[Example]:
    """Examples as loud as the timbre is at a usual velocity, by one gain for all."""
    loudest = max(examples, key=lambda example: float(example.mel.max()))
    frames = min(len(loudest.mel), _LEVEL_AGES)
    key = loudest.pitch.key if loudest.tonal and base.tonal else None
    said = expectation([base], np.arange(1, frames + 1) / frame_rate, key).median[0]
    power = [np.exp(2 * mel.astype(np.float64)).mean() for mel in (said, loudest.mel[:frames])]
    gain = np.float32(np.log(power[0] / power[1]) / 2)
    return [replace(example, mel=np.maximum(example.mel + gain, example.mel.min())) for example in examples]


def _corrected(
    model: Model, networks: Synthesizer, timbre: TimbreDefinition, examples: Sequence[Example]
) -> TimbreDefinition:
    """A bed, after a look at how it sounds."""
    assert timbre.learned is not None
    trial = replace(model, manifest=with_timbre(model.manifest, timbre))
    sounds = heard(trial, networks.with_model(trial), timbre.name, _HEARD_SECONDS, _SEEDS)
    found = np.concatenate([mel[_SKIPPED_FRAMES:] for mel in sounds])
    spectrum: LearnedSpectrum = corrected(timbre.learned.spectra[0], examples, found)
    return timbre.model_copy(update={"learned": Learned(spectra=[spectrum])})


def _place(near: Sequence[TimbreDefinition], distances: Sequence[float], name: str) -> tuple[float, float] | None:
    """Between the nearest timbres on the map, beside what was learned there before."""
    places = [timbre.place for timbre in near[:_PLACED_BY]]
    if any(place is None for place in places):
        return None
    weights = 1 / np.maximum(np.square(distances[: len(places)]), 1e-3)
    x, y = weights @ np.array(places, np.float64) / weights.sum()
    angle = crc32(name.encode()) % 360 * np.pi / 180  # two in one place could not be told apart
    found = np.clip([x + _JITTER * np.cos(angle), y + _JITTER * np.sin(angle)], -1, 1)
    return float(found[0]), float(found[1])


def _free_name(model: Model, paths: Sequence[str | Path]) -> str:
    """After the first path, with a number where the model has that name."""
    path = Path(paths[0]) if paths else Path("learned")
    stem = re.sub(r"[\s_]+", " ", "".join(c for c in as_text(path.stem) if c.isprintable())).strip()
    stem = stem[:_LONGEST_NAME] or "learned"
    taken = {timbre.name.casefold() for timbre in model.manifest.timbres}
    names = (stem if number == 1 else f"{stem} {number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name.casefold() not in taken)


def _checked_name(model: Model, name: str) -> str:
    found = name.strip()
    if not found or len(found) > _LONGEST_NAME or not found.isprintable():
        raise CmaudioError(f"a timbre's name has 1 to {_LONGEST_NAME} letters on one line, not {name[:80]!r}")
    if any(found.casefold() == timbre.name.casefold() for timbre in model.manifest.timbres):
        raise CmaudioError(f"{model.manifest.name!r} has a timbre {found!r} already: choose another name")
    return found


def _expectations(model: Model, examples: Sequence[Example], steady: bool) -> list[str]:
    """What a listener may miss, one line each."""
    textures = model.manifest.features in TEXTURE_KINDS
    found = []
    if any(example.speaks and len(example.mel) > _frame_rate(model) for example in examples):
        found.append(
            "it sounds like speech or music: its colour and level over time are learned, and no words or melody"
        )
    elif textures and any(example.tonal for example in examples):
        found.append("it has a pitch, which this model plays as coloured noise: learn it with --model instrument")
    elif not textures and not any(example.tonal for example in examples):
        found.append("it has no clear pitch, so it is played alike by all keys")
    if steady and all(len(example.mel) < 3 * _frame_rate(model) for example in examples):
        found.append("it is shorter than 3 s, which says little about a sound that goes on for ever")
    return found
