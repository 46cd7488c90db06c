"""One sounding note: its own clock, its controls over time, its excitation, and the samples it has ready.

Times are samples of the voice's clock, 0 = onset. Frame t covers hop t, its window sees the hops t - 3 ... t; block b
holds the frames b K ... b K + K - 1. Once the excitation is planned up to time P, output is complete up to P - 3 hops.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.score.expression import EXPRESSIONS, PRESSURE_BRIGHTNESS, PRESSURE_DB, VIBRATO_HZ
from cmaudio.signal.dsp import Float, Stft, pulse_train
from cmaudio.synthesis.deferred import Pending
from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.networks import NetworkState
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES
from cmaudio.synthesis.trajectory import Trajectory

FADE_SAMPLES = 240  # 5 ms at 48 kHz: heard as immediate, too long to click
BEND_FADE_SAMPLES = 240  # shorter fades click on low, pure timbres
SILENT_DB = -76.0
_INAUDIBLE_DB = 60.0  # below a released note's own loudest block
_SILENT_BLOCKS, _SILENT_BLOCKS_LET_GO = 6, 3
_RELEASE_LIMIT_SECONDS = 6.0


@dataclass(frozen=True)
class NoteParams:
    """What a note starts with: pitch as MIDI note number, velocity 1..127, `at` in samples of the engine's clock."""

    pitch: float
    velocity: float
    channel: int
    seed: int
    at: int
    steps: int


