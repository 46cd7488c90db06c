"""Single events of a sound that goes on for ever, in a model file: ticks, strokes, crackles, calls.

The prior says the median of every band, which between sparse events is their background, and what the network draws
beside it is about as large as that background's fluctuation. Events are broad, sudden and far above it. So they are
measured on the recordings: how many there are, how regularly they come, how far they rise, and their colour and course.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PARTS, MOST_FRAMES = 16, 96

Rise = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Events(BaseModel):
    """Events of a timbre.

    `per_second`: how many; `regularity`: 0, as by chance, to 1, as of a clock; `heights`: quantiles, from the least to
    the most, of how far events rise, as a share of the typical one; `colour_db`: how far the typical one rises over the
    background at its peak, in 16 parts of the bands; `course`: frame by frame, as a share of the peak.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)]
    regularity: Share
    heights: Annotated[list[Annotated[float, Field(ge=0, le=10)]], Field(min_length=2, max_length=33)]
    colour_db: Annotated[list[Rise], Field(min_length=PARTS, max_length=PARTS)]
    course: Annotated[list[Share], Field(min_length=1, max_length=MOST_FRAMES)]
