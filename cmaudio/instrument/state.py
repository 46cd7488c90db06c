"""A snapshot of a sounding instrument, for meters."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.engine.meter import EngineState
from cmaudio.output.state import PlayerState


@dataclass(frozen=True)
class InstrumentState:
    """Level, voices, load, output buffer and underruns."""

    engine: EngineState
    player: PlayerState
