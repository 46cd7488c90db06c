"""The motion of a one-shot: every strike takes a course of its own, from its onset to its end.

At every age, the recordings of a timbre deviate from their mean in a few principal directions. Along each direction, a
strike follows one of the recordings, drawn from its seed. Each of these courses is whole, so that attacks and decays
stay as recorded; and since principal components are uncorrelated, strikes have the mean and the covariance of the
recordings, whichever are combined.

Shapes: N recordings, K frames of a block, T frames of the longest recording, R directions, M mel bands.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.motion import Motion
from cmaudio.synthesis.courses import STREAM, MotionControls, held_at, slow_part

Array = NDArray[np.float64]


class OneShotMotion:
    """The motion of one strike, whose take is at `point` (P,).

    Args:
        motion: of its timbre, with one take; its courses begin at the onsets of the recordings.
        seed: of the voice; the same seed gives the same course.
    """

    def __init__(self, motion: Motion, seed: int) -> None:
        take = motion.takes[0]
        self.point = np.array(take.point)
        self.residual_gain = np.array(motion.kept, np.float32)
        self._offset, self._directions = np.array(take.offset_db), np.array(motion.directions_db)
        courses = motion.strikes()
        count, _, directions = courses.shape
        chosen = np.random.default_rng([seed, STREAM]).integers(count, size=directions)
        self._mean = courses.mean(0)
        self._deviation = courses[chosen, :, np.arange(directions)].T - self._mean

    @property
    def frames(self) -> int:
        """Length of the longest course."""
        return len(self._mean)

    def at(self, frames: NDArray[np.int64], controls: MotionControls) -> Array:
        """(K, M) dB to add to what the networks play, at frames (K,) counted from the onset; 0 before it.

        After its end, the last frame is held, which is silent.
        """
        age = frames.clip(0) if controls.speed is None else frames.clip(0) * controls.speed

        def course(mean: Array, deviation: Array) -> Array:
            return held_at(mean, age) + controls.humanity[:, None] * held_at(deviation, age)

        whole = course(self._mean, self._deviation)
        shaped = controls.with_flicker(whole, lambda: course(self._slow_mean, self._slow_deviation))
        moved: Array = self._offset + shaped @ self._directions
        return moved if frames[0] >= 0 else moved * (frames >= 0)[:, None]

    @cached_property
    def _slow_mean(self) -> Array:
        return slow_part(self._mean)

    @cached_property
    def _slow_deviation(self) -> Array:
        return slow_part(self._deviation)
