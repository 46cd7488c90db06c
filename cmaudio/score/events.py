"""Events that the engine plays, small and immutable, and a score as events in time.

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
    """Pressure on one pressed key, added to its channel's."""

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
    """A piece.

    Attributes:
        events: in time order, in seconds from the start.
        programs: General MIDI programs of the notes, percussion left out, in the order of first use.
        percussion: General MIDI percussion keys on channel 10 (index 9), in the order of first use.
        notices: what the reader repaired or left out.
    """

    name: str
    events: list[tuple[float, Event]]
    duration: float
    programs: list[int] = field(default_factory=list)
    percussion: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
