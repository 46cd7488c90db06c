"""Computes batched blocks of voices: excitation and controls, then frames from the networks, then samples.

Shapes: B voices, K frames of a block, M mel bands, C control channels, F STFT bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cmaudio.score.expression import PRESSURE_BRIGHTNESS
from cmaudio.signal.dsp import NOISE_SCALE, Complex, Float, pulse_train
from cmaudio.synthesis.block_vocoder import BlockVocoder, VocoderInput
from cmaudio.synthesis.deferred import Deferred, Pending
from cmaudio.synthesis.distance import air_tilt
from cmaudio.synthesis.excitation import harmonic_picture
from cmaudio.synthesis.networks import NetworkState, Synthesizer, stack
from cmaudio.synthesis.placement import side_level
from cmaudio.synthesis.spectrum_shaping import SpectrumShaper
from cmaudio.synthesis.state_rows import joined, rows_of
from cmaudio.synthesis.trajectory import rows
from cmaudio.synthesis.voice import Voice
from cmaudio.system import raise_thread_priority

_HALVED_FROM_VOICES = 6  # fewer are faster on one thread


def _alike(voices: Sequence[Voice]) -> Iterator[tuple[list[Voice], int]]:
    """Groups of voices with the same number of steps, and that number; applies their pending bends."""
    for voice in voices:
        voice.catch_up()
    for steps in sorted({voice.steps for voice in voices}):
        yield [voice for voice in voices if voice.steps == steps], steps


def _expressed(voices: Sequence[Voice], name: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, K) an expression at the voices' times (B, K)."""
    return rows([voice.expression[name] for voice in voices], times)


def _drawn(voices: Sequence[Voice], *shape: int) -> Float:
    """(B, *shape) standard normal numbers, those of each voice from its own generator."""
    numbers = np.empty((len(voices), *shape), np.float32)
    for voice, row in zip(voices, numbers, strict=True):
        voice.rng.standard_normal(dtype=np.float32, out=row)
    return numbers


@dataclass(frozen=True)
class _Inputs:
    """Inputs of the networks for a block, from `BlockFeatures` in single precision.

    Attributes:
        controls: (B, K, C) features, and log-mel of the excitation.
        timbre: (B, K, Z).
        f0: (B, K) Hz.
        level_db: see `BlockFeatures`.
        residual_gain, resonance: see `BlockFeatures`.
    """

    controls: Float
    timbre: Float
    f0: Float
    level_db: Float | None
    residual_gain: Float | None
    resonance: Float | None


