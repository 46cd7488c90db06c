"""The engine: events in, samples out. It needs no device and no thread; callers read n samples at a time.

Time is counted in samples of the engine's clock. Every event takes effect at its exact sample, and scheduled events are
known to the networks as far ahead as they plan, so the output does not depend on the read sizes. Methods that send
events may be called from any thread; `read` belongs to one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Unpack

import numpy as np

from cmaudio.checks import channel_number, in_range, whole_number
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.buses import Effects, OnStems, Outputs
from cmaudio.engine.loaded_model import LoadedModel
from cmaudio.engine.meter import EngineState, Meter
from cmaudio.engine.mixer import Mixer
from cmaudio.engine.modulation_input import ModulationInput
from cmaudio.engine.overload import Overload
from cmaudio.engine.speech import Speech
from cmaudio.engine.warm_up import warm_up_notes, warm_up_speech
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.timbres import Timbre
from cmaudio.score.ranges import GAIN_RANGE_DB
from cmaudio.signal.dsp import Float
from cmaudio.signal.limiter import QUANTUM_SAMPLES, Limiter
from cmaudio.signal.pairs import sum_of_pairs
from cmaudio.speech.notation import Notation
from cmaudio.speech.style import SpeakingStyle
from cmaudio.synthesis.networks import STEPS, Synthesizer
from cmaudio.synthesis.params import VoiceSettings
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import Voice

_GAIN_SLEW_SECONDS = 0.01
MAX_READ_SAMPLES = 2**31


class Engine(ModulationInput):
    """Polyphonic synthesis with one model.

    Args:
        model: a loaded model, the name of an embedded model, a model file, or networks shared with other engines.
        polyphony: maximum number of sounding notes; a further one steals the least audible voice.
        seed: derives the seeds of notes that are given none.
        steps: network evaluations per block, for new notes: 1, or 2 ("fine").
        gain_db: master gain before the limiter.
        bend_range: semitones at full pitch wheel.
        batch_ahead_samples: how early a voice's block may be computed to share an evaluation with others. This
            lowers the load, and delays the effect of live events on a note by at most this much.
        look_ahead_samples: how early events are processed and blocks computed, so that notes at different times can
            be batched. Scheduled events sound the same; live ones are delayed by this much. For offline use.
        threads: 1, or 2 to compute many voices in two halves in parallel.
        pipelined: the second thread runs the vocoder, while the first computes the next blocks. For offline use.
        channels: 1 or 2. In stereo, notes have a position and a width (see `cmaudio.score.expression`), and the sum
            of both sides is the mono sound.
        pairs: number of output pairs that `read` fills, in stereo; `route` gives channels their own pair.
        pair: the output pair of the main mix and the effects.

    Attributes:
        channels: of the mix, 1 or 2.
        outputs: number of columns that `read` returns: 1, or 2 for each pair.
    """

    def __init__(
        self,
        model: Model | str | LoadedModel = "instrument",
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
        channels: int | None = None,
        pairs: int = 1,
        pair: int = 1,
    ) -> None:
        if steps not in STEPS:
            raise CmaudioError(f"steps must be 1 (one step) or 2 (fine), not {steps!r}")
        self._loaded = model if isinstance(model, LoadedModel) else LoadedModel(model, threads, pipelined)
        self._renderer, model = self._loaded.renderer, self._loaded.model
        block = self._renderer.block_samples
        batch_ahead = whole_number("batch_ahead_samples", batch_ahead_samples, 0, block)
        look_ahead = whole_number("look_ahead_samples", look_ahead_samples, 0, 2**31)
        self.sample_rate = model.manifest.sample_rate
        ahead = block if look_ahead else batch_ahead
        self.channels = whole_number("channels", model.channels if channels is None else channels, 1, 2)
        self._outputs = Outputs.checked(pairs, pair, self.channels)
        self.outputs = self.channels * pairs
        settings = VoiceSettings.of_model(model, ahead, self.channels)
        allocator = VoiceAllocator(model, settings, whole_number("polyphony", polyphony, 1, 256), steps)
        super().__init__(model, allocator, seed, bend_range)
        gain = Trajectory(10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20))
        self._mixer = Mixer(allocator, self._renderer, gain, batch_ahead, look_ahead, self._outputs)
        self._mixer.effects = self.rack
        self._overload = Overload(allocator, block // 4)
        self._limiter = Limiter(self.sample_rate, channels=self.outputs)
        self._spare = np.zeros(0 if self.outputs == 1 else (0, self.outputs), np.float32)  # limiter output not yet read
        self._meter = Meter(self.channels)

    @property
    def now(self) -> int:
        """The sample of the engine's clock that is mixed next."""
        return self.allocator.schedule.now

    @property
    def synthesizer(self) -> Synthesizer:
        """The loaded networks."""
        return self._renderer.synthesizer

    @property
    def latency_samples(self) -> int:
        """Samples by which `read` lags the event clock: the limiter's look-ahead."""
        return self._limiter.latency_samples

    @property
    def horizon_samples(self) -> int:
        """How many samples before its time an event is processed, so that the networks can plan for it."""
        return self._mixer.horizon_samples

    def say(
        self,
        text: str | Iterable[str],
        *,
        timbre: Timbre | None = None,
        seed: int | None = None,
        channel: int = 0,
        phonemes: bool = False,
        ssml: bool = False,
        pronunciations: Mapping[str, str] | None = None,
        background: bool = False,
        on_segment: Callable[[], object] = lambda: None,
        at: int | None = None,
        **style: Unpack[SpeakingStyle],
    ) -> Speech:
        """Speak a text, with a text-to-speech model.

        Args:
            text: complete, or an iterable of pieces that are still being written (words with the spaces between them).
            phonemes: the text is IPA in the model's symbols ("həlˈoʊ wˈɚld.").
            ssml: the text is SSML, in the subset of `cmaudio.speech.ssml`.
            pronunciations: IPA by word, overriding the lexicon; inside a text, `[word](/IPA/)` does so for one word.
            timbre: see `note_on`.
            seed: see `note_on`.
            channel: see `note_on`.
            at: see `note_on`.
            style: rate, pitch, pitch_range and energy; see `SpeakingStyle`.
            background: return immediately and read the text on a separate thread; otherwise read all of it first.
            on_segment: called when there is more to speak and at the end, to wake the thread that reads samples.
        Raises:
            CmaudioError: a model that plays notes, a language whose data is missing, a value out of range, or
                unsupported SSML; without `background` also phonemes that the model lacks.
        """
        prosody = self._loaded.prosody.for_new_text()
        speech = Speech(
            channel=channel_number(channel),
            seed=self._seed(seed),
            allocator=self.allocator,
            model=self.model,
            timbre=self.model.timbre_vector(timbre),
            at=at,
        )
        speech.steer(**style)
        phrases = Notation(phonemes, ssml, pronunciations).phrases(text, prosody.language, prosody.symbols)
        speech.read(phrases, prosody, background, on_segment)
        return speech

    def master_gain(self, gain_db: float, at: int | None = None) -> None:
        """Set the master gain, before the limiter."""
        value = 10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20)
        self.submit(at, lambda time: self._mixer.gain.move(time, value, _GAIN_SLEW_SECONDS * self.sample_rate))

    def panic(self) -> None:
        """Silence everything within 5 ms; scheduled events are dropped, pedals and bends reset."""
        self.submit(None, self._panic)

    def _panic(self, at: int) -> None:
        self.allocator.schedule.drop_earlier()
        self.allocator.clear(at)
        self.rack.silence(at)

    def route(self, channel: int, pair: int | None, at: int | None = None) -> None:
        """Play a channel, without its effects, on its own output pair; None returns it to the mix.

        Sounding notes stay on their pair.

        Raises CmaudioError for a pair that is not open.
        """
        checked = self._outputs.checked_pair(pair)
        self.submit(at, partial(self.allocator.route, channel_number(channel), checked))

    # -- samples -----------------------------------------------------------------------------------------------------

    def read(self, samples: int) -> Float:
        """The next (N,) samples, or in stereo (N, `outputs`), float32 within [-1, 1].

        Raises CmaudioError for a negative number.
        """
        samples = whole_number("samples", samples, 0, MAX_READ_SAMPLES)
        missing = samples - len(self._spare)
        self._overload.restore(self.now)
        if missing > 0:
            count = -(-missing // QUANTUM_SAMPLES) * QUANTUM_SAMPLES
            self._spare = np.concatenate([self._spare, self._limiter.process(self._mixer.mix(count))])
        out, self._spare = self._spare[:samples], self._spare[samples:]
        self._meter.add(sum_of_pairs(out))
        return out

    def lacking(self, samples: int) -> list[Voice]:
        """The voices that need a block before the next `samples` (at most one block) can be read.

        For the reading thread of engines that share networks: it renders voices of several engines at once.
        """
        return self._mixer.lacking(samples)

    def fade_out(self, seconds: float) -> None:
        """Fade the next samples to silence, stems included; for the reading thread."""
        self._mixer.gain.move(self.now, 0.0, seconds * self.sample_rate)

    def prepare(self) -> bool:
        """Do part of the work of the next reads; returns whether there was any.

        For the reading thread when it has time to spare: this spreads the load, and a note that starts meanwhile waits
        only for half a block of a few voices. Notes that are about to start come first. Scheduled sound is unaffected.
        """
        return self._mixer.prepare()

    def on_overload(self) -> None:
        """Make all blocks in one step for a while; steal the least audible voice if many sound.

        For the reading thread when it falls behind. A few voices are never shed, since they cannot be the cause.
        """
        self.faults.attempt("the load was not reduced", self._overload.shed, self.now)

    def warm_up(self) -> None:
        """Run several batch sizes once, inaudibly, so that the first note is as fast as later ones."""
        if self.model.manifest.speech:
            warm_up_speech(self.allocator, self.model, self._renderer, self._loaded.prosody)
        else:
            warm_up_notes(self.allocator, self.model, self._renderer)

    def state(self) -> EngineState:
        """A snapshot for meters."""
        sides_db, correlation = self._meter.take()
        return EngineState(
            seconds=self.now / self.sample_rate,
            voices=self.sounding,
            limit=self.allocator.limit,
            peak_db=max(sides_db),
            reduction_db=20 * math.log10(self._limiter.gain),
            sides_db=sides_db,
            correlation=correlation,
            stolen=self.allocator.stealing.count,
        )

    @property
    def sounding(self) -> int:
        """How many voices sound."""
        return sum(voice.params.at <= self.now for voice in tuple(self.allocator.voices))

    @property
    def idle(self) -> bool:
        """Whether nothing sounds or rings, and nothing is scheduled."""
        effects = self._mixer.effects
        return not (self.allocator.voices or self.allocator.schedule) and (effects is None or effects.silent)

    @property
    def effects(self) -> Effects | None:
        """The processing between mix and limiter: the rack, unless something else is set."""
        return self._mixer.effects

    @effects.setter
    def effects(self, effects: Effects | None) -> None:
        self._mixer.effects = effects

    def take_stems(self, on_stems: OnStems | None) -> None:
        """Pass the parts of every mix, before the limiter, to `on_stems`; None stops.

        Raises CmaudioError for a mono engine.
        """
        if self.channels == 1:
            raise CmaudioError("a mono engine has no stems; use channels=2")
        self._mixer.on_stems = on_stems
