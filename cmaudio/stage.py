"""The voices that sound, the channels, and what events do to them.

Every method that takes `at` is called at its event's turn, with the event's sample of the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import CHANNELS
from cmaudio.controls import Trajectory
from cmaudio.events import AllNotesOff, ChannelGain, Event, NoteOff, NoteOn, PitchBend, Sustain
from cmaudio.note import BEND_SECONDS, Note
from cmaudio.voice import Strike, Voice

Vector = NDArray[np.float64]
_GAIN_SECONDS = 0.01


class Handle(Protocol):
    """What whoever plays holds of a voice: a note, or a text that is being said. `voice` is None while none sounds."""

    pitch: float
    channel: int
    bent: float
    ended: bool
    voice: Any


@dataclass
class Channel:
    """What the notes of a MIDI channel share."""

    bend: float = 0.0
    sustain: bool = False
    gain: Trajectory = field(default_factory=lambda: Trajectory(1.0))
    keys: dict[int, Note] = field(default_factory=dict)  # keys of a score or keyboard that are down
    held: list[Handle] = field(default_factory=list)  # notes that only the pedal keeps


class Stage:
    """At most `polyphony` voices; `make_voice` builds one from how it is struck, its timbre and its bend."""

    def __init__(
        self,
        make_voice: Callable[[Strike, Vector, float], Voice],
        program_of: Callable[[Vector], int],
        polyphony: int,
        steps: int,
        sample_rate: int,
    ) -> None:
        self.polyphony, self.steps, self.sample_rate = polyphony, steps, sample_rate
        self._make_voice, self._program_of = make_voice, program_of
        self.on_event: Callable[[int, Event], object] = lambda at, event: (
            None
        )  # is told what happens, and at which sample
        self.voices: list[Voice] = []
        self.notes: dict[int, Handle] = {}  # by the identity of the voice
        self.channels = [Channel() for _ in range(CHANNELS)]

    def new_voice(self, note: Note, timbre: Vector, at: int) -> Voice:
        """A voice for a note, not yet on the stage."""
        strike = Strike(note.pitch, note.velocity, note.channel, note.seed, at, self.steps)
        return self._make_voice(strike, timbre, self.channels[note.channel].bend)

    def strike(self, note: Note, timbre: Vector, at: int) -> None:
        """A note begins; when all voices are taken, the one that is missed least makes room."""
        if not note.ended:  # let go before it began
            self.enter(note, self.new_voice(note, timbre, at), at)
            key, velocity = _midi(note)
            self.on_event(at, NoteOn(note.channel, key, velocity, self._program_of(timbre)))

    def enter(self, note: Handle, voice: Voice, at: int) -> None:
        """A voice begins to sound for whoever holds its handle."""
        sounding = self._sounding(at)
        if len(sounding) >= self.polyphony:
            victim = self._least_missed(sounding)
            victim.fade_out(max(0, at - victim.strike.at))
        note.voice = voice
        self.notes[id(voice)] = note
        self.voices.append(voice)

    def full(self, at: int) -> bool:
        """Whether a note struck at `at` would, by what is known now, take the voice of another."""
        return len(self._sounding(at)) >= self.polyphony

    def _sounding(self, at: int) -> list[Voice]:
        return [voice for voice in self.voices if voice.sounds_at(at - voice.strike.at)]

    @staticmethod
    def _least_missed(voices: list[Voice]) -> Voice:
        """Released before held, then the quietest (in steps of 3 dB), then the oldest."""
        return min(voices, key=lambda v: (not v.released, round(v.level_db / 3), v.strike.at))

    def press(self, note: Note, timbre: Vector, at: int) -> None:
        """A key of a score or keyboard; striking it again releases what it sounded before."""
        keys = self.channels[note.channel].keys
        before = keys.get(round(note.pitch))
        if before is not None:
            self._tell_off(before, at)
            self._let_go(before, at)
        keys[round(note.pitch)] = note
        self.strike(note, timbre, at)

    def lift(self, channel: int, pitch: int, at: int) -> None:
        """A key goes up."""
        note = self.channels[channel].keys.pop(pitch, None)
        if note is not None:
            self.release(note, at)

    def release(self, note: Handle, at: int) -> None:
        """A note is let go; the pedal may hold it."""
        self._tell_off(note, at)
        channel = self.channels[note.channel]
        if channel.sustain and note.voice is not None and at >= note.voice.strike.at:
            channel.held.append(note)
        else:
            self._let_go(note, at)

    def _tell_off(self, note: Handle, at: int) -> None:
        if isinstance(note, Note) and note.voice is not None and not note.voice.released:
            self.on_event(max(at, note.voice.strike.at), NoteOff(note.channel, _midi(note)[0]))

    def _let_go(self, note: Handle, at: int) -> None:
        """Release; a note that would only begin after `at` never does."""
        if note.voice is None:
            note.ended = True
        elif at < note.voice.strike.at:
            self._drop([note.voice])
        else:
            note.voice.release(at - note.voice.strike.at)

    def sustain(self, number: int, down: bool, at: int) -> None:
        """The pedal of a channel goes down or up."""
        channel = self.channels[number]
        if down != channel.sustain:
            self.on_event(at, Sustain(number, down))
        channel.sustain = down
        if not down:
            for note in channel.held:
                self._let_go(note, at)
            channel.held.clear()

    def all_off(self, channels: Iterable[int], at: int) -> None:
        """Release everything on some channels, pedals up."""
        numbers = set(channels)
        for number in numbers:
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

    def bend_channel(self, number: int, semitones: float, at: int) -> None:
        """Bend all notes of a channel, those to come included."""
        self.channels[number].bend = semitones
        self.on_event(at, PitchBend(number, semitones))
        for note in list(self.notes.values()):
            if note.channel == number:
                self._move_pitch(note, BEND_SECONDS, at)

    def _move_pitch(self, note: Handle, seconds: float, at: int) -> None:
        if note.voice is not None:
            pitch = note.pitch + note.bent + self.channels[note.channel].bend
            note.voice.bend(max(0, at - note.voice.strike.at), pitch, seconds * self.sample_rate)

    def morph(self, note: Handle, timbre: Vector, seconds: float, pitched: bool, at: int) -> None:
        """Move one note to another timbre."""
        if note.voice is not None:
            note.voice.morph(max(0, at - note.voice.strike.at), timbre, seconds * self.sample_rate, pitched)

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
                self.on_event(at, PitchBend(number, 0.0))
        self._drop([voice for voice in self.voices if voice.strike.at > at])
        self.channels = [Channel(gain=channel.gain) for channel in self.channels]
        for voice in self.voices:
            voice.settle()
            voice.fade_out(at - voice.strike.at)

    def drop_finished(self) -> None:
        """Take voices that have ended off the stage."""
        self._drop([voice for voice in self.voices if voice.finished])

    def _drop(self, voices: list[Voice]) -> None:
        for voice in voices:
            note = self.notes.pop(id(voice))
            note.ended, note.voice = True, None
            held = self.channels[note.channel].held
            if note in held:
                held.remove(note)
            self.voices.remove(voice)


def _midi(note: Note) -> tuple[int, int]:
    """Key and velocity of a note in whole numbers."""
    return round(note.pitch), round(note.velocity)
