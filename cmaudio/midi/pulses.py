"""The clock of an instrument as MIDI clock: pulses, start, stop, continue and song position."""

from __future__ import annotations

import math
from typing import Protocol

from cmaudio.score.messages import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from cmaudio.timing.midi_clock import PULSES_A_BEAT, PULSES_A_POSITION
from cmaudio.timing.tempo import SAME_BEAT

_EARLY_SECONDS = 0.001  # by how much a start precedes its first pulse (MIDI 1.0 Detailed Specification 4.2)
_LAST_POSITION = 2**14 - 1


class Sends(Protocol):
    """Accepts messages of the clock, each for a sample."""

    def send_clock(self, at: float, *messages: bytes) -> None: ...

    def cancel_clock(self, at: float) -> None:
        """Cancel messages of the clock after a sample."""
        ...


class Pulses:
    """A part that a `Clock` plays: 24 pulses per beat. A start or continue precedes the first one on a sixteenth."""

    priority, lasting = 0, True

    def __init__(self, sends: Sends, sample_rate: int, beat: float) -> None:
        self._sends, self._early_samples = sends, _EARLY_SECONDS * sample_rate
        self._started = False
        self.begin(beat)

    def due(self) -> float:
        """The beat of the next pulse."""
        return self._count / PULSES_A_BEAT

    def play(self, at: float) -> None:
        """Send the next pulse."""
        if not self._started and self._count % PULSES_A_POSITION == 0:
            self._started = True
            self._sends.send_clock(at - self._early_samples, *self._beginning())
        self._sends.send_clock(at, bytes([CLOCK]))
        self._count += 1

    def _beginning(self) -> list[bytes]:
        if self._count == 0:
            return [bytes([START])]
        position = min(_LAST_POSITION, self._count // PULSES_A_POSITION)
        return [bytes([SONG_POSITION, position & 0x7F, position >> 7]), bytes([CONTINUE])]

    def begin(self, beat: float) -> None:
        """The clock starts at this beat."""
        self._count = math.ceil((beat - SAME_BEAT) * PULSES_A_BEAT)

    def seek(self, beat: float, jumped: bool) -> None:
        """The clock continues at this beat."""
        self.begin(beat)

    def silence(self, at: int) -> None:
        """The clock stops or jumps at a sample."""
        self._sends.cancel_clock(at)
        if self._started:
            self._started = False
            self._sends.send_clock(at, bytes([STOP]))
