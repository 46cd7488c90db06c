"""The effects of an engine: settings, impulse responses and user functions, set from any thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cmaudio.checks import in_range, whole_number
from cmaudio.effects.insert import Insert, InsertFunction
from cmaudio.effects.rack import EffectsRack
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.event_input import EventInput
from cmaudio.files.reading import regular_file
from cmaudio.model.file import Model
from cmaudio.score.expression import SENDS

_TEMPO_RANGE = (1.0, 1000.0)


class EffectsInput(EventInput):
    """Accepts events and settings of the effects. Arguments: see `EventInput`.

    Attributes:
        rack: the effects. Reverb, chorus and delay are audible in stereo, where a note, a channel or the instrument
            sends to them: `express("reverb", 0.3)`.
    """

    def __init__(self, model: Model, allocator: VoiceAllocator, seed: int, bend_range: float) -> None:
        super().__init__(model, allocator, seed, bend_range)
        self.rack = EffectsRack(allocator.sample_rate, self.seed, faults=self.faults)

    def express(self, name: str, value: float, channel: int | None = 0, at: int | None = None) -> None:
        """Shape a channel, including later notes, or with None the whole instrument; see `Note.express`."""
        super().express(name, value, channel, at)
        if (name in SENDS or name == "distance") and value > 0:
            self.rack.expect()

    def set_effect(self, name: str, value: float, at: int | None = None) -> None:
        """Change a setting of the effects (`cmaudio.effects.settings`).

        Raises CmaudioError for an unknown name, or a value or a sample out of range.
        """
        self.rack.set(name, value, _sample(at))

    def set_effects_tempo(self, tempo: float, at: int | None = None) -> None:
        """Set the tempo of the delay, in beats per minute; a clock sets its own."""
        checked = in_range("tempo", tempo, *_TEMPO_RANGE, "beats per minute")
        self.rack.set_tempo(checked, _sample(at))

    def set_impulse_response(
        self,
        path: str | Path | None,
        at: int | None = None,
        on_notice: Callable[[str], object] = lambda notice: None,
    ) -> None:
        """Replace the reverb by an impulse response; None restores the reverb. Existing tails ring out.

        Args:
            path: a sound file; see `read_impulse_response`.
            at: sample of the engine's clock, None for as soon as possible.
            on_notice: called with one line if the file was resampled or truncated, or the engine is mono.

        Raises:
            CmaudioError: a file that cannot be used as an impulse response.
        """
        sample = _sample(at)
        if path is None:
            self.rack.use_space(None, sample)
            return
        from cmaudio.effects.convolution import Convolution  # imports numba
        from cmaudio.effects.impulse_response import read_impulse_response

        file = regular_file(path, "impulse response")
        if self.allocator.settings.channels == 1:
            on_notice("a mono instrument has no reverb: the impulse response has no effect; use channels=2")
            return
        response = read_impulse_response(file, self.rack.sample_rate, on_notice)
        convolution = Convolution(response, self.rack.sample_rate)
        self.rack.use_space(convolution, sample)

    def insert(
        self, function: InsertFunction, on_notice: Callable[[str], object] | None = None, live: bool = False
    ) -> Insert:
        """Put a function into the signal chain, after the effects, from the next block on; see `Insert`.

        Raises CmaudioError if `function` is not callable.
        """
        return self.rack.inserts.add(function, on_notice, live)


def _sample(at: int | None) -> int | None:
    """Validate `at`: a value that cannot be compared with others would stop the sound."""
    return None if at is None else whole_number("at", at, 0, 2**62)
