"""The engine: events in, samples out. It needs no device and no thread; it is asked for n samples at a time.

Time is counted in samples of the engine's clock. Every event takes effect at its own sample, and what is scheduled is
known to the networks as far ahead as they plan, so how the output is cut into reads changes nothing.
Methods that send events may be called from any thread; `read` belongs to one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Unpack

import numpy as np

from cmaudio.checks import channel_number, in_range, whole_number
from cmaudio.engine.allocator import VoiceAllocator
from cmaudio.engine.event_input import EventInput
from cmaudio.engine.mixer import Mixer
from cmaudio.engine.overload import Overload
from cmaudio.engine.speech import Speech
from cmaudio.engine.utterance import Utterance
from cmaudio.engine.warm_up import warm_up_notes, warm_up_speech
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model, load_model
from cmaudio.model.timbres import Timbre
from cmaudio.score.ranges import GAIN_RANGE_DB
from cmaudio.signal.dsp import Float
from cmaudio.signal.limiter import QUANTUM_SAMPLES, Limiter
from cmaudio.speech.prosody import Prosody
from cmaudio.speech.reading import Writing
from cmaudio.speech.style import SpeakingStyle
from cmaudio.synthesis.networks import STEPS, Synthesizer
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import VoiceSettings
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice import Voice

_VOICE_KINDS: tuple[type[Voice], ...] = (NoteVoice, Utterance)
_GAIN_SLEW_SECONDS = 0.01


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


class Engine(EventInput):
    """Polyphonic synthesis with one model.

    Args:
        model: a loaded model, an embedded model's name, or a model file.
        polyphony: notes that may sound at once; one more steals the least audible voice.
        seed: from it every note that has no seed of its own gets one.
        steps: evaluations of the network a block for new notes, 1 or 2 ("fine").
        gain_db: master gain before the limiter.
        bend_range: semitones at full pitch wheel.
        batch_ahead_samples: how much sooner than needed a voice's block may be made to share an evaluation with
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
        model = model if isinstance(model, Model) else load_model(model)
        if steps not in STEPS:
            raise CmaudioError(f"steps must be 1 (one step) or 2 (fine), not {steps!r}")
        self._renderer = Renderer(Synthesizer(model), threads, pipelined)
        _check_features(self._renderer.synthesizer)
        block = self._renderer.block_samples
        batch_ahead = whole_number("batch_ahead_samples", batch_ahead_samples, 0, block)
        look_ahead = whole_number("look_ahead_samples", look_ahead_samples, 0, 2**31)
        self.sample_rate = model.manifest.sample_rate
        ahead = block if look_ahead else batch_ahead
        settings = VoiceSettings(model.stft, self._renderer.block_frames, self.sample_rate, ahead)
        allocator = VoiceAllocator(model, settings, whole_number("polyphony", polyphony, 1, 256), steps)
        super().__init__(model, allocator, seed, bend_range)
        gain = Trajectory(10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20))
        self._mixer = Mixer(allocator, self._renderer, gain, batch_ahead, look_ahead)
        self._overload = Overload(allocator, block // 4)
        self._limiter = Limiter(self.sample_rate)
        self._spare = np.zeros(0, np.float32)  # limited samples that have not been read
        self._peak = 0.0

    @property
    def now(self) -> int:
        """Sample of the engine's clock that is mixed next."""
        return self.allocator.schedule.now

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
        return self._mixer.horizon_samples

    # -- events, beside those of `EventInput` ------------------------------------------------------------------------

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
        """Say a text, with a model that reads.

        Args:
            text: whole, or in pieces that may still be on their way (words with the spaces between them).
            phonemes: the text is IPA in the model's symbols ("həlˈoʊ wˈɚld.") instead of writing.
            ssml: the text is SSML, in the subset of `cmaudio.speech.ssml`.
            pronunciations: IPA by word, before the lexicon's; inside a text `[word](/IPA/)` gives it for one word.
            timbre, seed, channel, at: as for `note_on`.
            style: rate, pitch, pitch_range and energy; see `SpeakingStyle`.
            background: return at once and read the text on a thread of its own; else all of it is read first.
            on_segment: called when there is more to speak, to wake the thread that asks for samples.
        Raises:
            CmaudioError: a model that plays notes, a language whose data is missing, a value out of range, SSML that
                is not read, and without `background` also phonemes that the model does not have.
        """
        prosody = self._prosody.for_new_text()
        speech = Speech(
            channel=channel_number(channel),
            seed=self._seed(seed),
            allocator=self.allocator,
            model=self.model,
            timbre=self.model.timbre_vector(timbre),
            at=at,
        )
        speech.steer(**style)
        phrases = Writing(phonemes, ssml, pronunciations).phrases(text, prosody.language, prosody.symbols)
        speech.read(phrases, prosody, background, on_segment)
        return speech

    def master_gain(self, gain_db: float, at: int | None = None) -> None:
        """Gain of everything, before the limiter."""
        value = 10 ** (in_range("gain_db", gain_db, *GAIN_RANGE_DB, "dB") / 20)
        self.submit(at, lambda time: self._mixer.gain.move(time, value, _GAIN_SLEW_SECONDS * self.sample_rate))

    def panic(self) -> None:
        """Silence within 5 ms; what was scheduled is dropped, pedals and bends are reset."""
        self.submit(None, self._panic)

    def _panic(self, at: int) -> None:
        self.allocator.schedule.drop_earlier()
        self.allocator.clear(at)

    # -- samples -----------------------------------------------------------------------------------------------------

    def read(self, samples: int) -> Float:
        """The next (N,) samples, float32 within [-1, 1]."""
        missing = samples - len(self._spare)
        self._overload.restore(self.now)
        if missing > 0:
            count = -(-missing // QUANTUM_SAMPLES) * QUANTUM_SAMPLES
            self._spare = np.concatenate([self._spare, self._limiter.process(self._mixer.mix(count))])
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
        return self._mixer.prepare()

    def on_overload(self) -> None:
        """For a while make all blocks in one step; steal the least audible voice, where many sound.

        For the thread that reads, when it falls behind: less is to be made, and the rest plays on. Few voices are left
        alone: whatever else the machine does is to blame then.
        """
        self._overload.shed(self.now)

    def warm_up(self) -> None:
        """Run several batch sizes once, so that the first note is as quick as later ones. Nothing of it is heard."""
        if self.model.manifest.speech:
            warm_up_speech(self.allocator, self.model, self._renderer, self._prosody)
        else:
            warm_up_notes(self.allocator, self.model, self._renderer)

    # -- meters ------------------------------------------------------------------------------------------------------

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
        return not (self.allocator.voices or self.allocator.schedule)


def _check_features(synthesizer: Synthesizer) -> None:
    """The model's graphs must read as many features as the kind of voice supplies that its manifest names."""
    model, read = synthesizer.model, synthesizer.features
    name = model.manifest.features
    supplied = next(kind.FEATURES[name] for kind in _VOICE_KINDS if name in kind.FEATURES)
    if read != supplied:
        raise CmaudioError(
            f"{model.path}: graphs and manifest disagree (controls.controls reads {read} features, {name!r} has "
            f"{supplied}); export the model again"
        )
