"""How a sound that goes on moves about its median, in a model file: swells, drops, calls, ticks, strokes.

The prior says the median of every band, and what the network draws beside it is as large as a background's fluctuation,
band by band. Events lift many bands together, far above it. So the directions in which the recordings move are
measured on them, and the course along each; what plays is made of pieces of that course in another order
(`cmaudio.synthesis.motion`).

Shapes: T frames of a course, R directions, M mel bands, P dimensions of a take.
"""

from __future__ import annotations

import base64
import binascii
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_FRAMES, MOST_DIRECTIONS, MOST_TAKES = 4096, 16, 64
_STEPS = 127  # of a course, from 0 to the farthest

Decibels = Annotated[float, Field(ge=-200, le=200, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MotionTake(_Strict):
    """Recordings that are alike.

    `point`: (P,) their take; `offset_db`: by how much their median lies above what the networks play there, by band;
    `ends`: where in the course each of them ends, in frames.
    """

    point: Annotated[list[Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)]], Field(max_length=64)]
    offset_db: list[Decibels]
    ends: Annotated[list[Annotated[int, Field(ge=2, le=MOST_FRAMES)]], Field(min_length=1)]


class Motion(_Strict):
    """That of a timbre.

    `takes`: of which a voice is one; `directions_db`: what is added to every band at the farthest place of the course
    along each direction; `course`: (T, R) signed bytes in base 64, 127 at the farthest; `kept`: how much of what the
    network draws in every band is heard beside it.
    """

    takes: Annotated[list[MotionTake], Field(min_length=1, max_length=MOST_TAKES)]
    directions_db: Annotated[list[list[Decibels]], Field(min_length=1, max_length=MOST_DIRECTIONS)]
    course: Annotated[str, Field(max_length=2 * MOST_FRAMES * MOST_DIRECTIONS)]
    kept: list[Share]

    @model_validator(mode="after")
    def _consistent(self) -> Motion:
        rows = [self.kept, *self.directions_db, *(take.offset_db for take in self.takes)]
        if len({len(row) for row in rows}) > 1:
            raise ValueError("kept, offset_db and the rows of directions_db must be equally long")
        ends = [end for take in self.takes for end in take.ends]
        if any(b - a < 2 for a, b in pairwise([0, *ends])):
            raise ValueError("ends must rise by two frames at least")
        try:
            found = len(base64.b64decode(self.course, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"course is not in base 64 ({error})") from error
        directions = len(self.directions_db)
        if found != ends[-1] * directions:
            raise ValueError(f"course has {found} values for {ends[-1]} frames in {directions} directions")
        return self

    @property
    def bands(self) -> int:
        return len(self.kept)

    def places(self) -> NDArray[np.float32]:
        """(T, R) the course, -1 to 1."""
        raw = np.frombuffer(base64.b64decode(self.course), np.int8)
        return np.maximum(raw.reshape(-1, len(self.directions_db)).astype(np.float32) / _STEPS, -1)

    def start(self, take: int) -> int:
        """The frame of the course at which a take begins."""
        return self.takes[take - 1].ends[-1] if take else 0


def coded(places: NDArray[np.floating]) -> str:
    """(T, R) places -1 to 1 as `Motion.course`."""
    steps = np.rint(np.clip(places, -1, 1) * _STEPS).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode("ascii")
