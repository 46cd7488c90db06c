"""Tuning a learned timbre: its table, spread and point follow the gradient of the energy score of what it plays.

The networks stay as they are, so all other timbres do. The mean of the last parameters is taken (Polyak and Juditsky
1992), and only if what the engine plays of it scores better than before.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from cmaudio.learning.example import steady_part
from cmaudio.learning.lesson import Lesson
from cmaudio.learning.moving import is_bed, moving
from cmaudio.learning.scoring import SKIPPED_FRAMES
from cmaudio.learning.search import Progress, score_of
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.training.tuning.playing import Playing, TimbreParameters
from cmaudio.training.tuning.scores import score_of_bed, score_of_courses

_TAKES = 4
_BED_FRAMES, _MOST_FRAMES = 188, 140
_RATES = {"offsets": 0.03, "widening": 0.02, "point": 0.01}  # nepers a step; the point's numbers are about 1
_STAY = 0.02  # penalty on how far the point goes from where it was
_MEAN_OF = 0.3  # of all steps, the last
_JUDGED_BY = tuple(range(20, 32))  # seeds


def tuned(
    lesson: Lesson,
    timbre: TimbreDefinition,
    seconds: float,
    on_progress: Progress,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> TimbreDefinition:
    """The timbre, tuned for so many seconds, or as it was where that is better.

    Args:
        lesson: with the examples.
        timbre: that was learned from them.
        seconds: of tuning.
        on_progress: called with the share that is done and how near it is; whatever it raises ends the tuning.
        seed: of what is played.
        clock: by which the seconds are counted.
    """
    started, rng = clock(), np.random.default_rng(seed)
    recorded, frames = _recorded(lesson, timbre)
    still = timbre.model_copy(update={"motion": None})
    playing, parameters = Playing(lesson, still, frames), TimbreParameters(still)
    start = parameters.point.detach().clone()
    groups = [{"params": [getattr(parameters, name)], "lr": rate} for name, rate in _RATES.items()]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.95))
    mean = _Mean(parameters)
    share = 0.0
    while share < 1:  # a step at least
        share = min(1.0, (clock() - started) / seconds)
        for group, rate in zip(optimiser.param_groups, _RATES.values(), strict=True):
            group["lr"] = rate * (1 - 0.9 * share)
        takes = playing(parameters, _TAKES, rng)
        if is_bed(timbre):
            score = score_of_bed(recorded, takes[:, SKIPPED_FRAMES:], rng)
        else:
            score = score_of_courses(recorded, takes, lesson.floor)
        optimiser.zero_grad()
        torch.autograd.backward(score + _STAY * (parameters.point - start).square().sum())
        optimiser.step()
        if share > 1 - _MEAN_OF:
            mean.add()
        on_progress(share, f"tuning, {score.item():.2f} dB")
    mean.take()
    return _better(lesson, timbre, moving(lesson, parameters.definition()))


def _better(lesson: Lesson, before: TimbreDefinition, after: TimbreDefinition) -> TimbreDefinition:
    return min((before, after), key=lambda timbre: score_of(lesson, timbre, _JUDGED_BY))


def _recorded(lesson: Lesson, timbre: TimbreDefinition) -> tuple[Tensor, int]:
    """Frames (T, M) of a bed, or (R, T, M) of recordings of a sound that ends, and how many frames to play."""
    mels = [example.mel for example in lesson.alike(timbre)]
    if is_bed(timbre):
        return torch.from_numpy(np.concatenate([steady_part(mel) for mel in mels])), _BED_FRAMES
    k = lesson.networks.block_frames
    frames = max(k, min(_MOST_FRAMES, max(len(mel) for mel in mels)) // k * k)
    padded = [
        np.pad(mel[:frames], ((0, max(0, frames - len(mel))), (0, 0)), constant_values=np.float32(lesson.floor))
        for mel in mels
    ]
    return torch.from_numpy(np.stack(padded)), frames


class _Mean:
    """Of parameters, over steps."""

    def __init__(self, parameters: TimbreParameters) -> None:
        self._parameters, self._count = parameters, 0
        self._totals = [torch.zeros_like(one) for one in parameters.parameters()]

    @torch.no_grad()
    def add(self) -> None:
        self._count += 1
        for total, one in zip(self._totals, self._parameters.parameters(), strict=True):
            total += one

    @torch.no_grad()
    def take(self) -> None:
        """Set the parameters to it; they stay as they are if there was no step to take it of."""
        if self._count:
            for total, one in zip(self._totals, self._parameters.parameters(), strict=True):
                one.copy_(total / self._count)
