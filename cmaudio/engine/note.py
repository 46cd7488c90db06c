"""A handle on one sounding note."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cmaudio.checks import in_range
from cmaudio.engine.handle import Handle
from cmaudio.score.expression import checked_expression
from cmaudio.score.ranges import BEND_MAX_SEMITONES

BEND_SECONDS = 0.005  # smooths the steps of a pitch wheel without audible delay
EXPRESSION_SECONDS = 0.01
CUT_SECONDS = 0.01


@dataclass(eq=False, kw_only=True)
class Note(Handle):
    """One note of an engine. Its methods may be called at any time; after the note has ended they do nothing."""

    pitch: float
    velocity: float

    @property
    def key(self) -> int:
        """The nearest MIDI key."""
        return round(self.pitch)

    def off(self, at: int | None = None) -> None:
        """Release the key; with the channel's sustain pedal down the note keeps sounding."""
        self.allocator.submit(at, partial(self.allocator.release, self))

    def cut(self, seconds: float = CUT_SECONDS, at: int | None = None) -> None:
        """Release the key and fade out within `seconds`, however long the note would sound."""
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.allocator.submit(at, partial(self.allocator.cut, self, over))

    def bend(self, semitones: float, seconds: float = BEND_SECONDS, at: int | None = None) -> None:
        """Bend to `semitones` above (or below) the note's pitch within `seconds`, in addition to the channel's bend."""
        bend = in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones")
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.allocator.submit(at, partial(self.allocator.bend_note, self, bend, over))

    def express(self, name: str, value: float, seconds: float = EXPRESSION_SECONDS, at: int | None = None) -> None:
        """Shape the note by "vibrato", "brightness", "attack" and others (`cmaudio.score.expression`).

        It adds to the expressions of the channel and the instrument.

        Raises CmaudioError for an unknown name or a value out of range.
        """
        checked = checked_expression(name, value)
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.allocator.submit(at, partial(self.allocator.express_note, self, name, checked, over))
