"""Events for changes on a channel: gain, bend, pedals and expressions, each change once."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmaudio.checks import CHANNELS
from cmaudio.score.channel_state import ChannelStates
from cmaudio.score.controllers import SOSTENUTO, SUSTAIN
from cmaudio.score.events import ChannelGain, Event, Expression, PitchBend, Sostenuto, Sustain
from cmaudio.score.expression import EXPRESSIONS, MIX

PEDALS: dict[int, type[Sustain] | type[Sostenuto]] = {SUSTAIN: Sustain, SOSTENUTO: Sostenuto}


@dataclass
class _LastSent:
    """The last values sent for one channel."""

    gain: float = 1.0
    bend: float = 0.0
    expressions: dict[str, float] = field(default_factory=dict)
    pedals: dict[int, bool] = field(default_factory=dict)


class ChangeEvents:
    """Collects events. The methods named after a change compare `states` with the values last sent."""

    def __init__(self, states: ChannelStates) -> None:
        self._states = states
        self._sent = [_LastSent() for _ in range(CHANNELS)]
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        self._events.append(event)

    def take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def gain(self, channel: int) -> None:
        sent, gain = self._sent[channel], self._states.gain(channel)
        if gain != sent.gain:
            sent.gain = gain
            self.add(ChannelGain(channel, gain))

    def bend(self, channel: int) -> None:
        sent, bend = self._sent[channel], self._states.bend(channel)
        if bend != sent.bend:
            sent.bend = bend
            self.add(PitchBend(channel, bend))

    def pedal(self, channel: int, which: int) -> None:
        """`which`: 64 or 66."""
        self._add_pedal(channel, which, self._states.pedal(channel, which))

    def pedals_up(self, channel: int) -> None:
        """Mark the pedals as up, even if a zone's manager still holds them: the instrument has released them."""
        for which in PEDALS:
            self._add_pedal(channel, which, False)

    def _add_pedal(self, channel: int, which: int, down: bool) -> None:
        sent = self._sent[channel].pedals
        if down != sent.get(which, False):
            sent[which] = down
            self.add(PEDALS[which](channel, down))

    def expression(self, channel: int, name: str) -> None:
        sent, value = self._sent[channel].expressions, self._states.expression(channel, name)
        if value != sent.get(name, EXPRESSIONS[name].rest):
            sent[name] = value
            self.add(Expression(channel, name, value))

    def expressions(self, channel: int) -> None:
        """All expressions that were sent before."""
        for name in self._sent[channel].expressions:
            self.expression(channel, name)

    def silenced(self, channel: int) -> None:
        """The channel was reset externally, except its gain and mix settings."""
        sent = self._sent[channel]
        kept = {name: value for name, value in sent.expressions.items() if name in MIX}
        self._sent[channel] = _LastSent(gain=sent.gain, expressions=kept)
