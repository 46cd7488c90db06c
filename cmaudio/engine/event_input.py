"""Events in: notes, keys, pedals, bends and controllers, checked and sent to the allocator."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial

import numpy as np

from cmaudio.checks import CHANNELS, channel_number, in_range, whole_number
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.note import BEND_SECONDS, Note
from cmaudio.engine.schedule import Action
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.score import events
from cmaudio.score.expression import checked_expression
from cmaudio.score.pitch import note_number, pitch_number
from cmaudio.score.ranges import BEND_MAX_SEMITONES, SEED_LIMIT


class EventInput:
    """Accepts events for an engine, from any thread.

    Args:
        model: the model that plays.
        allocator: the voices that events act on.
        seed: derives the seeds of notes that are given none.
        bend_range: semitones at full pitch wheel.

    Attributes:
        faults: receives the errors of everything that must go on while the engine plays.
    """

    def __init__(self, model: Model, allocator: VoiceAllocator, seed: int, bend_range: float) -> None:
        self.model, self.allocator, self.faults = model, allocator, allocator.faults
        self.seed = whole_number("seed", seed, 0, SEED_LIMIT)
        self.bend_range = in_range("bend_range", bend_range, 0, BEND_MAX_SEMITONES, "semitones")
        self._note_count = itertools.count()

    def submit(self, at: int | None, action: Action) -> None:
        """Call `action(time)` once sample `at` (None: the next one) is within the horizon; from any thread."""
        self.allocator.submit(at, action)

    # -- notes and keys ----------------------------------------------------------------------------------------------

    def note_on(
        self,
        pitch: float | str,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Start a note.

        Args:
            pitch: MIDI note number 0..127 (69 = A4 = 440 Hz), fractions allowed, or a name such as "C4" (60).
            velocity: 1..127.
            timbre: name, mix `{name: weight}` or vector; None for the model's default.
            seed: the same seed gives the same samples, whatever else sounds.
            channel: 0..15, for pedal, bend and gain.
            at: sample of the engine's clock, None for as soon as possible.
        Raises:
            CmaudioError: a value out of range, or an unknown timbre (with the nearest names).
        """
        note = self._note(pitch, velocity, channel, seed)
        self.submit(at, partial(self.allocator.start_note, note, self.model.timbre_vector(timbre)))
        return note

    def press(
        self,
        pitch: int | str,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Press a key: like `note_on`, but `lift` ends the note; pressing a key that is down restarts it."""
        note = self._note(pitch, velocity, channel, seed)
        self.submit(at, partial(self.allocator.press, note, self.model.timbre_vector(timbre)))
        return note

    def lift(self, pitch: int | str, channel: int = 0, at: int | None = None) -> None:
        """Lift a key; pedals may hold its note."""
        key = whole_number("pitch", note_number(pitch) if isinstance(pitch, str) else pitch, 0, 127)
        self.submit(at, partial(self.allocator.lift, channel_number(channel), key))

    # -- channels ----------------------------------------------------------------------------------------------------

    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None:
        """Release every note (of a channel) and lift the pedals."""
        channels = range(CHANNELS) if channel is None else [channel_number(channel)]
        self.submit(at, partial(self.allocator.all_off, channels))

    def sustain(self, down: bool, channel: int = 0, at: int | None = None) -> None:
        """Sustain pedal: while it is down, released notes keep sounding."""
        self.submit(at, partial(self.allocator.sustain, channel_number(channel), bool(down)))

    def bend(
        self, semitones: float, channel: int | None = 0, at: int | None = None, seconds: float = BEND_SECONDS
    ) -> None:
        """Bend a channel, including later notes; with None, bend the whole instrument in addition.

        Sounding notes reach the bend within `seconds`.
        """
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        bend = in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones")
        if channel is None:
            self.submit(at, partial(self.allocator.bend_all, bend, over))
        else:
            self.submit(at, partial(self.allocator.bend_channel, channel_number(channel), bend, over))

    def express(self, name: str, value: float, channel: int | None = 0, at: int | None = None) -> None:
        """Shape a channel, including later notes, or with None the whole instrument; see `Note.express`."""
        checked = checked_expression(name, value)
        if channel is None:
            self.submit(at, partial(self.allocator.express_all, name, checked))
        else:
            self.submit(at, partial(self.allocator.express_channel, channel_number(channel), name, checked))

    def key_pressure(self, pitch: int, value: float, channel: int = 0, at: int | None = None) -> None:
        """Pressure 0..1 on a pressed key, added to its channel's; it ends with the note."""
        key, checked = whole_number("pitch", pitch, 0, 127), checked_expression("pressure", value)
        self.submit(at, partial(self.allocator.key_pressure, channel_number(channel), key, checked))

    def sostenuto(self, down: bool, channel: int = 0, at: int | None = None) -> None:
        """Sostenuto pedal: notes whose keys are down when it is pressed keep sounding until it is lifted."""
        self.submit(at, partial(self.allocator.sostenuto, channel_number(channel), bool(down)))

    def pitch_wheel(self, position: float, channel: int = 0, at: int | None = None) -> None:
        """Pitch wheel from -1 to 1, times `bend_range`."""
        self.bend(in_range("position", position, -1, 1, "of the wheel") * self.bend_range, channel, at)

    def channel_gain(self, gain: float, channel: int = 0, at: int | None = None) -> None:
        """Linear gain 0..4 of a channel (volume and expression)."""
        number, value = channel_number(channel), in_range("gain", gain, 0, 4, "linear")
        self.submit(at, partial(self.allocator.set_gain, number, value))

    # -- scores ------------------------------------------------------------------------------------------------------

    def play(self, score: events.Score, timbres: Mapping[int, Timbre], at: int = 0) -> None:
        """Schedule a score to start at sample `at`. Notes of programs that are not in `timbres` are left out."""
        vectors = {program: self.model.timbre_vector(timbre) for program, timbre in timbres.items()}
        for seconds, event in score.events:
            time = at + round(seconds * self.allocator.sample_rate)
            match event:
                case events.NoteOn(channel, pitch, velocity, program):
                    if program in vectors:
                        note, vector = self._new_note(pitch, velocity, channel, None), vectors[program]
                        self.submit(time, partial(self.allocator.press, note, vector))
                case events.NoteOff(channel, pitch):
                    self.submit(time, partial(self.allocator.lift, channel, pitch))
                case events.Sustain(channel, down):
                    self.sustain(down, channel, time)
                case events.Sostenuto(channel, down):
                    self.sostenuto(down, channel, time)
                case events.KeyPressure(channel, pitch, value):
                    self.key_pressure(pitch, value, channel, time)
                case events.PitchBend(channel, semitones):
                    self.bend(max(-BEND_MAX_SEMITONES, min(BEND_MAX_SEMITONES, semitones)), channel, time)
                case events.ChannelGain(channel, gain):
                    self.channel_gain(min(gain, 4.0), channel, time)
                case events.Expression(channel, name, value):
                    self.express(name, value, channel, time)
                case events.AllNotesOff(channel):
                    self.all_notes_off(channel, time)

    # -- handles -----------------------------------------------------------------------------------------------------

    def silent_note(self, pitch: float | str, velocity: float = 96, channel: int = 0) -> Note:
        """A handle that has already ended, for keys that something else plays. Raises CmaudioError like `note_on`."""
        note = self._note(pitch, velocity, channel, 0)
        note.ended = True
        return note

    def _note(self, pitch: float | str, velocity: float, channel: int, seed: int | None) -> Note:
        if self.model.manifest.speech:
            raise CmaudioError(f"model {self.model.manifest.name!r} is a text-to-speech voice without notes: use `say`")
        return self._new_note(pitch, velocity, channel, seed)

    def _new_note(self, pitch: float | str, velocity: float, channel: int, seed: int | None) -> Note:
        return Note(
            pitch=pitch_number(pitch),
            velocity=in_range("velocity", velocity, 1, 127, "MIDI velocity"),
            channel=channel_number(channel),
            seed=self._seed(seed),
            allocator=self.allocator,
            model=self.model,
        )

    def _seed(self, given: int | None) -> int:
        """The given seed, or else the next one derived from the engine's."""
        if given is not None:
            return whole_number("seed", given, 0, SEED_LIMIT)
        return int(np.random.SeedSequence((self.seed, next(self._note_count))).generate_state(1, np.uint64)[0] >> 1)