class Voice:
    """The state of one note between blocks. The renderer adds blocks, the engine steers it and takes its samples."""

    def __init__(
        self,
        params: NoteParams,
        timbre: NDArray[np.float64],
        bend: float,
        *,
        stft: Stft,
        block_frames: int,
        sample_rate: int,
        ahead_samples: int = 0,
        pitched: bool = True,
        expression: Mapping[str, float] | None = None,
    ) -> None:
        self.params = params
        self.steps = params.steps  # fewer from when the machine does not keep up
        self.pitched_from = -math.inf if pitched else math.inf  # before it noise alone sounds, whatever the key
        self.pitch = Trajectory(params.pitch + bend)
        self.timbre = Trajectory(timbre)
        self.expression = {name: Trajectory((expression or {}).get(name, 0.0)) for name in EXPRESSIONS}
        self.rng = np.random.Generator(np.random.PCG64(params.seed))
        self.stft, self.block_frames, self.sample_rate = stft, block_frames, sample_rate
        self.network: NetworkState | None = (
            None  # of the consistency network; the vocoder's is apart, it may lag behind
        )
        self.vocoder: list[Float] = []
        self.pending: deque[Pending] = deque()  # blocks that are still to be vocoded
        self.position = 0
        self.released_at = math.inf
        self.ends_at = math.inf
        self.fades_from = math.inf
        self._bent_from = math.inf  # what is planned from here on has another pitch by now
        self._asked_to_fade = math.inf  # apart from its own dying away, which is known only when it has been made
        self._silent_from = math.inf  # start of the block in which it was found to have died away
        self._levels_db: list[tuple[int, float]] = []  # (end of a block, its level), from the last one heard on
        self._silent_blocks, self._loudest_db = 0, SILENT_DB
        # Planned sources up to `planned_end`, as far back as a bend may still reach or the next frames still see.
        hop = stft.hop_length
        self._span = block_frames * hop + stft.overlap + -(-ahead_samples // hop) * hop
        self.planned_end = -block_frames * hop
        self.pulses = np.zeros(self._span, np.float32)
        self.noise = np.zeros(stft.overlap, np.float32)
        self.phase = np.zeros(self._span + 1)  # in cycles, before each sample and after the last
        self.filters = np.zeros((self._span // hop, stft.bins), np.complex64)  # H of the frames in that span
        self.ready = np.zeros(0, np.float32)  # complete samples from `position` on
        self._later: deque[Float] = deque()  # blocks of complete samples that follow; another thread may append
        self.tail = np.zeros(stft.overlap, np.float32)  # the samples up to `planned_end`, still growing

    # -- what the engine asks and tells ------------------------------------------------------------------------------

    @property
    def released(self) -> bool:
        """The key is up, or is known to go up."""
        return self.released_at < math.inf

    @property
    def finished(self) -> bool:
        return self.position >= self.ends_at

    @property
    def level_db(self) -> float:
        """Level of the block that was heard last, dB re full scale; 0 before the first."""
        end, level = self._levels_db[0] if self._levels_db else (0, 0.0)
        return level if 0 < end <= self.position else 0.0

    def sounds_at(self, time: float) -> bool:
        """Whether it will sound at `time`, by what was asked of it and was heard of it, not by how far it is made."""
        return time < self._asked_to_fade and (time < self.fades_from or self.position <= self._silent_from)

    def lacks(self, samples: int) -> bool:
        """Whether it needs another block before it can give the next `samples`."""
        return min(self.position + samples, self.ends_at) > self.planned_end - self.stft.overlap

    def settle(self) -> None:
        """Wait for the blocks under way; raises what went wrong with them."""
        while self.pending:
            self.pending.popleft().result()

    def take(self, samples: int) -> Float:
        """The next samples, fewer only where the voice ends. Call it while `lacks(samples)` is false."""
        self.catch_up()
        if len(self.ready) < samples:
            while self.pending and len(self.ready) + sum(map(len, tuple(self._later))) < samples:
                self.pending.popleft().result()
            self._gather()
        count = int(min(samples, max(0, self.ends_at - self.position)))
        out, self.ready = self.ready[:count], self.ready[count:]
        if self.position + count > self.fades_from:
            times = np.arange(self.position, self.position + count)
            fade = np.clip((self.ends_at - times) / (self.ends_at - self.fades_from), 0, 1)
            out = out * (0.5 - 0.5 * np.cos(np.pi * fade)).astype(np.float32)
        pressure = self.expression["pressure"]
        if not pressure.rests_at(self.position) or pressure.target:
            span = np.arange(self.position, self.position + count, dtype=np.float64)
            out = out * (10 ** (PRESSURE_DB / 20 * pressure.at(span))).astype(np.float32)
        self.position += count
        while len(self._levels_db) > 1 and self._levels_db[1][0] <= self.position:
            del self._levels_db[0]
        return out

    def release(self, at: float) -> None:
        """The key is up from `at` on; the network plays the release."""
        if not self.released:
            self.settle()
            self.released_at = at
            self.fade_out(at + _RELEASE_LIMIT_SECONDS * self.sample_rate, 0.5 * self.sample_rate)

    def fade_out(self, at: float, over: float = FADE_SAMPLES) -> None:
        """Fade to nothing from `at` on, and end; an earlier end stays."""
        self._asked_to_fade = min(self._asked_to_fade, at)
        self._fade(at, over)

    def bend(self, at: float, semitones: float, over: float) -> None:
        """Go to a pitch (MIDI note number) from `at` on; what is already planned is bent before it is taken."""
        self._move_pitch(self.pitch, at, semitones, over)

    def express(self, name: str, at: float, value: float, over: float) -> None:
        """Move one of the `EXPRESSIONS`: vibrato and pressure at once, the others from the next block on."""
        trajectory = self.expression[name]
        if name == "vibrato":
            self._move_pitch(trajectory, at, value, over)
        else:
            trajectory.forget_before(self.position)
            trajectory.move(at, value, over)

    def _move_pitch(self, trajectory: Trajectory, at: float, value: float, over: float) -> None:
        trajectory.forget_before(self.planned_end - 4 * self._span)
        trajectory.move(at, value, over)
        if self.network is not None and at < self.planned_end:
            self._bent_from = min(self._bent_from, at)

    def catch_up(self) -> None:
        """Bend what is planned already, once for all moves since the last time: a wheel makes many between reads."""
        if self._bent_from < math.inf:
            at, self._bent_from = self._bent_from, math.inf
            self.settle()
            self._replan(max(int(at), self.position))

    def morph(self, at: float, timbre: NDArray[np.float64], over: float, pitched: bool) -> None:
        """Go to a timbre from `at` on. Towards one that has a pitch, the voice has one from then on, and keeps it."""
        self.timbre.forget_before(self.planned_end - 4 * self._span)
        self.timbre.move(at, timbre, over)
        if pitched:
            self.pitched_from = min(self.pitched_from, at)

    # -- what the renderer asks and tells ----------------------------------------------------------------------------

    def f0(self, start: int, end: int) -> NDArray[np.float64]:
        """(N,) Hz for every sample in [start, end); rises from zero over the hop around the onset, as in training."""
        times = np.arange(start, end, dtype=np.float64)
        hz = semitones_to_hz(self._sounding_pitch(times))
        if self.pitched_from > start:
            hz *= times >= self.pitched_from
        hop = self.stft.hop_length
        return hz if start >= hop // 2 else hz * np.clip((times + 0.5) / hop + 0.5, 0, 1)

    def semitones(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) pitch as the network reads it, MIDI note numbers."""
        return np.where(times >= self.pitched_from, self._sounding_pitch(times), UNPITCHED_SEMITONES)

    def _sounding_pitch(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) MIDI note numbers, bend and vibrato included; the vibrato swings from the onset on, heard or not."""
        vibrato = self.expression["vibrato"]
        if vibrato.rests_at(times[0]) and not vibrato.target:
            return self.pitch.at(times)
        swing = np.sin(2 * np.pi * VIBRATO_HZ / self.sample_rate * times)
        return self.pitch.at(times) + vibrato.at(times) * swing

    def spectrum(self, times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Brightness in dB an octave and resonance -1..1, (N,) each; pressure brightens too."""
        pressure = self.expression["pressure"].at(times)
        brightness = self.expression["brightness"].at(times) + PRESSURE_BRIGHTNESS * pressure
        return brightness, self.expression["resonance"].at(times)

    def plan(self, pulses: Float, noise: Float, phase: NDArray[np.float64]) -> tuple[Float, Float]:
        """Append K hops of sources; returns the (overlap + K hops) of pulses and noise that their frames see."""
        count, overlap = len(pulses), self.stft.overlap
        self.pulses = np.concatenate([self.pulses[count:], pulses])
        self.phase = np.concatenate([self.phase[count:], phase])
        seen = np.concatenate([self.noise, noise])
        self.noise = seen[count:]
        self.planned_end += count
        return self.pulses[-overlap - count :], seen

    def add_block(self, samples: Float, filters: NDArray[np.complex64], end: int) -> None:
        """Take the overlap-added (overlap + K hops) of a block's frames up to voice time `end`, and their H."""
        overlap = self.stft.overlap
        self.filters = np.concatenate([self.filters[len(filters) :], filters])
        samples[:overlap] += self.tail
        complete_from = end - len(samples)
        complete, self.tail = samples[:-overlap], samples[-overlap:]
        complete = complete[
            max(0, -complete_from) :
        ]  # what a first block's windows spread before the onset is not played
        self._watch_level(complete, end - overlap)
        self._later.append(complete)

    def _watch_level(self, complete: Float, end: int) -> None:
        power = float(np.mean(np.square(complete))) if len(complete) else 1.0
        level = 10 * math.log10(power + 1e-12)
        self._levels_db.append((end, level))
        self._loudest_db = max(self._loudest_db, level)
        let_go = self.released_at < end
        silent = level < max(SILENT_DB, self._loudest_db - _INAUDIBLE_DB if let_go else SILENT_DB)
        self._silent_blocks = self._silent_blocks + 1 if silent else 0
        enough = _SILENT_BLOCKS_LET_GO if let_go else _SILENT_BLOCKS
        if self._silent_blocks >= enough and self._silent_from == math.inf:
            self._silent_from = end - len(complete)
            self._fade(end - FADE_SAMPLES, FADE_SAMPLES)

    def _fade(self, at: float, over: float) -> None:
        if at + over < self.ends_at:
            self.fades_from, self.ends_at = at, at + over

    def _gather(self) -> None:
        blocks = [self._later.popleft() for _ in range(len(self._later))]
        if blocks:
            self.ready = np.concatenate([self.ready, *blocks])

    def _replan(self, at: int) -> None:
        """Change the pitch of planned excitation from `at` on, and the output by what that changes.

        The filters are linear, so the correction is the filtered difference between the new and the old pulses. It
        comes in over a short fade, since what the filters would spread before `at` has been played.
        """
        hop, overlap = self.stft.hop_length, self.stft.overlap
        offset = at - (self.planned_end - self._span)
        f0 = self.f0(at, self.planned_end)
        pulses, phase = pulse_train(f0, self.phase[offset], self.sample_rate)
        difference = np.zeros(overlap + self._span, np.float32)
        difference[overlap + offset :] = pulses - self.pulses[offset:]
        self.pulses[offset:], self.phase[offset + 1 :] = pulses, phase
        first = offset // hop  # the first frame whose window reaches `at`
        change = self.stft.overlap_add(self.stft.analyse(difference[first * hop :]) * self.filters[first:])
        change = change[len(change) - (self.planned_end - at) :]
        fade = min(BEND_FADE_SAMPLES, len(change))
        change[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        self._gather()
        pending = np.concatenate([self.ready, self.tail])
        pending[at - self.position :] += change
        self.ready, self.tail = pending[:-overlap], pending[-overlap:]


def stack(arrays: Sequence[Float]) -> Float:
    """Join per-voice arrays along a new leading axis, without a copy where there is one voice."""
    return arrays[0][None] if len(arrays) == 1 else np.stack(arrays)
