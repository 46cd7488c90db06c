"""Searches for a better learned timbre: tries base timbres near an example, and compares their output with it.

Level and spectrum are those of the example from the start. A search finds which of the model's timbres should supply
the
rest: how the sound moves, and how takes differ. Each is also tried with a correction of the remaining difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from cmaudio.learning.example import DB
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.motion import Compared, motion_of, still_at, usable
from cmaudio.learning.scoring import SKIPPED_FRAMES, score_of_bed, score_of_takes
from cmaudio.learning.table import corrected, rounded
from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_KINDS

_SEEDS, _OTHER_SEEDS, _JUDGING_SEEDS = (0, 1), (2, 3), (4, 5, 6, 7)
_MOVING_SEEDS = (8, 9, 10, 11)
_SMOOTHED_FRAMES, _SMOOTHED_BANDS = 5, 9

Progress = Callable[[float, str], object]


def found_at_once(lesson: Lesson) -> TimbreDefinition:
    """The timbre based on the nearest one; for a bed, corrected once by its output, and with the example's motion."""
    timbre = lesson.timbre(lesson.near[0])
    return moving(lesson, _corrected(lesson, timbre, lesson.hear(timbre, _SEEDS))) if is_bed(timbre) else timbre


def found_by_search(lesson: Lesson, seconds: float, on_progress: Progress) -> tuple[TimbreDefinition, str]:
    """The best timbre within the time, at least the initial one, and the name of its base timbre.

    `on_progress` is called with the completed share and the result; whatever it raises ends the search.
    """
    started = time.monotonic()
    best, nearest = found_at_once(lesson), lesson.near[0]
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
    return best, nearest.name


def _tries(lesson: Lesson, base: TimbreDefinition) -> Iterator[TimbreDefinition]:
    timbre = lesson.timbre(base)
    yield moving(lesson, timbre)
    assert timbre.learned is not None
    if len(timbre.learned.spectra) == 1:
        yield moving(lesson, _corrected(lesson, timbre, lesson.hear(timbre, _SEEDS + _OTHER_SEEDS)))


def moving(lesson: Lesson, timbre: TimbreDefinition) -> TimbreDefinition:
    """A bed of textures with the motion of the examples; any other sound as it is."""
    if not is_bed(timbre) or lesson.model.manifest.features not in TEXTURE_KINDS:
        return timbre
    recorded = list(usable(_recorded(lesson, timbre)).values())
    if not recorded:
        return timbre.model_copy(update={"motion": None})
    point = [0.0] * TAKE_DIMS
    still = timbre.model_copy(update={"motion": still_at(point, lesson.model.manifest.mel.bands)})
    drawn, undrawn = lesson.hear(still, _MOVING_SEEDS), lesson.hear(still, _SEEDS, humanity=0.0)
    heard = ([mel[SKIPPED_FRAMES:] for mel in mels] for mels in (drawn, undrawn))
    return still.model_copy(update={"motion": motion_of([Compared(point, recorded, *heard)])})


def score_of(lesson: Lesson, timbre: TimbreDefinition, seeds: Sequence[int] = _JUDGING_SEEDS) -> float:
    """The score in dB, lower is better: against every example of the first pitch.

    Uses other seeds than the correction did.
    """
    takes = lesson.hear(timbre, seeds)
    if is_bed(timbre):
        return float(np.mean([score_of_bed(mel, takes) for mel in _recorded(lesson, timbre)]))
    return float(np.mean([score_of_takes(mel, takes, lesson.floor) for mel in _recorded(lesson, timbre)]))


def is_bed(timbre: TimbreDefinition) -> bool:
    """Whether it has no clock and no pitch, so that it has a single constant spectrum."""
    assert timbre.learned is not None
    return len(timbre.learned.spectra[0].ages_s) == 1


def _recorded(lesson: Lesson, timbre: TimbreDefinition) -> list[Float]:
    return [example.mel for example in lesson.alike(timbre)]


def _corrected(lesson: Lesson, timbre: TimbreDefinition, takes: list[Float]) -> TimbreDefinition:
    """The timbre without the remaining difference in its takes."""
    assert timbre.learned is not None
    spectrum = timbre.learned.spectra[0]
    if is_bed(timbre):
        found = np.concatenate([take[SKIPPED_FRAMES:] for take in takes])
        spectrum = corrected(spectrum, lesson.alike(timbre), found)
    else:
        spectrum = _course_corrected(spectrum, _recorded(lesson, timbre), takes, lesson.frame_rate)
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
