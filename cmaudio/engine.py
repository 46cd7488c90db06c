"""The engine: events in, samples out. It needs no device and no thread; it is asked for n samples at a time.

Time is counted in samples of the engine's clock. Every event takes effect at its own sample, and what is scheduled is
known to the networks as far ahead as they plan, so how the output is cut into reads changes nothing.
Methods that send events may be called from any thread; `read` belongs to one.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cmaudio import events
from cmaudio.controls import Trajectory
from cmaudio.dsp import Float
from cmaudio.errors import CmaudioError
from cmaudio.limiter import QUANTUM_SAMPLES, Limiter
from cmaudio.model import Model, Timbre, load_model
from cmaudio.renderer import Renderer
from cmaudio.synthesis import STEPS, Synthesizer
from cmaudio.voice import Strike, Voice

CHANNELS = 16
BEND_MAX_SEMITONES = 24.0
GAIN_RANGE_DB = (-80.0, 24.0)
VOICE_GAIN = 0.4  # a chord of four at velocity 90 peaks near -12 dB, sixteen loud voices just reach the limiter
_SLEW_SECONDS = 0.005
_GAIN_SLEW_SECONDS = 0.01
_SHARING_VOICES = 4


@dataclass(eq=False)
class Note:
    """A handle on one sounding note. Its methods may be called at any time; once the note has ended they do nothing."""

    pitch: float
    velocity: float
    channel: int
    seed: int
    engine: Engine = field(repr=False)
    _voice: Voice | None = field(default=None, repr=False)
    _bend: float = field(default=0.0, repr=False)
    ended: bool = False

    def off(self, at: int | None = None) -> None:
        """Let the key go; with the channel's sustain pedal down the note sounds on."""
        self.engine._submit(at, lambda time: self.engine._release(self, time))

    def bend(self, semitones: float, seconds: float = _SLEW_SECONDS, at: int | None = None) -> None:
        """Bend to `semitones` above (or below) the struck pitch within `seconds`; on top of the channel's bend."""
        bend = _in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones")
        over = _in_range("seconds", seconds, 0, 3600, "seconds")
        self.engine._submit(at, lambda time: self.engine._bend_note(self, time, bend, over))

    def morph(self, timbre: Timbre, seconds: float = 0.0, at: int | None = None) -> None:
        """Move to another timbre (name, mix or vector) within `seconds`, while the note sounds."""
        vector = self.engine.model.timbre_vector(timbre)
        over = _in_range("seconds", seconds, 0, 3600, "seconds")
        self.engine._submit(at, lambda time: self.engine._morph(self, time, vector, over))


@dataclass
class _Channel:
    bend: float = 0.0
    sustain: bool = False
    gain: Trajectory = field(default_factory=lambda: Trajectory(1.0))
    keys: dict[int, Note] = field(default_factory=dict)  # keys of a score or keyboard that are down
    held: list[Note] = field(default_factory=list)  # notes that only the pedal keeps


@dataclass(frozen=True)
class EngineState:
    """What a meter shows. `peak_db` is the loudest sample since the state was last asked for."""

    seconds: float
    voices: int
    peak_db: float
    reduction_db: float


@dataclass(order=True)
class _Scheduled:
    at: int
    order: int
    action: Callable[[int], None] = field(compare=False)


