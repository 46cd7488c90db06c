"""The voices that sound, the channels, and what events do to them.

Every method that takes `at` is called at its event's turn, with the event's sample of the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import CHANNELS
from cmaudio.engine.note import EXPRESSION_SECONDS, Note
from cmaudio.score.events import (
    AllNotesOff,
    ChannelGain,
    Event,
    Expression,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Sostenuto,
    Sustain,
)
from cmaudio.score.expression import EXPRESSIONS
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import NoteParams, Voice

Vector = NDArray[np.float64]
_GAIN_SECONDS = 0.01


class Handle(Protocol):
    """What whoever plays holds of a voice: a note, or a text that is being said. `voice` is None while none sounds."""

    pitch: float
    channel: int
    bent: float
    expression: dict[str, float]
    ended: bool
    voice: Any


@dataclass
class Channel:
    """What the notes of a MIDI channel share."""

    used: bool = False  # has had a note
    bend: float = 0.0
    expression: dict[str, float] = field(default_factory=dict)
    sustain: bool = False
    sostenuto: bool = False
    caught: list[Handle] = field(default_factory=list)  # notes that the sostenuto pedal keeps once their keys are up
    gain: Trajectory = field(default_factory=lambda: Trajectory(1.0))
    keys: dict[int, Note] = field(default_factory=dict)  # keys of a score or keyboard that are down
    held: list[Handle] = field(default_factory=list)  # notes that only a pedal keeps


class VoiceAllocator:
    """At most `polyphony` voices; `make_voice` builds one from how it is struck, its timbre, bend and expression."""

    def __init__(
        self,
        make_voice: Callable[[NoteParams, Vector, float, Mapping[str, float]], Voice],
        program_of: Callable[[Vector], int],
        polyphony: int,
        steps: int,
        sample_rate: int,
    ) -> None:
        self.polyphony, self.steps, self.sample_rate = polyphony, steps, sample_rate
        self.limit = polyphony  # of voices, less where the machine cannot make so many
        self.reduced = False  # the machine recently fell behind: blocks are made in one step
        self._make_voice, self._program_of = make_voice, program_of
        self.on_event: Callable[[int, Event], object] = lambda at, event: (
            None
        )  # is told what happens, and at which sample
        self.voices: list[Voice] = []
        self.notes: dict[int, Handle] = {}  # by the identity of the voice
        self.channels = [Channel() for _ in range(CHANNELS)]
        self.bend, self.expression = 0.0, dict[str, float]()  # of the whole instrument, on top of the channels'

    def new_voice(self, note: Note, timbre: Vector, at: int) -> Voice:
        """Make the voice of a note without starting it."""
        params = NoteParams(note.pitch, note.velocity, note.channel, note.seed, at, self.allowed_steps)
        bend = note.bent + self.channels[note.channel].bend + self.bend
        return self._make_voice(params, timbre, bend, self.expression_of(note))

    def start_note(self, note: Note, timbre: Vector, at: int) -> None:
        """A note begins; when all voices are taken, the one that is missed least makes room."""
        if not note.ended:  # let go before it began
            self.enter(note, self.new_voice(note, timbre, at), at)
            key, velocity = _midi(note)
            self.on_event(at, NoteOn(note.channel, key, velocity, self._program_of(timbre)))

    def enter(self, note: Handle, voice: Voice, at: int) -> None:
        """A voice begins to sound for whoever holds its handle."""
        self._use(note.channel, at)
        self._make_room(at)
        note.voice = voice
        self.notes[id(voice)] = note
        self.voices.append(voice)

    def _make_room(self, at: int) -> None:
        """Fade out the voice that is missed least, if no more may sound."""
        sounding = self._sounding(at)
        if len(sounding) >= self.limit:
            victim = self._least_missed(sounding)
            victim.fade_out(max(0, at - victim.params.at))

    @property
    def allowed_steps(self) -> int:
        """Evaluations a block for a note that begins now."""
        return 1 if self.reduced else self.steps

    def shed_load(self, at: int, least: int) -> None:
        """From now on one step makes a block, and one voice less than sounds may sound, but no fewer than `least`."""
        self.reduced = True
        for voice in self.voices:
            voice.steps = 1
        sounding = len(self._sounding(at))
        if sounding > least:
            self.limit = sounding
            self._make_room(at)
            self.limit -= 1

    def restore_voice(self) -> None:
        """One voice more may sound again; when all may, new notes have all their steps."""
        self.limit = min(self.limit + 1, self.polyphony)
        self.reduced = self.limit < self.polyphony

    def _use(self, number: int, at: int) -> None:
        """The first note of a channel: who listens has not been told yet how the whole instrument is shaped."""
        channel = self.channels[number]
        if not channel.used:
            channel.used = True
            if self.bend:
                self._tell_bend(number, at)
            for name in self.expression:
                self._tell_expression(number, name, at)

    def full(self, at: int) -> bool:
        """Whether a note struck at `at` would, by what is known now, take the voice of another."""
        return len(self._sounding(at)) >= self.limit

    def _sounding(self, at: int) -> list[Voice]:
        return [voice for voice in self.voices if voice.sounds_at(at - voice.params.at)]

    @staticmethod
    def _least_missed(voices: list[Voice]) -> Voice:
        """Released before held, then the quietest (in steps of 3 dB), then the oldest."""
        return min(voices, key=lambda v: (not v.released, round(v.level_db / 3), v.params.at))

    def press(self, note: Note, timbre: Vector, at: int) -> None:
        """A key of a score or keyboard; striking it again releases what it sounded before."""
        keys = self.channels[note.channel].keys
        before = keys.get(round(note.pitch))
        if before is not None:
            self._tell_off(before, at)
            self._let_go(before, at)
        keys[round(note.pitch)] = note
        self.start_note(note, timbre, at)

    def lift(self, channel: int, pitch: int, at: int) -> None:
        """A key goes up."""
        note = self.channels[channel].keys.pop(pitch, None)
        if note is not None:
            self.release(note, at)

    def release(self, note: Handle, at: int) -> None:
        """A note is let go; the pedal may hold it."""
        self._tell_off(note, at)
        channel = self.channels[note.channel]
        kept = channel.sustain or note in channel.caught
        if kept and note.voice is not None and at >= note.voice.params.at:
            channel.held.append(note)
        else:
            self._let_go(note, at)

    def _tell_off(self, note: Handle, at: int) -> None:
        if isinstance(note, Note) and note.voice is not None and not note.voice.released:
            self.on_event(max(at, note.voice.params.at), NoteOff(note.channel, _midi(note)[0]))

    def _let_go(self, note: Handle, at: int) -> None:
        """Release; a note that would only begin after `at` never does."""
        if note.voice is None:
            note.ended = True
        elif at < note.voice.params.at:
            self._drop([note.voice])
        else:
            note.voice.release(at - note.voice.params.at)

    def sustain(self, number: int, down: bool, at: int) -> None:
        """The pedal of a channel goes down or up."""
        channel = self.channels[number]
        if down != channel.sustain:
            self.on_event(at, Sustain(number, down))
        channel.sustain = down
        if not down:
            self._let_go_of_held(channel, at)

    def sostenuto(self, number: int, down: bool, at: int) -> None:
        """The middle pedal of a channel: it keeps the notes whose keys are down when it goes down, and no others."""
        channel = self.channels[number]
        if down != channel.sostenuto:
            self.on_event(at, Sostenuto(number, down))
        if down and not channel.sostenuto:
            mine = [note for note in self.notes.values() if note.channel == number and note not in channel.held]
            channel.caught = [note for note in mine if note.voice is not None and not note.voice.released]
        elif not down:
            channel.caught = []
            self._let_go_of_held(channel, at)
        channel.sostenuto = down

    def _let_go_of_held(self, channel: Channel, at: int) -> None:
        """Release what no pedal keeps any more."""
        held, channel.held = channel.held, []
        for note in held:
            if channel.sustain or note in channel.caught:
                channel.held.append(note)
            else:
                self._let_go(note, at)

    def all_off(self, channels: Iterable[int], at: int) -> None:
        """Release everything on some channels, pedals up."""
        numbers = set(channels)
        for number in numbers:
            self.sostenuto(number, False, at)
            self.sustain(number, False, at)
            self.channels[number].keys.clear()
        for note in list(self.notes.values()):
            if note.channel in numbers:
                self._tell_off(note, at)
                self._let_go(note, at)

    def bend_note(self, note: Handle, semitones: float, seconds: float, at: int) -> None:
        """Bend one note, on top of its channel's bend."""
        note.bent = semitones
        self._move_pitch(note, seconds, at)

    def bend_channel(self, number: int, semitones: float, seconds: float, at: int) -> None:
        """Bend all notes of a channel, those to come included."""
        self.channels[number].bend = semitones
        self._tell_bend(number, at)
        for note in self._notes_of([number]):
            self._move_pitch(note, seconds, at)

    def bend_all(self, semitones: float, seconds: float, at: int) -> None:
        """Bend the whole instrument, on top of its channels."""
        self.bend = semitones
        for number in self._used():
            self._tell_bend(number, at)
        for note in self._notes_of(range(CHANNELS)):
            self._move_pitch(note, seconds, at)

    def _tell_bend(self, number: int, at: int) -> None:
        self.on_event(at, PitchBend(number, self.channels[number].bend + self.bend))

    def _used(self) -> list[int]:
        return [number for number, channel in enumerate(self.channels) if channel.used]

    def _notes_of(self, numbers: Container[int]) -> list[Handle]:
        return [note for note in self.notes.values() if note.channel in numbers]

    def express_note(self, note: Handle, name: str, value: float, seconds: float, at: int) -> None:
        """Shape one note (see `cmaudio.score.expression`), on top of its channel."""
        note.expression[name] = value
        self._move_expression(note, name, seconds, at)

    def press_harder(self, number: int, key: int, value: float, at: int) -> None:
        """Pressure on one key of a channel, if it is down."""
        note = self.channels[number].keys.get(key)
        if note is not None:
            self.on_event(at, KeyPressure(number, key, value))
            self.express_note(note, "pressure", value, EXPRESSION_SECONDS, at)

    def express_channel(self, number: int, name: str, value: float, at: int) -> None:
        """Shape all notes of a channel, those to come included."""
        self.channels[number].expression[name] = value
        self._tell_expression(number, name, at)
        for note in self._notes_of([number]):
            self._move_expression(note, name, EXPRESSION_SECONDS, at)

    def express_all(self, name: str, value: float, at: int) -> None:
        """Shape the whole instrument, on top of its channels."""
        self.expression[name] = value
        for number in self._used():
            self._tell_expression(number, name, at)
        for note in self._notes_of(range(CHANNELS)):
            self._move_expression(note, name, EXPRESSION_SECONDS, at)

    def _tell_expression(self, number: int, name: str, at: int) -> None:
        value = self._together(name, self.channels[number].expression)
        self.on_event(at, Expression(number, name, value))

    def _together(self, name: str, *asked: Mapping[str, float]) -> float:
        """What is asked for by the whole instrument and others, within the limits."""
        known = EXPRESSIONS[name]
        return min(known.max, max(known.min, sum(values.get(name, 0.0) for values in (self.expression, *asked))))

    def expression_of(self, note: Handle) -> dict[str, float]:
        """What note, channel and the whole instrument ask for together, by name."""
        channel = self.channels[note.channel].expression
        return {name: self._together(name, note.expression, channel) for name in EXPRESSIONS}

    def _move_expression(self, note: Handle, name: str, seconds: float, at: int) -> None:
        if note.voice is not None:
            value, over = self.expression_of(note)[name], seconds * self.sample_rate
            note.voice.express(name, max(0, at - note.voice.params.at), value, over)

    def _move_pitch(self, note: Handle, seconds: float, at: int) -> None:
        if note.voice is not None:
            pitch = note.pitch + note.bent + self.channels[note.channel].bend + self.bend
            note.voice.bend(max(0, at - note.voice.params.at), pitch, seconds * self.sample_rate)

    def morph(self, note: Handle, timbre: Vector, seconds: float, pitched: bool, at: int) -> None:
        """Move one note to another timbre."""
        if note.voice is not None:
            note.voice.morph(max(0, at - note.voice.params.at), timbre, seconds * self.sample_rate, pitched)

    def set_gain(self, number: int, gain: float, at: int) -> None:
        """Linear gain of a channel, smoothed."""
        self.on_event(at, ChannelGain(number, gain))
        self.channels[number].gain.move(at, gain, _GAIN_SECONDS * self.sample_rate)

    def clear(self, at: int) -> None:
        """Everything fades at once; channels are as new, but for their gain, which the fading voices still need."""
        for note in self.notes.values():
            self._tell_off(note, at)
        for number, channel in enumerate(self.channels):
            if channel.keys or channel.sustain or channel.bend:
                self.on_event(at, AllNotesOff(number))
                self.on_event(at, Sustain(number, False))
                self.on_event(at, PitchBend(number, self.bend))
            if channel.sostenuto:
                self.on_event(at, Sostenuto(number, False))
            for name, value in channel.expression.items():
                if value:
                    self.on_event(at, Expression(number, name, self._together(name)))
        self._drop([voice for voice in self.voices if voice.params.at > at])
        self.channels = [Channel(used=channel.used, gain=channel.gain) for channel in self.channels]
        for voice in self.voices:
            voice.settle()
            voice.fade_out(at - voice.params.at)

    def drop_finished(self) -> None:
        """Remove the voices that have ended."""
        self._drop([voice for voice in self.voices if voice.finished])

    def _drop(self, voices: list[Voice]) -> None:
        for voice in voices:
            note = self.notes.pop(id(voice))
            note.ended, note.voice = True, None
            channel = self.channels[note.channel]
            for kept in (channel.held, channel.caught):
                if note in kept:
                    kept.remove(note)
            self.voices.remove(voice)


def _midi(note: Note) -> tuple[int, int]:
    """Key and velocity of a note in whole numbers."""
    return round(note.pitch), round(note.velocity)
