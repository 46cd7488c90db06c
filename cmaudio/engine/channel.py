"""What the notes of a MIDI channel share."""

from __future__ import annotations

from dataclasses import dataclass, field

from cmaudio.engine.handle import Handle
from cmaudio.engine.note import Note
from cmaudio.score.expression import MIX
from cmaudio.synthesis.trajectory import Trajectory


@dataclass
class Channel:
    """Controllers, pedals and keys of one channel."""

    used: bool = False  # has had a note
    bend: float = 0.0  # semitones
    expression: dict[str, float] = field(default_factory=dict)
    sustain: bool = False
    sostenuto: bool = False
    caught: list[Handle] = field(default_factory=list)  # notes that the sostenuto pedal holds once their keys are up
    gain: Trajectory = field(default_factory=lambda: Trajectory(1.0))
    keys: dict[int, Note] = field(default_factory=dict)  # keys of a score or keyboard that are down
    pair: int | None = None  # of outputs, for notes that begin; None for the main mix
    held: list[Handle] = field(default_factory=list)  # notes that a pedal holds after their keys went up

    def reset(self) -> None:
        """Reset everything but the gain and the mix, which fading voices still need, and the outputs."""
        self.bend = 0.0
        self.expression = {name: value for name, value in self.expression.items() if name in MIX}
        self.sustain = self.sostenuto = False
        self.caught, self.keys, self.held = [], {}, []

    def holds(self, handle: Handle) -> bool:
        """Whether a pedal holds a note when its key goes up."""
        return self.sustain or handle in self.caught

    def forget(self, handle: Handle) -> None:
        """Remove a handle whose voice has ended."""
        for kept in (self.held, self.caught):
            if handle in kept:
                kept.remove(handle)