def _in_range(name: str, value: float, low: float, high: float, unit: str) -> float:
    if not isinstance(value, int | float | np.number) or not low <= value <= high:
        raise CmaudioError(f"{name} must be a number from {low:g} to {high:g} ({unit}), not {value!r}")
    return float(value)


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
        threads: 1, or 2 to vocode on a thread of its own while the network makes the next block (for offline work).
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
        threads: int = 1,
    ) -> None:
        self.model = model if isinstance(model, Model) else load_model(model)
        self.polyphony = int(_in_range("polyphony", polyphony, 1, 256, "voices"))
        self.seed = int(_in_range("seed", seed, 0, 2**63 - 1, "whole number"))
        if steps not in STEPS:
            raise CmaudioError(f"steps must be 1 (one step) or 2 (fine), not {steps!r}")
        self.steps = steps
        self.bend_range = _in_range("bend_range", bend_range, 0, BEND_MAX_SEMITONES, "semitones")
        self._renderer = Renderer(Synthesizer(self.model), threads)
        self.sample_rate = self.model.manifest.sample_rate
        self._batch_ahead = batch_ahead_samples
        self._horizon = self._renderer.block_samples + self.model.stft.overlap + batch_ahead_samples
        self._limiter = Limiter(self.sample_rate)
        self._gain = Trajectory(10 ** (_in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20))
        self._channels = [_Channel() for _ in range(CHANNELS)]
        self._voices: list[Voice] = []
        self._notes: dict[int, Note] = {}  # by the identity of its voice
        self._inbox: deque[tuple[int | None, Callable[[int], None]]] = deque()
        self._schedule: list[_Scheduled] = []
        self._order = itertools.count()
        self._note_count = itertools.count()
        self._spare = np.zeros(0, np.float32)
        self._peak = 0.0
        self.now = 0

    # -- events ------------------------------------------------------------------------------------------------------

    @property
    def synthesizer(self) -> Synthesizer:
        """The loaded networks."""
        return self._renderer.synthesizer

    @property
    def latency_samples(self) -> int:
        """Samples by which `read` is behind the clock of events: the limiter's look-ahead."""
        return self._limiter.latency_samples

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
        """Strike a note.

        Args:
            pitch: MIDI note number 0..127 (69 = A4 = 440 Hz), fractions allowed.
            velocity: 1..127. timbre: name, mix `{name: weight}` or vector; None for the model's default.
            seed: same seed, same samples, whatever else sounds. channel: 0..15, for pedal, bend and gain.
            at: sample of the engine's clock, None for as soon as possible.
        Raises:
            CmaudioError: a value out of range, or an unknown timbre (with the nearest names).
        """
        vector = self.model.timbre_vector(timbre)
        note = self._new_note(pitch, velocity, channel, seed)
        self._submit(at, lambda time: self._strike(note, vector, time))
        return note

    def all_notes_off(self, channel: int | None = None, at: int | None = None) -> None:
        """Release every note (of a channel) and lift the pedal."""
        channels = range(CHANNELS) if channel is None else [_channel(channel)]
        self._submit(at, lambda time: self._all_off(channels, time))

    def sustain(self, down: bool, channel: int = 0, at: int | None = None) -> None:
        """Sustain pedal: while it is down, notes that are let go sound on."""
        number = _channel(channel)
        self._submit(at, lambda time: self._sustain(number, bool(down), time))

    def bend(self, semitones: float, channel: int = 0, at: int | None = None) -> None:
        """Bend every note of a channel, those to come included."""
        number, bend = (
            _channel(channel),
            _in_range("bend", semitones, -BEND_MAX_SEMITONES, BEND_MAX_SEMITONES, "semitones"),
        )
        self._submit(at, lambda time: self._bend_channel(number, bend, time))

    def pitch_wheel(self, position: float, channel: int = 0, at: int | None = None) -> None:
        """Pitch wheel from -1 to 1, times `bend_range`."""
        self.bend(_in_range("position", position, -1, 1, "of the wheel") * self.bend_range, channel, at)

    def channel_gain(self, gain: float, channel: int = 0, at: int | None = None) -> None:
        """Linear gain 0..4 of a channel (volume and expression)."""
        number, value = _channel(channel), _in_range("gain", gain, 0, 4, "linear")
        over = _GAIN_SLEW_SECONDS * self.sample_rate
        self._submit(at, lambda time: self._channels[number].gain.move(time, value, over))

    def master_gain(self, gain_db: float, at: int | None = None) -> None:
        """Gain of everything, before the limiter."""
        value = 10 ** (_in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20)
        self._submit(at, lambda time: self._gain.move(time, value, _GAIN_SLEW_SECONDS * self.sample_rate))

    def panic(self) -> None:
        """Silence within 5 ms; what was scheduled is dropped, pedals and bends are reset."""
        self._submit(None, self._panic)

    def play(self, score: events.Score, timbres: Mapping[int, Timbre], at: int = 0) -> None:
        """Schedule a score from sample `at` on. Notes of programs that are not in `timbres` are left out."""
        vectors = {program: self.model.timbre_vector(timbre) for program, timbre in timbres.items()}
        for seconds, event in score.events:
            time = at + round(seconds * self.sample_rate)
            match event:
                case events.NoteOn(channel, pitch, velocity, program):
                    if program in vectors:
                        note, vector = self._new_note(pitch, velocity, channel, None), vectors[program]
                        self._submit(time, partial(self._press, note, vector))
                case events.NoteOff(channel, pitch):
                    self._submit(time, partial(self._lift, channel, pitch))
                case events.Sustain(channel, down):
                    self.sustain(down, channel, time)
                case events.PitchBend(channel, semitones):
                    self.bend(max(-BEND_MAX_SEMITONES, min(BEND_MAX_SEMITONES, semitones)), channel, time)
                case events.ChannelGain(channel, gain):
                    self.channel_gain(min(gain, 4.0), channel, time)
                case events.AllNotesOff(channel):
                    self.all_notes_off(channel, time)

    # -- samples -----------------------------------------------------------------------------------------------------

    def read(self, samples: int) -> Float:
        """The next (N,) samples, float32 within [-1, 1]."""
        missing = samples - len(self._spare)
        if missing > 0:
            count = -(-missing // QUANTUM_SAMPLES) * QUANTUM_SAMPLES
            self._spare = np.concatenate([self._spare, self._limiter.process(self._mix(count))])
        out, self._spare = self._spare[:samples], self._spare[samples:]
        if samples:
            self._peak = max(self._peak, float(np.abs(out).max()))
        return out

    def state(self) -> EngineState:
        """For a meter."""
        peak, self._peak = self._peak, 0.0
        sounding = sum(voice.strike.at <= self.now for voice in tuple(self._voices))
        return EngineState(
            self.now / self.sample_rate, sounding, 20 * math.log10(max(peak, 1e-6)), 20 * math.log10(self._limiter.gain)
        )

    @property
    def idle(self) -> bool:
        """Nothing sounds and nothing is scheduled."""
        return not (self._voices or self._schedule or self._inbox)

    def warm_up(self) -> None:
        """Run several batch sizes once, so that the first note is as quick as later ones. Nothing of it is heard."""
        for count in {1, 2, 4, 8, self.polyphony}:
            notes = [self._new_note(60, 64, 0, 0) for _ in range(count)]
            voices = [self._voice(note, self.model.timbre_vector(None), 0) for note in notes]
            for _ in range(2):
                self._renderer.render(voices)
                voices[0].take(len(voices[0].ready))
                voices[0].bend(voices[0].position, 60.5, 0)

    def _mix(self, count: int) -> Float:
        out = np.zeros(count, np.float32)
        done = 0
        while done < count:
            self._take_events()
            segment = count - done
            if self._schedule:
                segment = min(segment, self._schedule[0].at - self._horizon - self.now)
            self._add_voices(out[done : done + segment])
            self.now += segment
            done += segment
        return out

    def _add_voices(self, out: Float) -> None:
        """Mix the voices' next samples into `out`; make the blocks that they lack."""
        n = len(out)
        due = [(voice, n - max(0, voice.strike.at - self.now)) for voice in self._voices]
        # A few voices are cheap enough to be made when needed; many share evaluations, a little ahead of their time.
        ahead = round(self._batch_ahead * min(1.0, max(0, len(due) - 1) / _SHARING_VOICES))
        while any(voice.lacks(wanted) for voice, wanted in due if wanted > 0):
            self._renderer.render([v for v, wanted in due if wanted + ahead > 0 and v.lacks(wanted + ahead)])
        gains: dict[int, Float | float] = {}
        for voice, wanted in due:
            if wanted > 0:
                channel = voice.strike.channel
                if channel not in gains:
                    gains[channel] = self._gain_over(self._channels[channel].gain, n)
                samples, gain = voice.take(wanted), gains[channel]
                start = n - wanted
                out[start : start + len(samples)] += samples * (
                    gain if isinstance(gain, float) else gain[start : start + len(samples)]
                )
        self._voices = [voice for voice in self._voices if not voice.finished or self._forget(voice)]
        out *= np.float32(VOICE_GAIN) * self._gain_over(self._gain, n)

    def _gain_over(self, gain: Trajectory, samples: int) -> Float | float:
        gain.forget_before(self.now)
        if gain.rests_at(self.now):
            return float(gain.target)
        return gain.at(np.arange(self.now, self.now + samples, dtype=np.float64)).astype(np.float32)

    def _forget(self, voice: Voice) -> bool:
        note = self._notes.pop(id(voice), None)
        if note is not None:
            note.ended, note._voice = True, None
        return False

    # -- what events do; called at the event's turn, with its time ---------------------------------------------------

    def _submit(self, at: int | None, action: Callable[[int], None]) -> None:
        self._inbox.append((at, action))

    def _take_events(self) -> None:
        while self._inbox:
            at, action = self._inbox.popleft()
            time = self.now if at is None else max(at, self.now)
            heapq.heappush(self._schedule, _Scheduled(time, next(self._order), action))
        while self._schedule and self._schedule[0].at <= self.now + self._horizon:
            event = heapq.heappop(self._schedule)
            event.action(event.at)

    def _new_note(self, pitch: float, velocity: float, channel: int, seed: int | None) -> Note:
        if seed is None:
            seed = int(np.random.SeedSequence((self.seed, next(self._note_count))).generate_state(1, np.uint64)[0] >> 1)
        return Note(
            _in_range("pitch", pitch, 0, 127, "MIDI note number"),
            _in_range("velocity", velocity, 1, 127, "MIDI velocity"),
            _channel(channel),
            int(_in_range("seed", seed, 0, 2**63 - 1, "whole number")),
            self,
        )

    def _voice(self, note: Note, timbre: NDArray[np.float64], at: int) -> Voice:
        strike = Strike(note.pitch, note.velocity, note.channel, note.seed, at, self.steps)
        bend = self._channels[note.channel].bend
        return Voice(
            strike,
            timbre,
            bend,
            stft=self.model.stft,
            block_frames=self._renderer.block_frames,
            sample_rate=self.sample_rate,
            ahead_samples=self._batch_ahead,
        )

    def _strike(self, note: Note, timbre: NDArray[np.float64], at: int) -> None:
        if note.ended:  # let go before it began
            return
        sounding = [voice for voice in self._voices if voice.strike.at + voice.fades_from > at]
        if len(sounding) >= self.polyphony:
            victim = self._least_missed(sounding, at)
            victim.fade_out(max(0, at - victim.strike.at))
        note._voice = self._voice(note, timbre, at)
        self._notes[id(note._voice)] = note
        self._voices.append(note._voice)

    @staticmethod
    def _least_missed(voices: list[Voice], at: int) -> Voice:
        """Released before held, then the quietest (in steps of 3 dB), then the oldest."""
        return min(
            voices,
            key=lambda v: (v.released_at + v.strike.at >= at, round(v.level_db / 3), v.strike.at),
        )

    def _press(self, note: Note, timbre: NDArray[np.float64], at: int) -> None:
        """A key of a score or keyboard: striking it again releases what it sounded before."""
        keys = self._channels[note.channel].keys
        before = keys.get(round(note.pitch))
        if before is not None:
            self._let_go(before, at)
        keys[round(note.pitch)] = note
        self._strike(note, timbre, at)

    def _lift(self, channel: int, pitch: int, at: int) -> None:
        note = self._channels[channel].keys.pop(pitch, None)
        if note is not None:
            self._release(note, at)

    def _release(self, note: Note, at: int) -> None:
        channel = self._channels[note.channel]
        if channel.sustain:
            channel.held.append(note)
        else:
            self._let_go(note, at)

    def _let_go(self, note: Note, at: int) -> None:
        if note._voice is None:
            note.ended = True
        else:
            note._voice.release(max(0, at - note._voice.strike.at))

    def _sustain(self, number: int, down: bool, at: int) -> None:
        channel = self._channels[number]
        channel.sustain = down
        if not down:
            for note in channel.held:
                self._let_go(note, at)
            channel.held.clear()

    def _all_off(self, channels: range | list[int], at: int) -> None:
        for number in channels:
            self._sustain(number, False, at)
            self._channels[number].keys.clear()
        for voice in self._voices:
            if voice.strike.channel in channels:
                voice.release(max(0, at - voice.strike.at))

    def _bend_note(self, note: Note, at: int, semitones: float, seconds: float) -> None:
        note._bend = semitones
        self._move_pitch(note, at, seconds)

    def _bend_channel(self, number: int, semitones: float, at: int) -> None:
        self._channels[number].bend = semitones
        for note in list(self._notes.values()):
            if note.channel == number:
                self._move_pitch(note, at, _SLEW_SECONDS)

    def _move_pitch(self, note: Note, at: int, seconds: float) -> None:
        if note._voice is not None:
            pitch = note.pitch + note._bend + self._channels[note.channel].bend
            note._voice.bend(max(0, at - note._voice.strike.at), pitch, seconds * self.sample_rate)

    def _morph(self, note: Note, at: int, timbre: NDArray[np.float64], seconds: float) -> None:
        if note._voice is not None:
            note._voice.timbre.move(max(0, at - note._voice.strike.at), timbre, seconds * self.sample_rate)

    def _panic(self, at: int) -> None:
        self._schedule.clear()
        self._channels = [_Channel() for _ in range(CHANNELS)]
        for voice in self._voices:
            voice.fade_out(max(0, at - voice.strike.at))


def _channel(number: int) -> int:
    return int(_in_range("channel", number, 0, CHANNELS - 1, "MIDI channels counted from 0"))
