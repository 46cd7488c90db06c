"""A snapshot of a player, for meters and logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cmaudio.output.ring import RingCounters

Status = Literal["new", "playing", "lost", "failed", "closed"]


@dataclass(frozen=True)
class PlayerState:
    """The state of playback.

    Attributes:
        status: "lost" while the device is gone; "failed" once the source has raised.
        device_name: the device in use, or the last one.
        sample_rate: of the device, in Hz.
        lead_ms: milliseconds of sound in the output buffer now.
        load: computing time divided by the duration of the sound it produced, averaged over about a second.
        counters: of all streams since the player was created.
        notices: the last lines passed to `on_notice`.
        failure: the source's error, if any.
    """

    status: Status
    device_name: str
    sample_rate: int
    lead_ms: float
    load: float
    counters: RingCounters
    notices: tuple[str, ...]
    failure: BaseException | None
