"""Searches for a better learned timbre: tries base timbres near an example, and compares their output with it.

Level and spectrum are those of the example from the start. A search finds which of the model's timbres should supply
what is sampled. Each is also tried with a correction of the remaining difference. Beds are tried with their motion;
that of a one-shot, which takes longer to measure, is added to the result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cmaudio.learning.example import DB
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.moving import is_bed, moving, recorded_by
from cmaudio.learning.scoring import SKIPPED_FRAMES, score_of_bed, score_of_takes
from cmaudio.learning.table import corrected, rounded
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float

_SEEDS, _OTHER_SEEDS, _JUDGING_SEEDS = (0, 1), (2, 3), (4, 5, 6, 7)
_SMOOTHED_FRAMES, _SMOOTHED_BANDS = 5, 9

Progress = Callable[[float, str], object]


def found_at_once(lesson: Lesson) -> TimbreDefinition:
    """The timbre based on the nearest one, with motion; a bed is first corrected once by its output."""
    return moving(lesson, _first(lesson))


def found_by_search(lesson: Lesson, seconds: float, on_progress: Progress) -> tuple[TimbreDefinition, str]:
    """The best timbre within the time, at least the initial one, and the name of its base timbre.

    `on_progress` is called with the completed share and the result; whatever it raises ends the search.
    """
    started = time.monotonic()
    best, nearest = _tried(lesson, _first(lesson)), lesson.near[0]
    least = score_of(lesson, best)
    for number, base in enumerate(lesson.near):
        for timbre in _tries(lesson, base):
            score = score_of(lesson, timbre)
            if score < least:
                best, nearest, least = timbre, base, score
        spent = (time.monotonic() - started) / max(seconds, 1e-3)
        on_progress(min(1.0, max(spent, (number + 1) / len(lesson.near))), f"{least:.2f} dB, on {nearest.name}")
        if spent >= 1:
            break
    return (best if is_bed(best) else moving(lesson, best)), nearest.name


def _first(lesson: Lesson) -> TimbreDefinition:
    """The timbre based on the nearest one, without motion; a bed is corrected once by its output."""
    timbre = lesson.timbre(lesson.near[0])
    return _corrected(lesson, timbre, lesson.hear(timbre, _SEEDS)) if is_bed(timbre) else timbre


def _tried(lesson: Lesson, timbre: TimbreDefinition) -> TimbreDefinition:
    """A timbre as it is tried: beds with motion."""
    return moving(lesson, timbre) if is_bed(timbre) else timbre


def _tries(lesson: Lesson, base: TimbreDefinition) -> Iterator[TimbreDefinition]:
    timbre = lesson.timbre(base)
    yield _tried(lesson, timbre)
    assert timbre.learned is not None
    if len(timbre.learned.spectra) == 1:
        yield _tried(lesson, _corrected(lesson, timbre, lesson.hear(timbre, _SEEDS + _OTHER_SEEDS)))


def score_of(lesson: Lesson, timbre: TimbreDefinition, seeds: Sequence[int] = _JUDGING_SEEDS) -> float:
    """The score in dB, lower is better: against every example of the first pitch.

    Uses other seeds than the correction did.
    """
    takes = lesson.hear(timbre, seeds)
    if is_bed(timbre):
        return float(np.mean([score_of_bed(mel, takes) for mel in recorded_by(lesson, timbre)]))
    return float(np.mean([score_of_takes(mel, takes, lesson.floor) for mel in recorded_by(lesson, timbre)]))


def _corrected(lesson: Lesson, timbre: TimbreDefinition, takes: list[Float]) -> TimbreDefinition:
    """The timbre without the remaining difference in its takes."""
    assert timbre.learned is not None
    spectrum = timbre.learned.spectra[0]
    if is_bed(timbre):
        found = np.concatenate([take[SKIPPED_FRAMES:] for take in takes])
        spectrum = corrected(spectrum, lesson.alike(timbre), found)
    else:
        spectrum = _course_corrected(spectrum, recorded_by(lesson, timbre), takes, lesson.frame_rate)
    return timbre.model_copy(update={"learned": Learned(spectra=[spectrum])})


def _course_corrected(
    spectrum: LearnedSpectrum, recorded: list[Float], takes: list[Float], frame_rate: float
) -> LearnedSpectrum:
    """Smoothed over time and bands, so that the randomness of a few takes is not corrected as well."""
    frames = min(len(mel) for mel in (*recorded, *takes))
    off = np.mean([mel[:frames] for mel in recorded], 0) - np.mean([take[:frames] for take in takes], 0)
    smooth = _smoothed(_smoothed(off, _SMOOTHED_FRAMES).T, _SMOOTHED_BANDS).T
    ages = np.array(spectrum.ages_s)
    rows = np.clip(np.round(ages * frame_rate).astype(int) - 1, 0, frames - 1)
    known = (ages * frame_rate < frames + 1)[:, None]
    return rounded(
        spectrum.key,
        ages,
        np.array(spectrum.offsets_db) + known * smooth[rows] * DB,
        np.array(spectrum.spread_db),
    )


def _smoothed(rows: Float, count: int) -> Float:
    """(T, any) means over `count` neighbours in time."""
    half = count // 2
    padded = np.pad(rows, ((half, half), (0, 0)), mode="edge")
    found: Float = np.lib.stride_tricks.sliding_window_view(padded, count, axis=0).mean(-1)
    return found
