"""The state of sixteen MIDI channels, and the bend, gain, expressions and pedals that result from it.

The manager of an MPE zone adds to its members: bends and expressions add up, gains multiply, either pedal holds notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cmaudio.checks import CHANNELS
from cmaudio.score.controllers import controller_gain
from cmaudio.score.events import PERCUSSION_CHANNEL
from cmaudio.score.expression import combined
from cmaudio.score.mpe import MEMBER_BEND_RANGE, Zones
from cmaudio.score.ranges import BEND_MAX_SEMITONES

NO_PARAMETER = (127, 127)
_TUNING_CENTRE = 8192  # of the 14 bits of a fine tuning, which span two semitones


@dataclass
class ChannelState:
    """The state of one channel.

    Attributes:
        wheel: -1..1.
        bend_range: semitones and cents by registered parameter 0; None for the default.
        fine_tuning: coarse and fine data byte of registered parameter 1.
        coarse_tuning: semitones, registered parameter 2.
        parameter: coarse and fine number of the registered parameter that data entry sets.
        program: None until a program change arrives.
        rhythm: whether its bank is one of percussion.
        rhythm_part: whether a system exclusive message made it percussion, which programs do not undo.
        effects_kit: XG sound effects kit that its keys play, if any.
        pedals: whether each is down, by controller number.
    """

    volume: int = 127
    expression: int = 127
    wheel: float = 0.0
    bend_range: tuple[int, int] | None = None
    fine_tuning: tuple[int, int] = (64, 0)
    coarse_tuning: int = 0
    parameter: tuple[int, int] = NO_PARAMETER
    bank: int = 0
    program: int | None = None
    rhythm: bool = False
    rhythm_part: bool = False
    effects_kit: int | None = None
    expressions: dict[str, float] = field(default_factory=dict)
    pedals: dict[int, bool] = field(default_factory=dict)


class ChannelStates:
    """The states of all sixteen channels.

    Args:
        zones: the MPE zones.
        volume: default volume, 0..127.
        default_bend_range: returns the bend range of channels outside MPE zones, in semitones.
    """

    def __init__(self, zones: Zones, volume: int, default_bend_range: Callable[[], float]) -> None:
        self.channels = [ChannelState(volume) for _ in range(CHANNELS)]
        self.master_tuning = [0.0, 0.0]  # coarse and fine, in semitones
        self._zones, self._default_bend_range = zones, default_bend_range

    def __getitem__(self, channel: int) -> ChannelState:
        return self.channels[channel]

    def _with_manager(self, channel: int) -> list[int]:
        manager = self._zones.manager_of(channel)
        return [channel] if manager is None else [channel, manager]

    def program(self, channel: int) -> int | None:
        """The program of its notes; a whole zone has the manager's."""
        return self.channels[self._with_manager(channel)[-1]].program

    def is_rhythm(self, channel: int) -> bool:
        """Whether its notes are percussion; never in a zone."""
        state = self.channels[channel]
        own = channel == PERCUSSION_CHANNEL or state.rhythm or (state.rhythm_part and state.effects_kit is None)
        return own and not self._zones.contains(channel)

    def effects_kit(self, channel: int) -> int | None:
        """The sound effects kit that its keys play, if any; never in a zone."""
        return None if self._zones.contains(channel) else self.channels[channel].effects_kit

    def selects_sounds(self, channel: int) -> bool:
        """Whether its keys select sounds, not pitches."""
        return self.is_rhythm(channel) or self.effects_kit(channel) is not None

    def bend_range(self, channel: int) -> float:
        """Semitones at full wheel, limited to the engine's range."""
        own_range = self.channels[channel].bend_range
        if own_range is not None:
            return min(own_range[0] + own_range[1] / 100, BEND_MAX_SEMITONES)
        is_member = self._zones.manager_of(channel) is not None
        return MEMBER_BEND_RANGE if is_member else self._default_bend_range()

    def bend(self, channel: int) -> float:
        """Semitones of wheel and tuning together, limited to the engine's range."""
        semitones = sum(
            self.channels[n].wheel * self.bend_range(n) + self._tuning(n) for n in self._with_manager(channel)
        )
        if not self.selects_sounds(channel):
            semitones += sum(self.master_tuning)
        return max(-BEND_MAX_SEMITONES, min(BEND_MAX_SEMITONES, semitones))

    def _tuning(self, channel: int) -> float:
        """Semitones by registered parameters 1 and 2."""
        state = self.channels[channel]
        coarse, fine = state.fine_tuning
        return 0.0 if self.selects_sounds(channel) else state.coarse_tuning + tuning_semitones(coarse, fine)

    def expression(self, channel: int, name: str) -> float:
        """The value of an expression (`cmaudio.score.expression`), limited to its range."""
        return combined(name, (self.channels[n].expressions.get(name) for n in self._with_manager(channel)))

    def gain(self, channel: int) -> float:
        """Linear gain by volume and expression."""
        gain = 1.0
        for n in self._with_manager(channel):
            gain *= controller_gain(self.channels[n].volume, self.channels[n].expression)
        return gain

    def pedal(self, channel: int, which: int) -> bool:
        """Whether a pedal is down."""
        return any(self.channels[n].pedals.get(which, False) for n in self._with_manager(channel))


def tuning_semitones(coarse: int, fine: int) -> float:
    """The two data bytes of a fine tuning -> -1..1 semitones."""
    return ((coarse << 7 | fine) - _TUNING_CENTRE) / _TUNING_CENTRE
