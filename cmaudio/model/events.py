"""Single events of an endless sound, in a model file: ticks, strokes, crackles, calls.

The prior predicts the median of every band, which between sparse events is their background, and the network's samples
are about as large as the fluctuation of that background. Events are broadband, sudden and far above it. They are
therefore measured on the recordings: rate, regularity, height, spectrum and envelope.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PARTS, MOST_FRAMES = 16, 96

Rise = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Events(BaseModel):
    """Events of a timbre.

    `per_second`: rate; `regularity`: from 0, random, to 1, periodic; `heights`: ascending quantiles of the height of
    events, relative to the typical one; `colour_db`: height of the typical event over the background at its peak, in 16
    parts of the bands; `course`: frame by frame, relative to the peak.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_second: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)]
    regularity: Share
    heights: Annotated[list[Annotated[float, Field(ge=0, le=10)]], Field(min_length=2, max_length=33)]
    colour_db: Annotated[list[Rise], Field(min_length=PARTS, max_length=PARTS)]
    course: Annotated[list[Share], Field(min_length=1, max_length=MOST_FRAMES)]
