"""The engine: events in, samples out. It needs no device and no thread; it is asked for n samples at a time.

Time is counted in samples of the engine's clock. Every event takes effect at its own sample, and what is scheduled is
known to the networks as far ahead as they plan, so how the output is cut into reads changes nothing.
Methods that send events may be called from any thread; `read` belongs to one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cmaudio.checks import CHANNELS, channel_number, in_range, whole_number
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.note import BEND_SECONDS, Note
from cmaudio.engine.schedule import Action, Schedule
from cmaudio.engine.speech import Speech
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.model.timbres import Timbre
from cmaudio.score import events
from cmaudio.score.expression import checked_expression
from cmaudio.score.ranges import BEND_MAX_SEMITONES, GAIN_RANGE_DB, SEED_LIMIT
from cmaudio.signal.dsp import Float
from cmaudio.signal.limiter import QUANTUM_SAMPLES, Limiter
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import Phoneme, Phrase, Word, pause
from cmaudio.speech.prosody import Prosody, Segment
from cmaudio.speech.style import SpeakingStyle
from cmaudio.speech.utterance import Utterance
from cmaudio.synthesis.batching import batch_for_read, batch_offline, batch_to_begin, batch_to_spare
from cmaudio.synthesis.deferred import Deferred
from cmaudio.synthesis.networks import STEPS, Synthesizer
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import NoteParams, Voice

VOICE_GAIN = 0.4  # a chord of four at velocity 90 peaks near -12 dB, sixteen loud voices just reach the limiter
_GAIN_SLEW_SECONDS = 0.01
_NEVER_SHED_VOICES = 4  # any machine that plays at all can make so many
_RESTORE_SECONDS = 4.0  # from one change of the limit until one more voice may sound


@dataclass(frozen=True)
class EngineState:
    """What a meter shows. `peak_db` is the loudest sample since the state was last asked for.

    `voices` sound; `limit` may at once: the polyphony, or fewer while the machine does not keep up with so many.
    """

    seconds: float
    voices: int
    limit: int
    peak_db: float
    reduction_db: float


class Engine:
    """Polyphonic synthesis with one model.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        polyphony: notes that may sound at once; one more takes over the voice that is missed least.
        seed: from it every note that has no seed of its own gets one.
        steps: evaluations of the network a block for new notes, 1 or 2 ("fine").
        gain_db: master gain before the limiter.
        bend_range: semitones at full pitch wheel.
        batch_ahead_samples: how much sooner than needed a voice's block may be made so as to share an evaluation with
            others. It lowers the cost, and delays what live events do to a note by at most as much.
        look_ahead_samples: how much sooner than needed events are taken and blocks made, so that notes of different
            times share evaluations. It changes no sample of what is scheduled beforehand, but later events come as
            much late: for offline work.
        threads: 1, or 2 to make many voices in two halves side by side.
        pipelined: the second thread vocodes instead, while the first makes the next blocks (for offline work).
    """

    def __init__(
        self,
        model: Model | str = "instrument",
        *,
        polyphony: int = 16,
        seed: int = 0,
        steps: int = 1,
        gain_db: float = 0.0,
        bend_range: float = 2.0,
        batch_ahead_samples: int = 0,
        look_ahead_samples: int = 0,
        threads: int = 1,
        pipelined: bool = False,
    ) -> None:
        self.model = model if isinstance(model, Model) else load_model(model)
        self.seed = whole_number("seed", seed, 0, SEED_LIMIT)
        if steps not in STEPS:
            raise CmaudioError(f"steps must be 1 (one step) or 2 (fine), not {steps!r}")
        self.bend_range = in_range("bend_range", bend_range, 0, BEND_MAX_SEMITONES, "semitones")
        self._renderer = Renderer(Synthesizer(self.model), threads, pipelined)
        self.sample_rate = self.model.manifest.sample_rate
        block = self._renderer.block_samples
        self._batch_ahead = whole_number("batch_ahead_samples", batch_ahead_samples, 0, block)
        self._look_ahead = whole_number("look_ahead_samples", look_ahead_samples, 0, 2**31)
        # Events are taken as soon as a block could know of them, whatever the batching: it changes nothing.
        self._horizon = 2 * block + self.model.stft.overlap
        self._limiter = Limiter(self.sample_rate)
        self._gain = Trajectory(10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20))
        voices = whole_number("polyphony", polyphony, 1, 256)
        self.allocator = VoiceAllocator(self._make_voice, self.model.nearest_program, voices, steps, self.sample_rate)
        self._schedule = Schedule()
        self._note_count = itertools.count()
        self._spare = np.zeros(0, np.float32)
        self._peak = 0.0
        self._begun: list[Deferred] = []  # second halves of blocks that were begun in time to spare
        self._reduced_at = -(2**62)  # when load was last shed, or a voice restored
        self._known = 0  # events before this sample have been taken
        self.now = 0

    # -- events ------------------------------------------------------------------------------------------------------

    @property
    def synthesizer(self) -> Synthesizer:
        """The loaded networks."""
        return self._renderer.synthesizer

    @cached_property
    def _prosody(self) -> Prosody:
        """Loaded by the first text."""
        return Prosody(self.model)

    @property
    def latency_samples(self) -> int:
        """Samples by which `read` is behind the clock of events: the limiter's look-ahead."""
        return self._limiter.latency_samples

    @property
    def horizon_samples(self) -> int:
        """Samples before its time at which an event is taken, so that the networks plan with it."""
        return self._horizon

    def note_on(
        self,
        pitch: float,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """Start a note.

        Args:
            pitch: MIDI note number 0..127 (69 = A4 = 440 Hz), fractions allowed.
            velocity: 1..127. timbre: name, mix `{name: weight}` or vector; None for the model's default.
            seed: same seed, same samples, whatever else sounds. channel: 0..15, for pedal, bend and gain.
            at: sample of the engine's clock, None for as soon as possible.
        Raises:
            CmaudioError: a value out of range, or an unknown timbre (with the nearest names).
        """
        note = self._note(pitch, velocity, channel, seed)
        self.submit(at, partial(self.allocator.start_note, note, self.model.timbre_vector(timbre)))
        return note

    def press(
        self,
        pitch: int,
        velocity: float = 96,
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        at: int | None = None,
    ) -> Note:
        """A key goes down: as `note_on`, but `lift` finds the note again, and a key that is down is struck anew."""
        note = self._note(pitch, velocity, channel, seed)
        self.submit(at, partial(self.allocator.press, note, self.model.timbre_vector(timbre)))
        return note

    def lift(self, pitch: int, channel: int = 0, at: int | None = None) -> None:
        """A key goes up; pedals may hold its note."""
        key = whole_number("pitch", pitch, 0, 127)
        self.submit(at, partial(self.allocator.lift, channel_number(channel), key))

    def say(
        self,
        text: str | Iterable[str],
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        phonemes: bool = False,
        background: bool = False,
        on_segment: Callable[[], object] = lambda: None,
        at: int | None = None,
        **style: Unpack[SpeakingStyle],
    ) -> Speech:
        """Say a text, with a model that reads.

        Args:
            text: whole, or in pieces that may still be on their way (words with the spaces between them).
            phonemes: the text is IPA in the model's symbols ("həlˈoʊ wˈɚld.") instead of writing.
            timbre, seed, channel, at: as for `note_on`. rate, pitch, pitch_range, energy: see `SpeakingStyle`.
            background: return at once and read the text on a thread of its own; else all of it is read first.
            on_segment: is called when there is more to say, to wake whoever asks for samples.
        Raises:
            CmaudioError: a model that plays notes, a language whose data is missing, a value out of range, and without
                `background` also phonemes that the model does not have.
        """
        prosody = self._prosody.for_new_text()
        speech = Speech(channel_number(channel), self._seed(seed), self, self.model.timbre_vector(timbre), at)
        speech.steer(**style)
        speech.read(text, prosody, phonemes, background, on_segment)
        return speech

    def make_utterance(self, speech: Speech, first: Segment, at: int) -> Utterance:
        """Make the voice of a text without starting it."""
        params = NoteParams(0.0, 96.0, speech.channel, speech.seed, at, self.allocator.allowed_steps)
        expression = self.allocator.expression_of(speech)
        return Utterance(params, speech.timbre, first, speech.marks, expression=expression, **self._voice_settings())

    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None:
        """Release every note (of a channel) and lift the pedal."""
        channels = range(CHANNELS) if channel is None else [channel_number(channel)]
        self.submit(at, partial(self.allocator.all_off, channels))

    def sustain(self, down: bool, channel: int = 0, at: int | None = None) -> None:
        """Sustain pedal: while it is down, notes that are let go sound on."""
        self.submit(at, partial(self.allocator.sustain, channel_number(channel), bool(down)))

    def bend(
        self, semitones: float, channel: int | None = 0, at: int | None = None, seconds: float = BEND_SECONDS
    ) -> None:
        """Bend every note of a channel, those to come included, or the whole instrument (None), on top of that.

        What sounds gets there within `seconds`.
        """
        over = in_range("seconds", seconds, 0, 3600, "seconds")
        bend = in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones")
        if channel is None:
            self.submit(at, partial(self.allocator.bend_all, bend, over))
        else:
            self.submit(at, partial(self.allocator.bend_channel, channel_number(channel), bend, over))

    def express(self, name: str, value: float, channel: int | None = 0, at: int | None = None) -> None:
        """Shape every note of a channel, those to come included, or the whole instrument (None): see `Note.express`."""
        checked = checked_expression(name, value)
        if channel is None:
            self.submit(at, partial(self.allocator.express_all, name, checked))
        else:
            self.submit(at, partial(self.allocator.express_channel, channel_number(channel), name, checked))

    def key_pressure(self, pitch: int, value: float, channel: int = 0, at: int | None = None) -> None:
        """Pressure 0..1 on a key that is down, on top of its channel's; it ends with the note."""
        key, checked = whole_number("pitch", pitch, 0, 127), checked_expression("pressure", value)
        self.submit(at, partial(self.allocator.press_harder, channel_number(channel), key, checked))

    def sostenuto(self, down: bool, channel: int = 0, at: int | None = None) -> None:
        """Sostenuto pedal: notes whose keys are down when it goes down sound on until it goes up."""
        self.submit(at, partial(self.allocator.sostenuto, channel_number(channel), bool(down)))

    def pitch_wheel(self, position: float, channel: int = 0, at: int | None = None) -> None:
        """Pitch wheel from -1 to 1, times `bend_range`."""
        self.bend(in_range("position", position, -1, 1, "of the wheel") * self.bend_range, channel, at)

    def channel_gain(self, gain: float, channel: int = 0, at: int | None = None) -> None:
        """Linear gain 0..4 of a channel (volume and expression)."""
        number, value = channel_number(channel), in_range("gain", gain, 0, 4, "linear")
        self.submit(at, partial(self.allocator.set_gain, number, value))

    def master_gain(self, gain_db: float, at: int | None = None) -> None:
        """Gain of everything, before the limiter."""
        value = 10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20)
        self.submit(at, lambda time: self._gain.move(time, value, _GAIN_SLEW_SECONDS * self.sample_rate))

    def panic(self) -> None:
        """Silence within 5 ms; what was scheduled is dropped, pedals and bends are reset."""
        self.submit(None, self._panic)

    def _panic(self, at: int) -> None:
        self._schedule.drop_earlier()
        self.allocator.clear(at)

    def play(self, score: events.Score, timbres: Mapping[int, Timbre], at: int = 0) -> None:
        """Schedule a score from sample `at` on. Notes of programs that are not in `timbres` are left out."""
        vectors = {program: self.model.timbre_vector(timbre) for program, timbre in timbres.items()}
        for seconds, event in score.events:
            time = at + round(seconds * self.sample_rate)
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

    # -- samples -----------------------------------------------------------------------------------------------------

    def read(self, samples: int) -> Float:
        """The next (N,) samples, float32 within [-1, 1]."""
        missing = samples - len(self._spare)
        self._allow_more()
        if missing > 0:
            count = -(-missing // QUANTUM_SAMPLES) * QUANTUM_SAMPLES
            self._spare = np.concatenate([self._spare, self._limiter.process(self._mix(count))])
        out, self._spare = self._spare[:samples], self._spare[samples:]
        if samples:
            self._peak = max(self._peak, float(np.abs(out).max()))
        return out

    def prepare(self) -> bool:
        """Do a bit of what the next reads would have to do; returns whether there was any.

        For the thread that reads, when it has time to spare: the reads need not do it all at once, and a note that
        begins meanwhile waits for half a block of a few voices only. Notes that are about to begin come first. It
        changes no sample of what is scheduled.
        """
        self._take_events()
        voices = self.allocator.voices
        if fresh := batch_to_begin(voices, self.now + self._renderer.block_samples):
            self._renderer.render(fresh)
        elif self._begun:
            self._begun.pop(0).result()
        elif soon := batch_to_spare(voices, self.now + self._batch_ahead):
            self._begun = self._renderer.begin(soon)
        else:
            return False
        return True

    def on_overload(self) -> None:
        """For a while make all blocks in one step; let go of the voice that is missed least, where many sound.

        For the thread that reads, when it falls behind: less is to be made, and the rest plays on. Few voices are left
        alone: whatever else the machine does is to blame then.
        """
        if self.now >= self._reduced_at + self._renderer.block_samples // 4:
            self._reduced_at = self.now
            self.allocator.shed_load(self.now, _NEVER_SHED_VOICES)

    def _allow_more(self) -> None:
        """One voice more again, a while after the last was let go to keep up, until there may be as many as asked."""
        if self.allocator.reduced and self.now >= self._reduced_at + _RESTORE_SECONDS * self.sample_rate:
            self._reduced_at = self.now
            self.allocator.restore_voice()

    def state(self) -> EngineState:
        """For a meter."""
        peak, self._peak = self._peak, 0.0
        seconds, level_db = self.now / self.sample_rate, 20 * math.log10(max(peak, 1e-6))
        return EngineState(seconds, self.sounding, self.allocator.limit, level_db, 20 * math.log10(self._limiter.gain))

    @property
    def sounding(self) -> int:
        """How many voices sound."""
        return sum(voice.params.at <= self.now for voice in tuple(self.allocator.voices))

    @property
    def idle(self) -> bool:
        """Nothing sounds and nothing is scheduled."""
        return not (self.allocator.voices or self._schedule)

    def warm_up(self) -> None:
        """Run several batch sizes once, so that the first note is as quick as later ones. Nothing of it is heard."""
        if self.model.manifest.speech:
            self._warm_up_speech()
            return
        for count in {1, 2, 4, 8, self.allocator.polyphony}:
            notes = [self._new_note(60, 64, 0, 0) for _ in range(count)]
            voices = [self.allocator.new_voice(note, self.model.timbre_vector(None), 0) for note in notes]
            for _ in range(2):
                self._renderer.render(voices)
                voices[0].take(len(voices[0].ready))
                voices[0].bend(voices[0].position, 60.5, 0)

    def _warm_up_speech(self) -> None:
        vector = self.model.timbre_vector(None)
        language(self._prosody.language).phrase("one two")
        word = Word("", tuple(Phoneme(symbol) for symbol in self._prosody.symbols[-8:]))
        segment = next(self._prosody.for_new_text().segments(Phrase((word, pause("."))), vector))
        speech = Speech(0, 0, self, vector, None)
        for count in (1, 2):
            voices: list[Voice] = [self.make_utterance(speech, segment, 0) for _ in range(count)]
            for _ in range(4):
                self._renderer.render(voices)

    def _mix(self, count: int) -> Float:
        out = np.zeros(count, np.float32)
        done = 0
        while done < count:
            self._take_events()
            segment, next_at = count - done, self._schedule.next_at()
            if next_at is not None:
                segment = min(segment, next_at - self._horizon - self.now)
            if self._look_ahead:
                segment = min(segment, self._look_ahead)  # further on blocks may not be made yet
            self._add_voices(out[done : done + segment])
            self.now += segment
            done += segment
        return out

    def _take_events(self) -> None:
        """Call what is due, and with look-ahead what comes later, up to where a note could take another's voice.

        Which voice that is depends on what is heard until then.
        """
        near = self.now + self._horizon
        earliest = max(self.now, self._known - self._horizon)
        self._schedule.receive(earliest)
        self._known, far = max(self._known, near), near + self._look_ahead
        while (at := self._schedule.next_at()) is not None and (
            at <= near or at < self._known or (at <= far and not self.allocator.full(at))
        ):
            self._schedule.run_next()
            self._schedule.receive(earliest)  # an action may ask for what comes right after it
        self._known = max(self._known, far if at is None else min(at, far))

    def _add_voices(self, out: Float) -> None:
        """Mix the voices' next samples into `out`; make the blocks that they lack."""
        n = len(out)
        due = [(voice, n - max(0, voice.params.at - self.now)) for voice in self.allocator.voices]
        # With look-ahead a block is begun one block early, so that another thread can finish it meanwhile.
        early = self._renderer.block_samples if self._look_ahead else 0
        while any(voice.lacks(wanted + early) for voice, wanted in due if wanted > 0):
            self._renderer.render(self._next_batch(self.now + n))
        gains: dict[int, Float | float] = {}
        for voice, wanted in due:
            if wanted > 0:
                channel = voice.params.channel
                if channel not in gains:
                    gains[channel] = self._gain_over(self.allocator.channels[channel].gain, n)
                samples, gain = voice.take(wanted), gains[channel]
                start = n - wanted
                out[start : start + len(samples)] += samples * (
                    gain if isinstance(gain, float) else gain[start : start + len(samples)]
                )
        self.allocator.drop_finished()
        out *= np.float32(VOICE_GAIN) * self._gain_over(self._gain, n)

    def _next_batch(self, by: int) -> list[Voice]:
        """Voices that share the next evaluation, when all are to sound until `by`."""
        if self._look_ahead:
            return batch_offline(self.allocator.voices, self._known, self._renderer.block_samples)
        return batch_for_read(self.allocator.voices, by, self._batch_ahead)

    def _gain_over(self, gain: Trajectory, samples: int) -> Float | float:
        gain.forget_before(self.now)
        if gain.rests_at(self.now):
            return float(gain.target)
        return gain.at(np.arange(self.now, self.now + samples, dtype=np.float64)).astype(np.float32)

    def submit(self, at: int | None, action: Action) -> None:
        """Have `action(time)` called when sample `at` (None: the next one) comes into sight; from any thread."""
        self._schedule.submit(None if at is None else whole_number("at", at, 0, 2**62), action)

    def _note(self, pitch: float, velocity: float, channel: int, seed: int | None) -> Note:
        if self.model.manifest.speech:
            raise CmaudioError(f"model {self.model.manifest.name!r} reads text and plays no notes: use `say`")
        return self._new_note(pitch, velocity, channel, seed)

    def _new_note(self, pitch: float, velocity: float, channel: int, seed: int | None) -> Note:
        return Note(
            in_range("pitch", pitch, 0, 127, "MIDI note number"),
            in_range("velocity", velocity, 1, 127, "MIDI velocity"),
            channel_number(channel),
            self._seed(seed),
            self,
        )

    def _seed(self, given: int | None) -> int:
        """As given, else the next of the engine's own."""
        if given is not None:
            return whole_number("seed", given, 0, SEED_LIMIT)
        return int(np.random.SeedSequence((self.seed, next(self._note_count))).generate_state(1, np.uint64)[0] >> 1)

    def _make_voice(
        self, params: NoteParams, timbre: NDArray[np.float64], bend: float, expression: Mapping[str, float]
    ) -> Voice:
        return Voice(
            params,
            timbre,
            bend,
            pitched=self.model.has_pitch(timbre),
            expression=expression,
            **self._voice_settings(),
        )

    def _voice_settings(self) -> dict[str, Any]:
        return {
            "stft": self.model.stft,
            "block_frames": self._renderer.block_frames,
            "sample_rate": self.sample_rate,
            "ahead_samples": self._renderer.block_samples if self._look_ahead else self._batch_ahead,
        }
