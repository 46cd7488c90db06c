"""The motion of a texture about its median, in a model file: swells, drops, calls, ticks, strokes, strikes.

The prior predicts the median of every band. The sampled residual varies about it like a steady background, each band by
itself, whereas events raise many bands at once, far above it. Therefore the principal directions of the recordings'
motion and the course (trajectory) along each are measured; segments of that course are played in a random order
(`cmaudio.synthesis.motion`). A one-shot has a single take, whose recordings all begin at the onset; each strike follows
them from there (`cmaudio.synthesis.one_shot_motion`).

Shapes: T frames of a course, N recordings, R directions, M mel bands, P dimensions of a take.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cmaudio.strict import Strict

MOST_FRAMES, MOST_DIRECTIONS, MOST_TAKES = 4096, 16, 64
_CACHED = 64  # one-shots, 0.4 MB each as exported
_STEPS = 127  # of quantisation, from 0 to the largest value of a course

Decibels = Annotated[float, Field(ge=-200, le=200, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=4, allow_inf_nan=False)]


class MotionTake(Strict):
    """Similar recordings.

    `point`: (P,) their take; `offset_db`: (M,) their median minus that of the networks' output there; `ends`: frame of
    the course at which each of them ends.
    """

    point: Annotated[list[Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)]], Field(max_length=64)]
    offset_db: list[Decibels]
    ends: Annotated[list[Annotated[int, Field(ge=2, le=MOST_FRAMES)]], Field(min_length=1)]


class Motion(Strict):
    """The motion of a timbre.

    `takes`: a voice plays one of them; `directions_db`: (R, M) added to every band where the course is largest along
    each direction; `course`: (T, R) signed bytes in base 64, full scale 127; `kept`: (M,) gain of the residual that the
    network samples, 0..4.
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
        return _decoded(self.course, len(self.directions_db))

    def strikes(self) -> NDArray[np.float64]:
        """(N, T, R) the courses of the recordings of a one-shot from the onset on; shorter ones hold their last frame.

        Read-only and cached, since many strikes may begin in one block.
        """
        return _strikes(self.course, tuple(self.takes[0].ends), len(self.directions_db))

    @property
    def strike_frames(self) -> int:
        """Frames of `strikes`, all recordings together."""
        lengths = [end - start for start, end in pairwise([0, *self.takes[0].ends])]
        return len(lengths) * max(lengths)

    def start(self, take: int) -> int:
        """First frame of a take in the course."""
        return self.takes[take - 1].ends[-1] if take else 0


def coded(places: NDArray[np.floating]) -> str:
    """Encode (T, R) values of -1 to 1 as `Motion.course`."""
    steps = np.rint(np.clip(places, -1, 1) * _STEPS).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode("ascii")


def _decoded(course: str, directions: int) -> NDArray[np.float32]:
    raw = np.frombuffer(base64.b64decode(course), np.int8)
    return np.maximum(raw.reshape(-1, directions).astype(np.float32) / _STEPS, -1)


@lru_cache(_CACHED)
def _strikes(course: str, ends: tuple[int, ...], directions: int) -> NDArray[np.float64]:
    """Cached by value: an array kept in a motion would break its comparison and outlive a copy's other course."""
    places = _decoded(course, directions).astype(np.float64)
    parts = [places[start:end] for start, end in pairwise([0, *ends])]
    longest = max(map(len, parts))
    found = np.stack([np.pad(part, ((0, longest - len(part)), (0, 0)), mode="edge") for part in parts])
    found.flags.writeable = False
    return found
