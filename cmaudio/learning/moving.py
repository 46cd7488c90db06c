"""Gives a learned texture the motion of its examples: that of a bed, or the differences between strikes of a one-shot.

Shapes: T frames, M mel bands.
"""

from __future__ import annotations

from cmaudio.learning.imagined_takes import imagined_takes
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.motion import Compared, motion_of, still_at, usable
from cmaudio.learning.one_shot_motion import followed, one_shot_motion_of
from cmaudio.learning.scoring import SKIPPED_FRAMES
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.motion import Motion
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_KINDS

_SEEDS, _WITHOUT_RESIDUAL_SEEDS = (8, 9, 10, 11), (0, 1)
_TYPICAL = [0.0] * TAKE_DIMS


def moving(lesson: Lesson, timbre: TimbreDefinition) -> TimbreDefinition:
    """A bed or one-shot of textures with the motion of the examples; any other sound as it is."""
    if lesson.model.manifest.features not in TEXTURE_KINDS or (timbre.sustained and not is_bed(timbre)):
        return timbre
    still = timbre.model_copy(update={"motion": still_at(_TYPICAL, lesson.model.manifest.mel.bands)})
    motion = _of_bed(lesson, still) if timbre.sustained else _of_one_shot(lesson, still)
    return timbre.model_copy(update={"motion": motion})


def is_bed(timbre: TimbreDefinition) -> bool:
    """Whether it has no clock and no pitch, so that it has a single constant spectrum."""
    assert timbre.learned is not None
    return len(timbre.learned.spectra[0].ages_s) == 1


def recorded_by(lesson: Lesson, timbre: TimbreDefinition) -> list[Float]:
    """The log-mels (T, M) of the examples of a timbre's first spectrum."""
    return [example.mel for example in lesson.alike(timbre)]


def _of_bed(lesson: Lesson, still: TimbreDefinition) -> Motion | None:
    recorded = list(usable(recorded_by(lesson, still)).values())
    if not recorded:
        return None
    with_residual, without_residual = (
        lesson.hear(still, _SEEDS),
        lesson.hear(still, _WITHOUT_RESIDUAL_SEEDS, humanity=0.0),
    )
    heard = ([mel[SKIPPED_FRAMES:] for mel in mels] for mels in (with_residual, without_residual))
    return motion_of([Compared(_TYPICAL, recorded, *heard)])


def _of_one_shot(lesson: Lesson, still: TimbreDefinition) -> Motion | None:
    """Measured on the takes; if there is only one, on takes imagined from it."""
    takes = recorded_by(lesson, still)
    recorded = followed(takes if len(takes) > 1 else imagined_takes(takes[0], lesson.floor), lesson.floor)
    seconds = max(map(len, recorded)) / lesson.frame_rate
    with_residual = lesson.hear(still, _SEEDS, seconds)
    without_residual = lesson.hear(still, _WITHOUT_RESIDUAL_SEEDS, seconds, humanity=0.0)
    return one_shot_motion_of(_TYPICAL, recorded, with_residual, without_residual, lesson.floor)
