"""A handle on one sounding note."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cmaudio.checks import in_range
from cmaudio.model.timbres import Timbre
from cmaudio.score.expression import checked_expression
from cmaudio.score.ranges import BEND_MAX_SEMITONES
from cmaudio.synthesis.voice import Voice

if TYPE_CHECKING:
    from cmaudio.engine.engine import Engine

BEND_SECONDS = 0.005  # a wheel's steps are smoothed, and heard as immediate
EXPRESSION_SECONDS = 0.01


@dataclass(eq=False)
class Note:
    """One note of an engine. Its methods may be called at any time; once the note has ended they do nothing."""

    pitch: float
    velocity: float
    channel: int
    seed: int
    engine: Engine = field(repr=False)
    ended: bool = False
    voice: Voice | None = field(default=None, repr=False)  # the engine's, while it sounds
    bent: float = field(default=0.0, repr=False)  # semitones, the channel's bend not counted
    expression: dict[str, float] = field(default_factory=dict, repr=False)  # likewise, by name

    def off(self, at: int | None = None) -> None:
        """Let the key go; with the channel's sustain pedal down the note sounds on."""
        self.engine.submit(at, partial(self.engine.allocator.release, self))

    def bend(self, semitones: float, seconds: float = BEND_SECONDS, at: int | None = None) -> None:
        """Bend to `semitones` above (or below) the struck pitch within `seconds`; on top of the channel's bend."""
        bend = in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones")
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.engine.submit(at, partial(self.engine.allocator.bend_note, self, bend, over))

    def express(self, name: str, value: float, seconds: float = EXPRESSION_SECONDS, at: int | None = None) -> None:
        """Shape the note by "vibrato", "pressure", "brightness" or "resonance" (`cmaudio.score.expression`).

        It adds to what the channel and the whole instrument do.

        Raises CmaudioError for an unknown name or a value out of range.
        """
        checked = checked_expression(name, value)
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.engine.submit(at, partial(self.engine.allocator.express_note, self, name, checked, over))

    def morph(self, timbre: Timbre, seconds: float = 0.0, at: int | None = None) -> None:
        """Move to another timbre (name, mix or vector) within `seconds`, while the note sounds."""
        vector = self.engine.model.timbre_vector(timbre)
        pitched = self.engine.model.has_pitch(vector)
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.engine.submit(at, partial(self.engine.allocator.morph, self, vector, over, pitched))
