"""Learns a timbre from an example: at once from the nearest named one, or in minutes with search and tuning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text
from cmaudio.learning.choice import nearest_timbres
from cmaudio.learning.example import Example, Kind, measure
from cmaudio.learning.expectation import Expectation
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.reading import read_examples
from cmaudio.learning.search import Progress, found_at_once, found_by_search
from cmaudio.learning.tuning import can_tune, request_for, tuned_apart
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.texture_features import TEXTURE_KINDS

_LONGEST_NAME = 60
LONGEST_MINUTES = 60.0
SEARCH_SECONDS, _LEAST_TUNING_SECONDS = 24.0, 10.0


@dataclass(frozen=True)
class LearnedTimbre:
    """The result of learning.

    Attributes:
        timbre: to add to a model.
        nearest: name of the base timbre: the nearest one, unless a search found a better one.
        distance_db: of that timbre from the example, by the prior's prediction, without the difference in level.
        key: pitch of the example as a MIDI note number, None if unpitched.
        notices: which parts of the files were used, and what to expect.
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
    minutes: float = 0.0,
    on_progress: Progress = lambda share, text: None,
    synthesizer: Synthesizer | None = None,
) -> LearnedTimbre:
    """A timbre for a model from recordings of one sound.

    Args:
        model: must have a prior; it is not changed.
        paths: files, or folders of them: takes of one sound, or notes of one instrument at several pitches.
        name: of the timbre; by default that of the first file or folder, numbered if the model has it.
        kind: "bed" (endless) or "one-shot"; "auto" detects it from the sound.
        minutes: time limit for trying other base timbres than the nearest, by what they play; from 0.6 min on, with
            cmaudio[train], the best one is then tuned in a separate process; 0: no search.
        on_progress: called with the completed share of the time, 0 to 1, and the result so far.
        synthesizer: the model's networks, if they are loaded.

    Raises:
        CmaudioError: a model that cannot learn timbres, a name that is taken, no usable file, or a tuning that
            failed.
    """
    minutes = in_range("minutes", minutes, 0, LONGEST_MINUTES, "min")
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    notices: list[str] = []
    lesson = lesson_of(model, paths, name, kind, synthesizer or Synthesizer(model), notices.append)
    if minutes > 0:
        timbre, nearest = _in_minutes(lesson, paths, 60 * minutes, on_progress, notices.append)
    else:
        timbre, nearest = found_at_once(lesson), lesson.near[0].name
    assert timbre.learned is not None
    notices += _expectations(model, lesson.examples, timbre.sustained)
    distance = round(lesson.distances_db[[one.name for one in lesson.near].index(nearest)], 1)
    return LearnedTimbre(timbre, nearest, distance, timbre.learned.spectra[0].key, tuple(notices))


def lesson_of(
    model: Model,
    paths: Sequence[str | Path],
    name: str | None,
    kind: Kind,
    networks: Synthesizer,
    on_notice: Callable[[str], object],
) -> Lesson:
    """Examples and the timbres near them; arguments and errors are those of `learn_timbre`."""
    expectation = Expectation(networks)
    name = _free_name(model, paths) if name is None else _checked_name(model, name)
    examples = measure(read_examples(paths, model.manifest.sample_rate, on_notice), model)
    rate, floor = model.manifest.frame_rate, float(np.log(model.manifest.mel.floor))
    steady = any(example.goes_on(rate) for example in examples) if kind == "auto" else kind == "bed"
    candidates = _candidates(model, steady, examples[0].tonal)
    near, distances = nearest_timbres(examples, candidates, expectation, rate, floor)
    return Lesson(model, networks, expectation, name, examples, near, distances)


def _in_minutes(
    lesson: Lesson,
    paths: Sequence[str | Path],
    seconds: float,
    on_progress: Progress,
    on_notice: Callable[[str], object],
) -> tuple[TimbreDefinition, str]:
    """Search, and tune the result in the remaining time; returns the timbre, and the name of its base timbre."""
    searched = min(SEARCH_SECONDS, seconds)
    if seconds - searched < _LEAST_TUNING_SECONDS:
        return found_by_search(lesson, seconds, on_progress)
    if not can_tune():
        on_notice("found by a search alone: pip install 'cmaudio[train]' tunes it as well")
        return found_by_search(lesson, seconds, on_progress)
    part = searched / seconds
    timbre, nearest = found_by_search(lesson, searched, lambda share, text: on_progress(part * share, text))
    request = request_for(lesson.model.path, paths, timbre, seconds - searched)
    timbre = tuned_apart(request, lambda share, text: on_progress(part + (1 - part) * share, text))
    on_progress(1.0, "tuned")
    return timbre, nearest


def _candidates(model: Model, steady: bool, tonal: bool) -> list[TimbreDefinition]:
    """The trained timbres of the example's kind, or the closest kind."""
    trained = [timbre for timbre in model.manifest.timbres if timbre.learned is None]
    of_pitch = [timbre for timbre in trained if timbre.tonal == tonal] or trained
    return [timbre for timbre in of_pitch if timbre.sustained == steady] or of_pitch


def _free_name(model: Model, paths: Sequence[str | Path]) -> str:
    """Named after the first path, numbered if the model has that name."""
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
    """Limitations that a listener may notice, one line each."""
    textures = model.manifest.features in TEXTURE_KINDS
    found = []
    if any(example.speaks and len(example.mel) > model.manifest.frame_rate for example in examples):
        found.append(
            "it sounds like speech or music: its colour and level over time are learned, but no words or melody"
        )
    elif textures and any(example.tonal for example in examples):
        found.append("it is pitched, which this model plays as coloured noise: learn it with --model instrument")
    elif not textures and not any(example.tonal for example in examples):
        found.append("it has no clear pitch, so it is played alike by all keys")
    if steady and all(len(example.mel) < 3 * model.manifest.frame_rate for example in examples):
        found.append("it is shorter than 3 s, which is little for an endless sound")
    return found
