"""What can happen to the engine: small immutable events, and a score as events in time.

Units: pitch in MIDI note numbers (69 = A4 = 440 Hz), velocity 1..127, bends in semitones, gain linear, channels 0..15.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class NoteOn:
    channel: int
    pitch: int
    velocity: int
    program: int  # General MIDI program 0..127 that is selected on the channel, or 128 + key for a model's own drum


@dataclass(frozen=True, slots=True)
class NoteOff:
    channel: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Sustain:
    channel: int
    down: bool


@dataclass(frozen=True, slots=True)
class Sostenuto:
    channel: int
    down: bool


@dataclass(frozen=True, slots=True)
class KeyPressure:
    """Pressure on one key that is down, on top of its channel's."""

    channel: int
    pitch: int
    value: float  # 0..1


@dataclass(frozen=True, slots=True)
class PitchBend:
    channel: int
    semitones: float


@dataclass(frozen=True, slots=True)
class ChannelGain:
    channel: int
    gain: float


@dataclass(frozen=True, slots=True)
class Expression:
    channel: int
    name: str  # of `cmaudio.score.expression.EXPRESSIONS`
    value: float


@dataclass(frozen=True, slots=True)
class AllNotesOff:
    channel: int


Event = NoteOn | NoteOff | Sustain | Sostenuto | KeyPressure | PitchBend | ChannelGain | Expression | AllNotesOff

PERCUSSION_CHANNEL = 9


@dataclass(frozen=True)
class Score:
    """A piece: events in time order (seconds from the start) and what the reader had to say about the file.

    `percussion` holds the General MIDI percussion keys hit on channel 10 (index 9), `programs` the programs
    that the other channels' notes use; both are in the order of first use.
    """

    name: str
    events: list[tuple[float, Event]]
    duration: float
    programs: list[int] = field(default_factory=list)
    percussion: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
