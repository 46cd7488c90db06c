"""Bend, expression, timbre and gain: the settings of notes, channels and instrument, applied to the voices.

Every method that takes `at` is called when its event is due, with the event's sample on the engine's clock.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Container, Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import CHANNELS
from cmaudio.engine.channel import Channel
from cmaudio.engine.handle import Handle
from cmaudio.engine.listeners import Listeners
from cmaudio.engine.note import EXPRESSION_SECONDS
from cmaudio.faults import Faults
from cmaudio.score.events import ChannelGain, Expression, KeyPressure, PitchBend
from cmaudio.score.expression import EXPRESSIONS, combined

Vector = NDArray[np.float64]
_GAIN_SECONDS = 0.01


class MonoNotice:
    """Watches expressions as they are set, and reports the first that is audible only in stereo.

    Args:
        channels: of the engine.
    """

    def __init__(self, channels: int) -> None:
        self._reported = channels > 1
        self._listener: Callable[[str], object] = lambda text: warnings.warn(text, stacklevel=1)

    def listen(self, listener: Callable[[str], object]) -> None:
        """Call `listener` with one line instead of warning, on the rendering thread."""
        self._listener = listener

    def check(self, name: str, value: float) -> None:
        """Report an expression that has been set, if it is inaudible."""
        expression = EXPRESSIONS[name]
        if expression.mix and value != expression.rest and not self._reported:
            self._reported = True
            self._listener(f"{name} has no effect: the instrument is mono; use channels=2")


class Steering:
    """The channels, the handles of sounding voices, and their settings. The values of the three levels add up."""

    def __init__(self, sample_rate: int, mixed_channels: int = 1) -> None:
        self.sample_rate = sample_rate
        self.mono_notice = MonoNotice(mixed_channels)
        self.faults = Faults()  # of the engine; they are raised unless somebody listens
        self.listeners = Listeners(self.faults)
        self.channels = [Channel() for _ in range(CHANNELS)]
        self.notes: dict[int, Handle] = {}  # by the identity of the voice
        self.bend, self.expression = 0.0, dict[str, float]()  # of the whole instrument

    def report_to(self, report: Callable[[str], object]) -> None:
        """Call `report` with one line about each problem, on any thread, instead of raising or warning."""
        self.faults.listen(report)
        self.mono_notice.listen(report)

    def bend_note(self, note: Handle, semitones: float, seconds: float, at: int) -> None:
        """Bend one note, in addition to its channel's bend."""
        note.bent = semitones
        self._move_pitch(note, seconds, at)

    def bend_channel(self, number: int, semitones: float, seconds: float, at: int) -> None:
        """Bend all notes of a channel, including later ones."""
        self.channels[number].bend = semitones
        self._report_bend(number, at)
        for note in self._notes_of([number]):
            self._move_pitch(note, seconds, at)

    def bend_all(self, semitones: float, seconds: float, at: int) -> None:
        """Bend the whole instrument, in addition to its channels."""
        self.bend = semitones
        for number in self._used():
            self._report_bend(number, at)
        for note in self._notes_of(range(CHANNELS)):
            self._move_pitch(note, seconds, at)

    def _report_bend(self, number: int, at: int) -> None:
        self.listeners.notify(at, PitchBend(number, self.channels[number].bend + self.bend))

    def _used(self) -> list[int]:
        return [number for number, channel in enumerate(self.channels) if channel.used]

    def _notes_of(self, numbers: Container[int]) -> list[Handle]:
        return [note for note in self.notes.values() if note.channel in numbers]

    def express_note(self, note: Handle, name: str, value: float, seconds: float, at: int) -> None:
        """Shape one note (see `cmaudio.score.expression`), in addition to its channel."""
        self.mono_notice.check(name, value)
        note.expression[name] = value
        self._move_expression(note, name, seconds, at)

    def key_pressure(self, number: int, key: int, value: float, at: int) -> None:
        """Pressure on one key of a channel, if it is down."""
        note = self.channels[number].keys.get(key)
        if note is not None:
            self.listeners.notify(at, KeyPressure(number, key, value))
            self.express_note(note, "pressure", value, EXPRESSION_SECONDS, at)

    def express_channel(self, number: int, name: str, value: float, at: int) -> None:
        """Shape all notes of a channel, including later ones."""
        self.mono_notice.check(name, value)
        self.channels[number].expression[name] = value
        self._report_expression(number, name, at)
        for note in self._notes_of([number]):
            self._move_expression(note, name, EXPRESSION_SECONDS, at)

    def express_all(self, name: str, value: float, at: int) -> None:
        """Shape the whole instrument, in addition to its channels."""
        self.mono_notice.check(name, value)
        self.expression[name] = value
        for number in self._used():
            self._report_expression(number, name, at)
        for note in self._notes_of(range(CHANNELS)):
            self._move_expression(note, name, EXPRESSION_SECONDS, at)

    def _report_expression(self, number: int, name: str, at: int) -> None:
        value = self._combined(name, self.channels[number].expression)
        self.listeners.notify(at, Expression(number, name, value))

    def _combined(self, name: str, *settings: Mapping[str, float]) -> float:
        """The instrument's setting combined with others (`combined`)."""
        return combined(name, (values.get(name) for values in (self.expression, *settings)))

    def expression_of(self, note: Handle) -> dict[str, float]:
        """The combined expressions of note, channel and instrument, by name."""
        channel = self.channels[note.channel].expression
        return {name: self._combined(name, note.expression, channel) for name in EXPRESSIONS}

    def _move_expression(self, note: Handle, name: str, seconds: float, at: int) -> None:
        if note.voice is not None:
            value, over = self.expression_of(note)[name], seconds * self.sample_rate
            note.voice.express(name, max(0, at - note.voice.params.at), value, over)

    def _move_pitch(self, note: Handle, seconds: float, at: int) -> None:
        if note.voice is not None:
            pitch = note.pitch + note.bent + self.channels[note.channel].bend + self.bend
            note.voice.bend(max(0, at - note.voice.params.at), pitch, seconds * self.sample_rate)

    def _use(self, number: int, at: int) -> None:
        """On the first note of a channel, report the instrument's bend and expression to the listeners."""
        channel = self.channels[number]
        if not channel.used:
            channel.used = True
            if self.bend:
                self._report_bend(number, at)
            for name in self.expression:
                self._report_expression(number, name, at)

    def morph(self, note: Handle, timbre: Vector, seconds: float, pitched: bool, at: int) -> None:
        """Morph one note to another timbre."""
        if note.voice is not None:
            note.voice.morph(max(0, at - note.voice.params.at), timbre, seconds * self.sample_rate, pitched)

    def set_gain(self, number: int, gain: float, at: int) -> None:
        """Linear gain of a channel, smoothed."""
        self.listeners.notify(at, ChannelGain(number, gain))
        self.channels[number].gain.move(at, gain, _GAIN_SECONDS * self.sample_rate)
