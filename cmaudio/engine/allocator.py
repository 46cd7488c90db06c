"""Voice allocation: which voices sound, which are stolen, and how keys and pedals act on them.

Every method that takes `at` is called when its event is due, with the event's sample on the engine's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cmaudio.callbacks import ANY_ERROR
from cmaudio.checks import whole_number
from cmaudio.engine.channel import Channel
from cmaudio.engine.handle import Handle
from cmaudio.engine.listeners import ORIGIN
from cmaudio.engine.note import Note
from cmaudio.engine.schedule import Action, Schedule
from cmaudio.engine.stealing import Stealing
from cmaudio.engine.steering import Steering
from cmaudio.engine.voice_kinds import voice_of
from cmaudio.model.file import Model
from cmaudio.modulation.timeline import ModulationTimeline
from cmaudio.score.events import AllNotesOff, Expression, NoteOff, NoteOn, PitchBend, Sostenuto, Sustain
from cmaudio.score.expression import EXPRESSIONS, MIX
from cmaudio.score.places import place_of
from cmaudio.synthesis.modulated import Plane, modulate
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import NoteParams, VoiceSettings
from cmaudio.synthesis.voice import Voice

Vector = NDArray[np.float64]


class VoiceAllocator(Steering):
    """At most `polyphony` voices, and the schedule of their events.

    Args:
        model: maps timbre vectors to General MIDI programs, and knows which timbres are pitched.
        settings: shared by all voices.
        polyphony: voices that may sound at once.
        steps: network evaluations per block, for new notes.
    """

    def __init__(self, model: Model, settings: VoiceSettings, polyphony: int, steps: int) -> None:
        super().__init__(settings.sample_rate, settings.channels)
        self.model, self.settings = model, settings
        self.polyphony, self.steps = polyphony, steps
        self.limit = polyphony  # current voice limit, below the polyphony while the machine is overloaded
        self.reduced = False  # overloaded recently: blocks are made in one step
        self.schedule = Schedule()
        self.voices: list[Voice] = []
        self.timeline = ModulationTimeline(settings.sample_rate)
        self.plane: Plane | None = None  # the timbre map, for routes that move on it
        self.stealing = Stealing(settings.sample_rate)
        self._candidates: list[Voice] = []  # the voices that may sound at `_judged_at` or later
        self._judged_at = 0

    def submit(self, at: int | None, action: Action) -> None:
        """Call `action(time)` once sample `at` (None: the next one) is within the horizon; from any thread."""
        origin = ORIGIN.get()
        action = partial(self.listeners.act, origin, action) if origin else action
        self.schedule.submit(None if at is None else whole_number("at", at, 0, 2**62), action)

    def params_of(self, handle: Handle, pitch: float, velocity: float, at: int) -> NoteParams:
        """The start parameters of a voice of this handle at `at`."""
        steps, pair = 1 if self.reduced else self.steps, self.channels[handle.channel].pair
        return NoteParams(pitch, velocity, handle.channel, handle.seed, at, steps, pair)

    def route(self, number: int, pair: int | None, at: int) -> None:
        """Play later notes of a channel on its own output pair; None: in the main mix."""
        self.channels[number].pair = pair

    # -- notes begin -------------------------------------------------------------------------------------------------

    def new_voice(self, note: Note, timbre: Vector, at: int) -> NoteVoice:
        """Create the voice of a note without starting it."""
        params = self.params_of(note, note.pitch, note.velocity, at)
        bend = note.bent + self.channels[note.channel].bend + self.bend
        expression = self.expression_of(note)
        voice = voice_of(self.model, params, timbre, self.settings, bend, expression)
        if self.settings.channels > 1:
            nearest = self.model.nearest_timbre(timbre)
            voice.gains.place = place_of(note.pitch, nearest.program, nearest.key)
        return voice

    def start_note(self, note: Note, timbre: Vector, at: int) -> None:
        """Start a note; when all voices are in use, the least audible one is stolen."""
        if not note.ended:  # it may have been released before its start
            self.enter(note, self.new_voice(note, timbre, at), at)
            program = self.model.nearest_program(timbre)
            self.listeners.notify(at, NoteOn(note.channel, note.key, round(note.velocity), program))

    def enter(self, handle: Handle, voice: Voice, at: int) -> None:
        """Add a voice that starts."""
        self._use(handle.channel, at)
        self._make_room(at)
        if self.timeline.now.routes:
            modulate(voice, self.timeline, self.plane)
        handle.voice = voice
        self.notes[id(voice)] = handle
        self.voices.append(voice)
        self._candidates.append(voice)

    def _make_room(self, at: int) -> None:
        """Steal the least audible voice if the limit is reached; a voice that has not started yet never sounds."""
        sounding = self._sounding(at)
        if len(sounding) >= self.limit:
            victim = self._least_audible(sounding)
            if not victim.released:
                self.stealing.add(at)
            if victim.params.at >= at:
                self._drop([victim])
            else:
                victim.fade_out(at - victim.params.at)

    def shed_load(self, at: int, least: int) -> None:
        """Make blocks in one step from now on, and allow one voice fewer than now sound, but at least `least`."""
        self.reduced = True
        for voice in self.voices:
            voice.steps = 1
        sounding = len(self._sounding(at))
        if sounding > least:
            self.limit = sounding
            self._make_room(at)
            self.limit -= 1

    def restore_voice(self) -> None:
        """Raise the limit by one voice; at full polyphony, new notes get all their steps again."""
        self.limit = min(self.limit + 1, self.polyphony)
        self.reduced = self.limit < self.polyphony

    def full(self, at: int) -> bool:
        """Whether a note at `at` would steal a voice, as far as is known now."""
        return len(self._sounding(at)) >= self.limit

    def _sounding(self, at: int) -> list[Voice]:
        """The voices that sound at `at`. A voice that has ended stays silent, so only candidates are checked again."""
        if at < self._judged_at:
            self._candidates = self.voices
        self._judged_at = at
        self._candidates = [voice for voice in self._candidates if voice.sounds_at(at - voice.params.at)]
        return self._candidates

    @staticmethod
    def _least_audible(voices: list[Voice]) -> Voice:
        """Order of stealing: released before held, then the quietest (in steps of 3 dB), then the oldest."""
        return min(voices, key=lambda v: (not v.released, round(v.level_db / 3), v.params.at))

    def press(self, note: Note, timbre: Vector, at: int) -> None:
        """Press a key of a score or keyboard; pressing it again releases its earlier note."""
        keys = self.channels[note.channel].keys
        before = keys.get(round(note.pitch))
        if before is not None:
            self._report_note_off(before, at)
            self._release_voice(before, at)
        keys[round(note.pitch)] = note
        self.start_note(note, timbre, at)

    def lift(self, channel: int, pitch: int, at: int) -> None:
        """Lift a key."""
        note = self.channels[channel].keys.pop(pitch, None)
        if note is not None:
            self.release(note, at)

    def release(self, note: Handle, at: int) -> None:
        """Release a key; a pedal may hold its note."""
        self._report_note_off(note, at)
        channel = self.channels[note.channel]
        if channel.holds(note) and note.voice is not None and at >= note.voice.params.at:
            channel.held.append(note)
        else:
            self._release_voice(note, at)

    def cut(self, note: Handle, seconds: float, at: int) -> None:
        """Release a note and fade it out within `seconds`, even if a pedal holds it."""
        self.release(note, at)
        if note.voice is not None:
            note.voice.fade_out(at - note.voice.params.at, max(1.0, seconds * self.sample_rate))

    def _report_note_off(self, handle: Handle, at: int) -> None:
        if handle.key is not None and handle.voice is not None and not handle.voice.released:
            self.listeners.notify(max(at, handle.voice.params.at), NoteOff(handle.channel, handle.key))

    def _release_voice(self, note: Handle, at: int) -> None:
        """Release a voice; a note that would start after `at` is cancelled."""
        if note.voice is None:
            note.ended = True
        elif at < note.voice.params.at:
            self._drop([note.voice])
        else:
            self._guarded(note.voice, note.voice.release, at - note.voice.params.at)

    def sustain(self, number: int, down: bool, at: int) -> None:
        """Press or lift the sustain pedal of a channel."""
        channel = self.channels[number]
        if down != channel.sustain:
            self.listeners.notify(at, Sustain(number, down))
        channel.sustain = down
        if not down:
            self._release_held(channel, at)

    def sostenuto(self, number: int, down: bool, at: int) -> None:
        """Press or lift the sostenuto pedal of a channel: it holds only notes whose keys are already down."""
        channel = self.channels[number]
        if down != channel.sostenuto:
            self.listeners.notify(at, Sostenuto(number, down))
        if down and not channel.sostenuto:
            mine = [note for note in self.notes.values() if note.channel == number and note not in channel.held]
            channel.caught = [note for note in mine if note.voice is not None and not note.voice.released]
        elif not down:
            channel.caught = []
            self._release_held(channel, at)
        channel.sostenuto = down

    def _release_held(self, channel: Channel, at: int) -> None:
        """Release notes that no pedal holds any longer."""
        held, channel.held = channel.held, []
        for note in held:
            if channel.holds(note):
                channel.held.append(note)
            else:
                self._release_voice(note, at)

    def all_off(self, channels: Iterable[int], at: int) -> None:
        """Release all notes on some channels, and lift their pedals."""
        numbers = set(channels)
        for number in numbers:
            self.sostenuto(number, False, at)
            self.sustain(number, False, at)
            self.channels[number].keys.clear()
        for note in list(self.notes.values()):
            if note.channel in numbers:
                self._report_note_off(note, at)
                self._release_voice(note, at)

    def clear(self, at: int) -> None:
        """Fade out all voices and reset the channels, except gain and position, which fading voices still need."""
        for note in self.notes.values():
            self._report_note_off(note, at)
        for number, channel in enumerate(self.channels):
            if channel.keys or channel.sustain or channel.bend:
                self.listeners.notify(at, AllNotesOff(number))
                self.listeners.notify(at, Sustain(number, False))
                self.listeners.notify(at, PitchBend(number, self.bend))
            if channel.sostenuto:
                self.listeners.notify(at, Sostenuto(number, False))
            for name, value in channel.expression.items():
                if value != EXPRESSIONS[name].rest and name not in MIX:
                    self.listeners.notify(at, Expression(number, name, self._combined(name)))
        self._drop([voice for voice in self.voices if voice.params.at > at])
        for channel in self.channels:
            channel.reset()
        for voice in tuple(self.voices):
            self._guarded(voice, voice.settle)
            voice.fade_out(at - voice.params.at)

    # -- voices end --------------------------------------------------------------------------------------------------

    def _guarded(self, voice: Voice, act: Callable[..., object], *arguments: float) -> None:
        """Let a voice do something; it is dropped if it fails, so that others of the same event follow."""
        try:
            act(*arguments)
        except ANY_ERROR as error:
            self.drop_faulty([voice], error)

    def drop_faulty(self, voices: Iterable[Voice], error: BaseException) -> None:
        """Drop voices that cannot be computed, and report that; raises `error` if nobody listens for faults."""
        self.faults.handle(error, "notes were dropped, and the sound goes on")
        for voice in voices:
            if (handle := self.notes.get(id(voice))) is not None:
                self._report_note_off(handle, self.schedule.now)
                handle.fail(error)
                self._drop([voice])

    def abandon_all(self, at: int) -> None:
        """Drop all voices without asking anything of them, and forget keys and pedals."""
        for handle in self.notes.values():
            self._report_note_off(handle, at)
            handle.ended, handle.voice = True, None
        self.notes, self.voices, self._candidates = {}, [], []
        for channel in self.channels:
            channel.reset()

    def drop_finished(self) -> None:
        """Remove the voices that have ended."""
        self._drop([voice for voice in self.voices if voice.finished])

    def _drop(self, voices: list[Voice]) -> None:
        for voice in voices:
            note = self.notes.pop(id(voice))
            note.ended, note.voice = True, None
            self.channels[note.channel].forget(note)
            self.voices.remove(voice)
            if voice in self._candidates:
                self._candidates.remove(voice)