class Renderer:
    """Adds blocks to voices. A voice's samples depend only on its own history, not on what it is batched with.

    With `threads` = 2, many voices are computed in two halves in parallel, which lowers the latency. With `pipelined`,
    the vocoder runs while the network generates the next blocks instead, which raises the throughput.
    """

    def __init__(self, synthesizer: Synthesizer, threads: int = 1, pipelined: bool = False) -> None:
        self.synthesizer = synthesizer
        # Parallel halves are for live use, where the caller waits for both.
        initializer = None if pipelined else raise_thread_priority
        self._worker = ThreadPoolExecutor(1, "cmaudio-render", initializer) if threads > 1 else None
        self._pipelined = pipelined
        model = synthesizer.model
        self.stft, self.mel = model.stft, model.mel
        self.block_frames = synthesizer.block_frames
        self.block_samples = model.manifest.block_samples
        self.sample_rate = model.manifest.sample_rate
        self._sees_partials = model.manifest.picture == "partials"
        self._shaper = SpectrumShaper(self.mel, synthesizer.mean, synthesizer.std)
        self._vocode = BlockVocoder(synthesizer)

    def render(self, voices: Sequence[Voice]) -> None:
        """Add a block to every voice; voices may be at different positions and have different `steps`."""
        for alike, steps in _alike(voices):
            if self._worker is None or self._pipelined or len(alike) < _HALVED_FROM_VOICES:
                submit = self._worker.submit if self._worker and self._pipelined else None
                self._render(alike, steps, submit)
                continue
            middle = len(alike) // 2
            for voice in alike:  # here, since both halves may wait for the same work
                voice.settle()
            half = self._worker.submit(self._render, alike[middle:], steps, None)
            try:
                self._render(alike[:middle], steps, None)
            finally:  # after an error as well: the other half must not run on while its voices are dropped
                half.result()

    def take(self, voices: Sequence[Voice], samples: int) -> Float:
        """(B, N) the next samples of mono voices without an engine, 0 after their ends; computes missing blocks."""
        while lacking := [voice for voice in voices if voice.lacks(samples)]:
            self.render(lacking)
        out = np.zeros((len(voices), samples), np.float32)
        for row, voice in zip(out, voices, strict=True):
            part = voice.take(samples)
            row[: len(part)] = part
        return out

    def begin(self, voices: Sequence[Voice]) -> list[Deferred]:
        """The first half of `render`, up to the vocoder; the second is deferred until one of the voices needs it.

        Returns the deferred work, so that it can be done earlier in spare time.
        """
        deferred: list[Deferred] = []

        def defer(work: Callable[[], None]) -> Deferred:
            deferred.append(Deferred(work))
            return deferred[-1]

        for alike, steps in _alike(voices):
            self._render(alike, steps, defer)
        return deferred

    def _render(self, voices: list[Voice], steps: int, submit: Callable[[Callable[[], None]], Pending] | None) -> None:
        """Render a block; run the vocoder immediately, or through `submit`."""
        fresh = [voice for voice in voices if voice.network is None]
        if fresh:
            self._start(fresh)
        k, bands = self.block_frames, self.synthesizer.bands
        numbers = _drawn(voices, 2, k, bands)
        context_noise, block_noise = numbers[:, 0], numbers[:, 1:]
        excitation, noise, harmonics, own = self._plan(voices)
        pulses = self.stft.analyse(excitation)
        if steps > 1:
            block_noise = np.concatenate([block_noise, _drawn(voices, steps - 1, k, bands)], 1)
        inputs = self._inputs(voices, self._seen(pulses, harmonics))
        controls, timbre = inputs.controls, inputs.timbre
        state = NetworkState.of(joined([voice.network for voice in voices if voice.network is not None]), [])
        middles = self._frame_middles(voices)
        humanity = self._humanity(voices, middles, inputs.residual_gain)
        state = self.synthesizer.generate(state, controls, timbre, context_noise, block_noise, humanity)
        for voice, row in zip(voices, rows_of(state.arrays, len(voices)), strict=True):
            voice.network = row
        base_hz = inputs.f0.copy()  # or a fraction of it, or 0 for noise
        for i in own:
            base_hz[i] *= voices[i].base_ratio(middles[i]).astype(np.float32)
        block = VocoderInput(
            ends=[voice.planned_end for voice in voices],
            frames=self._shaped(voices, middles, state.frames, inputs),
            base_hz=base_hz,
            pulses=pulses,
            noise=noise,
            side_levels=self._side_levels(voices, middles),
            partial_gains=self._partial_gains(voices, base_hz),
            level=state.level,
        )
        if submit is None:
            for voice in voices:
                voice.settle()
            self._vocode(voices, block)
            return
        pending = submit(partial(self._vocode, voices, block))
        for voice in voices:
            voice.pending.append(pending)

    def _start(self, voices: list[Voice]) -> None:
        """Run the networks over the silent block before the onset."""
        excitation, _, harmonics, _ = self._plan(voices)
        pulses = self.stft.analyse(excitation)
        inputs = self._inputs(voices, self._seen(pulses, harmonics))
        state = self.synthesizer.init_state(inputs.controls, inputs.timbre)
        networks, vocoders = (rows_of(arrays, len(voices)) for arrays in (state.arrays, state.vocoder))
        for voice, network, vocoder in zip(voices, networks, vocoders, strict=True):
            voice.network, voice.vocoder = network, vocoder

    def _plan(self, voices: list[Voice]) -> tuple[Float, Float, dict[int, Float], list[int]]:
        """Plan the next K hops of excitation; N includes the past samples in their windows.

        Returns the excitation (B, N), noise (B, N), by voice the harmonics (N,) that the networks see instead of noise
        and, in some models, instead of inharmonic partials, and which voices have an excitation of their own.
        """
        count, overlap = self.block_samples, self.stft.overlap
        f0 = type(voices[0]).block_f0(voices, count)  # all voices of a model are of one kind
        phase = np.array([voice.phase.last(1)[0] for voice in voices])
        pulses, phases = pulse_train(f0, phase, self.sample_rate)
        own = [i for i, voice in enumerate(voices) if not voice.is_harmonic(voice.planned_end)]
        hidden = [i for i in own if not self._sees_partials or voices[i].hides_harmonics(voices[i].planned_end)]
        seen = {i: voices[i].plan_harmonics(pulses[i].copy()) for i in hidden}
        for i in own:
            pulses[i], phases[i] = voices[i].excite(f0[i], phase[i], voices[i].planned_end)
        excitation, noise = (np.empty((len(voices), overlap + count), np.float32) for _ in range(2))
        excitation[:, overlap:] = pulses
        np.multiply(_drawn(voices, count), NOISE_SCALE, out=noise[:, overlap:])
        for voice, *row in zip(voices, excitation, noise, phases, strict=True):
            voice.plan(*row)
        return excitation, noise, seen, own

    def _seen(self, pulses: Complex, harmonics: dict[int, Float]) -> Complex:
        """Spectra (B, K, F) of the excitation as the networks see it."""
        if not harmonics:
            return pulses
        seen = pulses.copy()
        seen[list(harmonics)] = self.stft.analyse(stack(list(harmonics.values())))
        return seen

    def _inputs(self, voices: list[Voice], pulses: Complex) -> _Inputs:
        """The inputs of the block just planned, given its excitation as the networks see it (B, K, F)."""
        middles = self._frame_middles(voices)
        dims = max(len(voice.timbre.target) for voice in voices)
        for voice in voices:  # those that started before a timbre was learned lack its dimension
            voice.timbre.widen(dims)
        timbre = rows([voice.timbre for voice in voices], middles)
        # Older models read only the first features.
        block = type(voices[0]).block_features(voices, self._frame_ends(voices))
        features = block.features[..., : self.synthesizer.features]
        return _Inputs(
            controls=np.concatenate([features, harmonic_picture(self.mel(pulses))], -1),
            timbre=timbre.astype(np.float32),
            f0=block.f0.astype(np.float32),
            level_db=None if block.level_db is None else block.level_db.astype(np.float32),
            residual_gain=block.residual_gain,
            resonance=None if block.resonance is None else block.resonance.astype(np.float32),
        )

    @staticmethod
    def _humanity(voices: list[Voice], middles: NDArray[np.float64], residual_gain: Float | None) -> Float:
        """(B, K, 1) scale of the residual in each frame; (B, K, M) with gains of bands."""
        humanity = _expressed(voices, "humanity", middles).astype(np.float32)[..., None]
        return humanity if residual_gain is None else humanity * residual_gain

    def _frame_ends(self, voices: list[Voice]) -> NDArray[np.int64]:
        """(B, K) voice times at which the frames of the block just planned end."""
        k = self.block_frames
        return (
            np.array([voice.planned_end for voice in voices])[:, None] + (np.arange(k) - (k - 1)) * self.stft.hop_length
        )

    def _frame_middles(self, voices: list[Voice]) -> NDArray[np.float64]:
        """(B, K) voice times of the middles of those frames' last hops."""
        return self._frame_ends(voices) - np.float64(self.stft.hop_length) / 2

    def _shaped(self, voices: list[Voice], middles: NDArray[np.float64], frames: Float, inputs: _Inputs) -> Float:
        """Frames (B, K, M) with brightness, resonance and level applied."""
        pressure = _expressed(voices, "pressure", middles)
        tilt = _expressed(voices, "brightness", middles) + PRESSURE_BRIGHTNESS * pressure
        if voices[0].settings.channels > 1:
            tilt = tilt + air_tilt(_expressed(voices, "distance", middles))
        brightness, resonance = (x.astype(np.float32) for x in (tilt, _expressed(voices, "resonance", middles)))
        if inputs.resonance is not None:
            resonance = resonance + inputs.resonance
        if inputs.level_db is None and not (brightness.any() or resonance.any()):
            return frames
        return self._shaper(frames, inputs.f0, brightness, resonance, inputs.level_db)

    def _side_levels(self, voices: list[Voice], middles: NDArray[np.float64]) -> Float | None:
        """(B, K) levels of the side signal; None for mono."""
        if voices[0].settings.channels == 1:
            return None
        levels = side_level(_expressed(voices, "width", middles))
        return levels if levels.any() else None

    def _partial_gains(self, voices: list[Voice], base_hz: Float) -> dict[int, tuple[Complex, Float]]:
        """By voice, the factors of its partials (K, P) and their spacing (K,) in Hz; base_hz (B, K)."""
        hops = self._frame_ends(voices) // self.stft.hop_length - 2  # the middles of the windows
        deviations = {i: voice.deviation for i, voice in enumerate(voices) if voice.deviation is not None}
        found = {i: of.gains(hops[i], base_hz[i]) for i, of in deviations.items()}
        return {i: gain for i, gain in found.items() if gain is not None}
