"""The handle by which a caller controls a voice, and the part of the allocator that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import in_range
from cmaudio.engine.schedule import Action, Schedule
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.voice import Voice


class Allocator(Protocol):
    """The part of `VoiceAllocator` that handles use; methods that take `at` are called when their event is due."""

    schedule: Schedule
    settings: VoiceSettings

    def submit(self, at: int | None, action: Action) -> None: ...
    def enter(self, handle: Handle, voice: Voice, at: int) -> None: ...
    def release(self, handle: Handle, at: int) -> None: ...
    def cut(self, handle: Handle, seconds: float, at: int) -> None: ...
    def params_of(self, handle: Handle, pitch: float, velocity: float, at: int) -> NoteParams: ...
    def expression_of(self, handle: Handle) -> dict[str, float]: ...
    def bend_note(self, handle: Handle, semitones: float, seconds: float, at: int) -> None: ...
    def express_note(self, handle: Handle, name: str, value: float, seconds: float, at: int) -> None: ...
    def morph(self, handle: Handle, timbre: NDArray[np.float64], seconds: float, pitched: bool, at: int) -> None: ...


@dataclass(eq=False, kw_only=True)
class Handle:
    """A handle on a note, or on a text that is being spoken.

    `pitch`, `bent` and the bends of channel and instrument add up to the pitch of `voice`, which is None while nothing
    sounds. `key` is the MIDI key that events report, or None.
    """

    channel: int
    seed: int
    allocator: Allocator = field(repr=False)
    model: Model = field(repr=False)
    pitch: float = 0.0
    ended: bool = False
    voice: Any = field(default=None, repr=False)  # the engine's Voice of this kind
    bent: float = field(default=0.0, repr=False)  # semitones
    expression: dict[str, float] = field(default_factory=dict, repr=False)  # by name, without the channel's

    @property
    def key(self) -> int | None:
        return None

    def fail(self, error: BaseException) -> None:
        """Its voice was dropped because of an error."""

    def set_style(self, name: str, value: float, at: int | None = None) -> None:
        """Change a setting of the speaking style; only voices that speak have one."""

    def morph(self, timbre: Timbre, seconds: float = 0.0, at: int | None = None) -> None:
        """Morph to another timbre (name, mix or vector) within `seconds`."""
        vector = self.model.timbre_vector(timbre)
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        self.allocator.submit(at, partial(self.allocator.morph, self, vector, over, self.model.has_pitch(vector)))
