"""Follows MIDI clock: 24 pulses per quarter note, start, continue, stop, song position (MIDI 1.0 system messages).

Pulses arrive with milliseconds of jitter. A delay-locked loop fits a line through them and steers the clock's tempo
towards it, so that the beat never jumps: no step is repeated and none skipped.
"""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError
from cmaudio.output.sample_clock import LockedLine
from cmaudio.timing.tempo import TEMPO_RANGE
from cmaudio.timing.transport import Transport

PULSES_A_BEAT, PULSES_A_POSITION = 24, 6
KINDS = ("pulse", "start", "continue", "stop", "position")
_BANDWIDTH_HZ = 0.5
_LOST_PULSES = 1.0
_SETTLED_POINTS = 6  # a quarter of a beat: before that, jitter is mistaken for tempo
_LOST_BEATS = 2.0


class MidiClock:
    """Makes a transport follow pulses.

    Args:
        transport: the transport that follows.
        place: returns the sample at which an event at a time in seconds should sound.
    """

    def __init__(self, transport: Transport, place: Callable[[float], int]) -> None:
        self._transport, self._place = transport, place
        rate = transport.engine.sample_rate
        slowest, fastest = (tempo / 60 * PULSES_A_BEAT / rate for tempo in TEMPO_RANGE)
        self._line = LockedLine(
            transport.tempo / 60 * PULSES_A_BEAT / rate,
            bandwidth=_BANDWIDTH_HZ / rate,
            lost=_LOST_PULSES,
            rate_range=(slowest, fastest),
            learns=True,
        )
        self._count = 0
        self._origin: float | None = None  # the beat of pulse 0; None: unknown
        self._last: int | None = None  # sample of the last pulse
        self._armed = False  # the next pulse starts the transport
        self.offset_ms = 0.0

    @property
    def following(self) -> bool:
        """Whether a pulse came within the last two beats."""
        return self._last is not None and not self._lost(self._transport.engine.now)

    def handle(self, kind: str, seconds: float, value: float = 0) -> None:
        """See `Clock.midi`."""
        at = max(0, self._place(seconds) + round(self.offset_ms / 1000 * self._transport.engine.sample_rate))
        if kind == "pulse":
            self._pulse(at)
        elif kind == "start":
            self._transport.stop()
            self._transport.locate(0.0, restart=True)
            self._armed = True
        elif kind == "continue":
            self._armed = not self._transport.running
        elif kind == "stop":
            self._armed = False
            self._transport.stop()
        elif kind == "position":
            position = in_range("position", value, 0, 16383, "MIDI beats")
            self._transport.locate(position * PULSES_A_POSITION / PULSES_A_BEAT)
            self._origin = None
        else:
            raise CmaudioError(f"a MIDI clock sends {', '.join(KINDS)}, not {kind!r}")

    def _lost(self, at: int) -> bool:
        """Whether no pulse came for two beats before a sample."""
        longest = _LOST_BEATS * 60 / self._transport.tempo * self._transport.engine.sample_rate
        return self._last is not None and at - self._last > longest

    def _pulse(self, at: int) -> None:
        if self._lost(at):
            rate = self._transport.engine.sample_rate
            self._line.begin(at, self._count + 1, self._transport.tempo / 60 * PULSES_A_BEAT / rate)
            self._origin = None  # an unknown number of pulses was missed: assume the nearest beat
        self._count += 1
        self._line.update(at, self._count)
        self._last = at
        if self._armed:
            self._armed, self._origin = False, None
            self._transport.resume(at)
        if self._origin is None and self._transport.running:
            here = round(self._transport.map.beat_at(at) * PULSES_A_BEAT)
            self._origin = (here - self._count) / PULSES_A_BEAT
        if self._line.points >= _SETTLED_POINTS:
            tempo = self._line.rate / PULSES_A_BEAT * 60 * self._transport.engine.sample_rate
            self._transport.follow(tempo, None if self._origin is None else self._beat_at)

    def _beat_at(self, sample: float) -> float:
        """The beat of a sample, according to the pulses."""
        assert self._origin is not None
        return self._origin + self._line.at(sample) / PULSES_A_BEAT
