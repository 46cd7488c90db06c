"""The state shared by the notes of a MIDI channel."""

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
    caught: list[Handle] = field(default_factory=list)  # notes that the sostenuto pedal holds after key release
    gain: Trajectory = field(default_factory=lambda: Trajectory(1.0))
    keys: dict[int, Note] = field(default_factory=dict)  # pressed keys of a score or keyboard
    pair: int | None = None  # output pair of new notes; None for the main mix
    held: list[Handle] = field(default_factory=list)  # notes that a pedal holds after key release

    def reset(self) -> None:
        """Reset everything except the outputs, and gain and mix, which fading voices still need."""
        self.bend = 0.0
        self.expression = {name: value for name, value in self.expression.items() if name in MIX}
        self.sustain = self.sostenuto = False
        self.caught, self.keys, self.held = [], {}, []

    def holds(self, handle: Handle) -> bool:
        """Whether a pedal holds a note after its key is released."""
        return self.sustain or handle in self.caught

    def forget(self, handle: Handle) -> None:
        """Remove a handle whose voice has ended."""
        for handles in (self.held, self.caught):
            if handle in handles:
                handles.remove(handle)
