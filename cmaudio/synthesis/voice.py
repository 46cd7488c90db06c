"""One sounding voice: its own clock, its controls over time, its excitation, and its finished samples.

Times are samples of the voice's clock, 0 = onset. Frame t covers hop t; its window covers the hops t - 3 ... t; block b
holds the frames b K ... b K + K - 1. Once the excitation is planned up to time P, output is complete up to P - 3 hops.

Each kind of voice (`cmaudio.synthesis.note_voice`, `cmaudio.synthesis.texture_voice`, `cmaudio.engine.utterance`) is a
subclass that supplies the pitch of its excitation and the networks' input features.

A stereo voice keeps its samples in two rows, left and right, which are panned as they are taken.

Shapes: B voices, K frames of a block, C features, N samples.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.score.expression import EXPRESSIONS, VIBRATO_HZ
from cmaudio.signal.dsp import Float, pulse_train
from cmaudio.synthesis.deferred import Pending
from cmaudio.synthesis.history import History
from cmaudio.synthesis.params import BlockFeatures, NoteParams, VoiceSettings
from cmaudio.synthesis.state_rows import Row
from cmaudio.synthesis.trajectory import Trajectory
from cmaudio.synthesis.voice_gains import Level, VoiceGains
from cmaudio.synthesis.voice_output import VoiceOutput

if TYPE_CHECKING:
    from cmaudio.synthesis.deviation import NoteDeviation

FADE_SAMPLES = 240  # 5 ms at 48 kHz: sounds immediate, and is too long to click


class Voice(ABC):
    """The state of one voice between blocks. The renderer adds blocks; the engine steers it and takes its samples.

    Args:
        params: start parameters.
        timbre: (Z,) vector.
        pitch: start of the pitch trajectory, in the subclass's unit.
        settings: shared by all voices of an engine.
        expression: values by name; the neutral value where none is given.
    """

    FEATURES: ClassVar[Mapping[str, int]]
    """The feature sets of models for this kind of voice: name in the manifest -> number of features."""

    def __init__(
        self,
        params: NoteParams,
        timbre: NDArray[np.float64],
        pitch: ArrayLike,
        settings: VoiceSettings,
        expression: Mapping[str, float] | None = None,
    ) -> None:
        self.params, self.settings = params, settings
        self.steps = params.steps  # reduced while the machine is overloaded
        self.pitch = Trajectory(pitch)
        self.timbre = Trajectory(timbre)
        given = expression or {}
        self.expression = {name: Trajectory(given.get(name, e.rest)) for name, e in EXPRESSIONS.items()}
        self.gains = VoiceGains(self.expression)
        self.deviation: NoteDeviation | None = None  # of the pitch; None if exact
        self.rng = np.random.Generator(np.random.PCG64(params.seed))
        self.stft, self.sample_rate = settings.stft, settings.sample_rate
        self.network: Row | None = None  # without the vocoder's state, which may lag behind
        self.vocoder: Row | None = None
        self.pending: deque[Pending] = deque()  # blocks still to be vocoded
        self.position = 0
        self.released_at = self.ends_at = self.fades_from = math.inf
        self._asked_to_fade = math.inf  # excludes its natural decay, which is known only once rendered
        self._silent_from = math.inf  # start of the block in which it was found to have decayed to silence
        self._levels_db: list[tuple[int, float]] = []  # (end of a block, its level), starting with the last one played
        # Planned excitation up to `planned_end`, as far back as a bend or the next frames' windows may reach.
        self._span = settings.span_samples
        self.planned_end = -settings.block_samples
        self.pulses = History(np.zeros(self._span, np.float32))
        self.noise = np.zeros(self.stft.overlap, np.float32)
        self.phase = History(np.zeros(self._span + 1))  # in cycles, before each sample and after the last
        self._harmonics: tuple[int, Float] | None = None  # up to a time, where the excitation is not harmonic
        frames = self._span // self.stft.hop_length
        self.filters = History(np.zeros((frames, self.stft.bins), np.complex64))  # H of the frames
        self.output = VoiceOutput(self.stft.overlap, settings.channels)  # from `position` to `planned_end`

    # -- supplied by each kind of voice ------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def block_f0(cls, voices: Sequence[Self], samples: int) -> NDArray[np.float64]:
        """(B, N) Hz for every sample of the next block, 0 where unpitched; called once for each."""

    @classmethod
    @abstractmethod
    def block_features(cls, voices: Sequence[Self], ends: NDArray[np.int64]) -> BlockFeatures:
        """Features of the block just planned, whose frames end at voice times (B, K); called once for each."""

    @abstractmethod
    def catch_up(self) -> None:
        """Apply changes since the last call to samples that are already planned."""

    def is_harmonic(self, start: float) -> bool:
        """Whether its excitation is the plain pulse train from `start` on."""
        return True

    def excite(
        self, f0: NDArray[np.float64], phase: NDArray[np.float64], start: int
    ) -> tuple[Float, NDArray[np.float64]]:
        """The excitation (N,) of samples from `start` on, and the phase after each, as `pulse_train` gives them."""
        return pulse_train(f0, phase, self.sample_rate)

    def hides_harmonics(self, start: float) -> bool:
        """Whether its excitation lacks harmonics from `start` on that the networks expect."""
        return False

    def base_ratio(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K,) base of the excitation as a ratio to f0, 0 where it is noise."""
        return np.ones(len(times))

    # -- called by the engine ----------------------------------------------------------------------------------------

    @property
    def released(self) -> bool:
        """Whether the key is released, or is scheduled to be."""
        return self.released_at < math.inf

    @property
    def finished(self) -> bool:
        return self.position >= self.ends_at

    @property
    def level_db(self) -> float:
        """Level of the last block that was played, dB re full scale; 0 before the first."""
        end, level = self._levels_db[0] if self._levels_db else (0, 0.0)
        return level if 0 < end <= self.position else 0.0

    def sounds_at(self, time: float) -> bool:
        """Whether it will sound at `time`, judged by its events and played blocks, not by how far it is rendered."""
        return time < self._asked_to_fade and (time < self.fades_from or self.position <= self._silent_from)

    def lacks(self, samples: int) -> bool:
        """Whether it needs another block before the next `samples` can be taken."""
        return min(self.position + samples, self.ends_at) > self.planned_end - self.stft.overlap

    def take(self, samples: int) -> Float:
        """The next samples (N,) or (2, N), fewer only at the voice's end. Call only if `lacks(samples)` is false."""
        self.catch_up()
        while self.pending and self.output.waiting < samples:
            self._settle_next()
        count = int(min(samples, max(0, self.ends_at - self.position)))
        out = self.output.take(count)
        if self.position + count > self.fades_from:
            times = np.arange(self.position, self.position + count)
            fade = np.clip((self.ends_at - times) / (self.ends_at - self.fades_from), 0, 1)
            out = out * (0.5 - 0.5 * np.cos(np.pi * fade)).astype(np.float32)
        out = self.gains.apply(out, self.position)
        self.position += count
        while len(self._levels_db) > 1 and self._levels_db[1][0] <= self.position:
            del self._levels_db[0]
        return out

    def routed(self, samples: int) -> tuple[Level, Iterable[tuple[str, Level]]]:
        """`VoiceGains.routed` over the last `samples` taken."""
        return self.gains.routed(self.position - samples, samples)

    # -- steering ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def release(self, at: float) -> None:
        """The key is released at `at`."""

    def fade_out(self, at: float, over: float = FADE_SAMPLES) -> None:
        """Fade out from `at` on, and end; an earlier end is kept."""
        self._asked_to_fade = min(self._asked_to_fade, at)
        self._fade(at, over)

    def settle(self) -> None:
        """Wait for pending blocks; raises their errors. One that failed stays pending: its samples are missing."""
        while self.pending:
            self._settle_next()

    def _settle_next(self) -> None:
        self.pending[0].result()
        self.pending.popleft()

    def bend(self, at: float, pitch: float, over: float) -> None:
        """Move to a pitch (in the unit of `self.pitch`) within `over` samples, starting at `at`."""
        self._move_pitch(self.pitch, at, pitch, over)

    def express(self, name: str, at: float, value: float, over: float) -> None:
        """Change one of the `EXPRESSIONS`: pressure at once, vibrato like the pitch, others from the next block on."""
        trajectory = self.expression[name]
        if name == "vibrato":
            self._move_pitch(trajectory, at, value, over)
        else:
            trajectory.forget_before(self.position - self.stft.hop_length)  # modulation looks back that far
            trajectory.begin_or_move(at, value, over)
            self.gains.changed()

    def morph(self, at: float, timbre: NDArray[np.float64], over: float, pitched: bool) -> None:
        """Morph to a timbre, pitched or not, starting at `at`."""
        self.timbre.forget_before(self.planned_end - 4 * self._span)
        self.timbre.move(at, timbre, over)

    def _move_pitch(self, trajectory: Trajectory, at: float, value: float, over: float) -> None:
        """Move a trajectory that affects the pitch, from the next block on; planned excitation is unchanged."""
        trajectory.forget_before(self.planned_end)
        trajectory.move(max(at, self.planned_end), value, over)

    def _fade(self, at: float, over: float) -> None:
        if at + over < self.ends_at:
            self.fades_from, self.ends_at = at, at + over

    # -- called by the renderer --------------------------------------------------------------------------------------

    def _sounding_pitch(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) pitch, bend and vibrato included; the vibrato's phase runs from the onset, whatever its depth."""
        vibrato = self.expression["vibrato"]
        if vibrato.rests_at(times[0]) and not vibrato.target:
            return self.pitch.at(times)
        swing = np.sin(2 * np.pi * VIBRATO_HZ / self.sample_rate * times)
        return self.pitch.at(times) + vibrato.at(times) * swing

    def plan(self, pulses: Float, noise: Float, phase: NDArray[np.float64]) -> None:
        """Append K hops of sources, the ends of (overlap + K hops) that their frames cover; fills in their beginnings.

        The arrays are kept, and must not be changed later.
        """
        overlap = self.stft.overlap
        pulses[:overlap], noise[:overlap] = self.pulses.last(overlap), self.noise
        self.pulses.append(pulses[overlap:])
        self.noise = noise[-overlap:]
        self.phase.append(phase)
        self.planned_end += len(phase)

    def plan_harmonics(self, pulses: Float) -> Float:
        """Append K hops of harmonic pulses, which the networks see; returns the (overlap + K hops) of their frames.

        Call before `plan`.
        """
        overlap = self.stft.overlap
        end, before = self._harmonics or (self.planned_end, self.pulses.last(overlap))
        if end != self.planned_end:  # the excitation was harmonic in between
            before = self.pulses.last(overlap)
        seen = np.concatenate([before, pulses])
        self._harmonics = self.planned_end + len(pulses), seen[-overlap:]
        return seen

    def add_block(self, samples: Float, filters: NDArray[np.complex64], end: int) -> None:
        """Take the overlap-added (overlap + K hops) of a block's frames up to voice time `end`, and their H.

        Samples are (1, N), alike on all channels, or (2, N); they are changed.
        """
        self.filters.append(filters)
        if self.settings.channels == 1:
            samples = samples[0]
        elif len(samples) == 1:
            samples = np.repeat(samples, 2, axis=0)
        before_onset = max(0, samples.shape[-1] - end)  # where the first block's windows reach before the onset
        complete = self.output.overlap_add(samples, before_onset)
        middle = complete if complete.ndim == 1 else np.float32(0.5) * (complete[0] + complete[1])
        self._watch_level(middle, end - self.stft.overlap)
        self.output.append(complete)

    def _watch_level(self, complete: Float, end: int) -> float:
        """Store and return the level of a block, dB re full scale; 0 for an empty one."""
        power = float(complete @ complete) / len(complete) if len(complete) else 1.0
        level = 10 * math.log10(power + 1e-12)
        self._levels_db.append((end, level))
        return level
