"""What sixteen MIDI channels were told, and what it comes to where the manager of an MPE zone adds to its members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cmaudio.checks import CHANNELS
from cmaudio.midi.mpe import MEMBER_BEND_RANGE, Zones
from cmaudio.score.controllers import controller_gain
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.score.ranges import BEND_MAX_SEMITONES

NO_PARAMETER = (127, 127)


@dataclass
class ChannelState:
    """Of one channel. `wheel` -1..1; `bend_range` in semitones by parameter 0, None as the controls say."""

    volume: int = 127
    expression: int = 127
    wheel: float = 0.0
    bend_range: float | None = None
    parameter: tuple[int, int] = NO_PARAMETER
    program: int | None = None
    expressions: dict[str, float] = field(default_factory=dict)
    pedals: dict[int, bool] = field(default_factory=dict)  # by controller
    ports: set[str] = field(default_factory=set)  # it was played from


class ChannelStates:
    """`channels` are the sixteen; `default_bend_range` gives that of channels in no zone, in semitones."""

    def __init__(self, zones: Zones, default_bend_range: Callable[[], float]) -> None:
        self.channels = [ChannelState() for _ in range(CHANNELS)]
        self._zones, self._default_bend_range = zones, default_bend_range

    def _with_manager(self, channel: int) -> list[int]:
        manager = self._zones.manager_of(channel)
        return [channel] if manager is None else [channel, manager]

    def bend_range(self, channel: int) -> float:
        """Semitones at full wheel."""
        told = self.channels[channel].bend_range
        if told is not None:
            return told
        is_member = self._zones.manager_of(channel) is not None
        return MEMBER_BEND_RANGE if is_member else self._default_bend_range()

    def bend(self, channel: int) -> float:
        """Semitones, within what the engine can."""
        semitones = sum(self.channels[n].wheel * self.bend_range(n) for n in self._with_manager(channel))
        return max(-BEND_MAX_SEMITONES, min(BEND_MAX_SEMITONES, semitones))

    def expression(self, channel: int, name: str) -> float:
        """Of `cmaudio.score.expression`, within its range."""
        known = EXPRESSIONS[name]
        value = sum(self.channels[n].expressions.get(name, 0.0) for n in self._with_manager(channel))
        return min(known.max, max(known.min, value))

    def gain(self, channel: int) -> float:
        """Linear."""
        gain = 1.0
        for n in self._with_manager(channel):
            gain *= controller_gain(self.channels[n].volume, self.channels[n].expression)
        return gain


def wheel_position(low: int, high: int) -> float:
    """The two data bytes of a pitch wheel -> -1..1, 0 at rest, both ends reached."""
    value = (high << 7 | low) - 8192
    return value / 8191 if value > 0 else value / 8192
