"""The voice of a note: key pitch, bends that also change computed excitation, release, and decay to silence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cmaudio.score.expression import ENVELOPE, EXPRESSIONS
from cmaudio.signal.dsp import Complex, Float
from cmaudio.synthesis.envelope import GROWN_SECONDS, Clocks, Envelope, EnvelopeSettings, warp
from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.note_features import NOTE_KINDS, UNPITCHED_SEMITONES, all_note_features
from cmaudio.synthesis.params import BlockFeatures, NoteParams, VoiceSettings
from cmaudio.synthesis.placement import side_level
from cmaudio.synthesis.sources import Sources
from cmaudio.synthesis.trajectory import Trajectory, rows
from cmaudio.synthesis.voice import FADE_SAMPLES, Voice

if TYPE_CHECKING:
    from cmaudio.synthesis.deviation import NoteDeviation

BEND_FADE_SAMPLES = 240  # shorter fades click on low, pure timbres
SILENT_DB = -76.0
_INAUDIBLE_DB = 60.0  # below a released note's own loudest block
_SILENT_BLOCKS, _SILENT_BLOCKS_RELEASED = 6, 3
_RELEASE_LIMIT_SECONDS = 6.0


class NoteVoice(Voice):
    """A note. Its pitch trajectory is in MIDI note numbers; an unpitched one has only noise excitation.

    Args:
        params: start parameters.
        timbre: (Z,) vector.
        bend: semitones added to the pitch of `params`.
        settings: shared by all voices of an engine.
        pitched: whether the timbre has a pitch.
        expression: values by name; the neutral value where none is given.
    """

    FEATURES: ClassVar[Mapping[str, int]] = NOTE_KINDS

    def __init__(
        self,
        params: NoteParams,
        timbre: NDArray[np.float64],
        bend: float,
        settings: VoiceSettings,
        *,
        pitched: bool = True,
        expression: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(params, timbre, params.pitch + bend, settings, expression)
        self.pitched_from = -math.inf if pitched else math.inf
        self.deviation = self._deviation() if pitched else None
        self._bent_from = math.inf  # the planned pitch is outdated from here on
        self.bent_by: frozenset[str] = frozenset()  # expressions that modulate the pitch
        self._silent_blocks, self._loudest_db = 0, SILENT_DB
        self.envelope: Envelope | None = None  # None until it is asked for
        if any(self.expression[name].target != EXPRESSIONS[name].rest for name in ENVELOPE):
            self.shape_envelope()

    # -- inputs of the networks ---------------------------------------------------------------------------------------

    @classmethod
    def block_f0(cls, voices: Sequence[Self], samples: int) -> NDArray[np.float64]:
        return np.stack([voice.f0(voice.planned_end, voice.planned_end + samples) for voice in voices])

    def f0(self, start: int, end: int) -> NDArray[np.float64]:
        """(N,) Hz for every sample in [start, end); rises from zero over the hop around the onset, as in training."""
        hop = self.stft.hop_length
        ratio = self.deviation.ratio(start, end) if self.deviation else None
        if self._is_straight and self.pitched_from <= start and start >= hop // 2:
            key_hz = semitones_to_hz(self.pitch.target)
            return np.full(end - start, key_hz) if ratio is None else key_hz * ratio
        times = np.arange(start, end, dtype=np.float64)
        hz = semitones_to_hz(self._sounding_pitch(times))
        if ratio is not None:
            hz *= ratio
        return hz * (times >= self.pitched_from) * np.clip((times + 0.5) / hop + 0.5, 0, 1)

    def _deviation(self) -> NoteDeviation | None:
        """The deviation from the onset on, or from the end of the planned excitation."""
        settings, hop = self.settings, self.stft.hop_length
        if settings.deviations is None:
            return None
        from cmaudio.synthesis.deviation import NoteDeviation  # imports numba

        return NoteDeviation(
            settings.deviations,
            self.timbre,
            self.expression["humanity"],
            self.params.pitch,
            self.params.seed,
            first_hop=max(0, self.planned_end // hop),
            kept_hops=2 * self._span // hop,
            hop_length=hop,
            sample_rate=self.sample_rate,
        )

    @property
    def _is_straight(self) -> bool:
        """Whether it has had neither bend nor vibrato."""
        vibrato = self.expression["vibrato"]
        return self.pitch.constant and vibrato.constant and not vibrato.target

    def is_harmonic(self, start: float) -> bool:
        """Whether its excitation is the plain pulse train from `start` on."""
        sources = self.settings.sources
        return sources is None or (self.timbre.rests_at(start) and sources.weights(self.timbre.target)[0] == 1)

    def excite(
        self, f0: NDArray[np.float64], phase: NDArray[np.float64], start: int
    ) -> tuple[Float, NDArray[np.float64]]:
        """The excitation (N,) from sample `start` on, and the phase after each sample: unwrapped unless harmonic."""
        sources = self.settings.sources
        if sources is None or self.is_harmonic(start):
            return super().excite(f0, phase, start)
        weights = self._source_weights(sources, np.arange(start, start + len(f0), dtype=np.float64))
        active = np.flatnonzero(weights.any(0)).tolist()
        if active == [0]:
            return super().excite(f0, phase, start)
        cycles = np.cumsum(f0 / self.sample_rate) + phase
        source = np.zeros(len(f0), np.float32)
        for number in active:
            part = sources.excite(number, self.params.pitch, cycles, f0, self.sample_rate)
            source += weights[:, number].astype(np.float32) * part
        return source, cycles

    def hides_harmonics(self, start: float) -> bool:
        """Whether part of its excitation is noise from `start` on; the networks then see harmonics of the key."""
        sources = self.settings.sources
        if sources is None or self.is_harmonic(start):
            return False
        return bool(sources.noise_share(self._source_weights(sources, np.array([start]))).any())

    def base_ratio(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(K,) base of the excitation as a ratio to f0, 0 where it is noise."""
        sources = self.settings.sources
        if sources is None:
            return super().base_ratio(times)
        return np.broadcast_to(sources.base_ratio(self._source_weights(sources, times)), len(times))

    def _source_weights(self, sources: Sources, times: NDArray[np.floating]) -> NDArray[np.float64]:
        """(N, E) shares of the excitations, linear between hops while the timbre moves; (1, E) while it rests."""
        if self.timbre.rests_at(times[0]):
            return sources.weights(self.timbre.target)[None]
        hop = self.stft.hop_length
        grid = np.arange(np.floor(times[0] / hop), np.ceil(times[-1] / hop) + 1) * hop
        known = sources.moving_weights(self.timbre.at(grid))
        return np.stack([np.interp(times, grid, column) for column in known.T], -1)

    @classmethod
    def block_features(cls, voices: Sequence[Self], ends: NDArray[np.int64]) -> BlockFeatures:
        """Features of the block just planned, whose frames end at voice times (B, K). Advances the envelopes."""
        centres = ends - np.float64(voices[0].stft.hop_length) / 2
        if all(voice._is_straight for voice in voices):
            sounding = rows([voice.pitch for voice in voices], centres)
        else:
            sounding = np.stack([voice._sounding_pitch(row) for voice, row in zip(voices, centres, strict=True)])
        pitched = centres >= np.array([voice.pitched_from for voice in voices])[:, None]
        semitones = np.where(pitched, sounding, UNPITCHED_SEMITONES)
        key_pitch = np.where(pitched[:, -1], [voice.params.pitch for voice in voices], UNPITCHED_SEMITONES)
        clocks = cls._clocks(voices, ends, centres)
        features = all_note_features(
            clocks.since_onset,
            clocks.since_release,
            semitones,
            key_pitch,
            np.array([voice.params.velocity for voice in voices]),
        )
        f0 = np.where((ends > 0) & pitched, semitones_to_hz(semitones), 0.0)
        return BlockFeatures(features, f0, clocks.level_db)

    @classmethod
    def _clocks(cls, voices: Sequence[Self], ends: NDArray[np.int64], centres: NDArray[np.float64]) -> Clocks:
        """The clocks of the block, warped by the envelopes."""
        sample_rate = voices[0].sample_rate
        released = np.array([voice.released_at for voice in voices])[:, None]
        clocks = Clocks(ends / sample_rate, (ends - released) / sample_rate, None)
        if all(voice.envelope is None for voice in voices):
            return clocks
        settings = EnvelopeSettings(*(rows([voice.expression[name] for voice in voices], centres) for name in ENVELOPE))
        envelopes = [voice.envelope or Envelope() for voice in voices]
        clocks = warp(envelopes, clocks.since_onset, clocks.since_release, voices[0].hop_seconds, settings)
        for i, envelope in enumerate(envelopes):
            if envelope.grown_at == math.inf and clocks.since_onset[i, -1] > GROWN_SECONDS:
                envelope.grown_at = float(ends[i, -1])
        return clocks

    @property
    def hop_seconds(self) -> float:
        return self.stft.hop_length / self.sample_rate

    def shape_envelope(self) -> None:
        """Warp the clocks from the next block on; models without a prior have no envelope."""
        if self.settings.prior and self.envelope is None:
            self.envelope = Envelope()

    # -- called by the engine ----------------------------------------------------------------------------------------

    def release(self, at: float) -> None:
        """The key is up from `at` on; the network plays the release."""
        if not self.released:
            self.settle()
            self.released_at = at
            octaves = max(0.0, float(self.expression["release"].at(np.array([at]))[0])) if self.envelope else 0.0
            self.fade_out(at + _RELEASE_LIMIT_SECONDS * 2**octaves * self.sample_rate, 0.5 * self.sample_rate)

    def express(self, name: str, at: float, value: float, over: float) -> None:
        """Change one of the `EXPRESSIONS`; the envelope changes from the next block on."""
        super().express(name, at, value, over)
        if name in self.bent_by:
            self._outdate(at)
        if name in ENVELOPE:
            self.shape_envelope()

    def morph(self, at: float, timbre: NDArray[np.float64], over: float, pitched: bool) -> None:
        """Morph to a timbre, starting at `at`. Morphing to a pitched one makes the voice pitched from then on."""
        super().morph(at, timbre, over, pitched)
        if pitched:
            self.deviation = self.deviation or self._deviation()
            self.pitched_from = min(self.pitched_from, at)

    def _move_pitch(self, trajectory: Trajectory, at: float, value: float, over: float) -> None:
        """Move a trajectory that affects the pitch; planned excitation is bent before samples are taken."""
        trajectory.forget_before(self.planned_end - 4 * self._span)
        trajectory.move(at, value, over)
        self._outdate(at)

    def _outdate(self, at: float) -> None:
        """The planned pitch is outdated from `at` on."""
        if self.network is not None and at < self.planned_end:
            self._bent_from = min(self._bent_from, at)

    def catch_up(self) -> None:
        """Bend the planned excitation once for all changes since the last call: a wheel makes many between reads."""
        if self._bent_from < math.inf:
            at, self._bent_from = self._bent_from, math.inf
            self.settle()
            self._replan(max(int(at), self.position))

    def _replan(self, at: int) -> None:
        """Change the pitch of the planned excitation from `at` on, and correct the output accordingly.

        The filters are linear, so the correction is the filtered difference between the new and the old pulses. It is
        faded in, because the filters would spread it into samples before `at`, which have already been played.
        """
        hop, overlap = self.stft.hop_length, self.stft.overlap
        offset = at - (self.planned_end - self._span)
        f0 = self.f0(at, self.planned_end)
        planned, phases = self.pulses.whole(), self.phase.whole()
        pulses, phase = self.excite(f0, phases[offset], at)
        difference = np.zeros(overlap + self._span, np.float32)
        difference[overlap + offset :] = pulses - planned[offset:]
        planned[offset:], phases[offset + 1 :] = pulses, phase
        first = offset // hop  # the first frame whose window reaches `at`
        spectra = self.stft.analyse(difference[first * hop :]) * self.filters.whole()[first:]
        change = self._on_channels(spectra)[..., -(self.planned_end - at) :]
        fade = min(BEND_FADE_SAMPLES, change.shape[-1])
        change[..., :fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        self.output.change(at - self.position, change)

    def _on_channels(self, partials: Complex) -> Float:
        """Spectra (T, F) of partials in the last planned frames -> samples (N,), or (2, N) with their side."""
        middle = self.stft.overlap_add(partials)
        if self.settings.channels == 1:
            return middle
        ends = self.planned_end - np.arange(len(partials) - 1, -1, -1) * self.stft.hop_length
        levels = side_level(self.expression["width"].at(ends - np.float64(self.stft.hop_length) / 2))
        side = self.stft.overlap_add(self.settings.side.partials(partials, levels)) if levels.any() else 0.0
        return np.stack([middle + side, middle - side])

    # -- decay to silence --------------------------------------------------------------------------------------------

    def _watch_level(self, complete: Float, end: int) -> float:
        """End the note when several blocks in a row are inaudible."""
        level = super()._watch_level(complete, end)
        self._loudest_db = max(self._loudest_db, level)
        released = self.released_at < end
        growing = self.envelope is not None and end < self.envelope.grown_at and not released
        silent = not growing and level < max(SILENT_DB, self._loudest_db - _INAUDIBLE_DB if released else SILENT_DB)
        self._silent_blocks = self._silent_blocks + 1 if silent else 0
        enough = _SILENT_BLOCKS_RELEASED if released else _SILENT_BLOCKS
        if self._silent_blocks >= enough and self._silent_from == math.inf:
            self._silent_from = end - len(complete)
            self._fade(end - FADE_SAMPLES, FADE_SAMPLES)
        return level
