"""Computes batched blocks: excitation and controls in, networks, filtered frames out into each voice.

Shapes: B voices, K frames of a block, M mel bands, C control channels, F STFT bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.score.expression import PRESSURE_BRIGHTNESS
from cmaudio.signal.dsp import Complex, Float, Stft, pulse_train, white_noise
from cmaudio.synthesis.deferred import Deferred, Pending
from cmaudio.synthesis.distance import air_tilt
from cmaudio.synthesis.excitation import harmonic_picture
from cmaudio.synthesis.networks import Synthesizer, batch_arrays, batch_states, split_states, stack
from cmaudio.synthesis.placement import side_level
from cmaudio.synthesis.spectrum_shaping import SpectrumShaper
from cmaudio.synthesis.trajectory import rows
from cmaudio.synthesis.voice import Voice
from cmaudio.system import raise_thread_priority

_HALVED_FROM_VOICES = 6  # fewer are faster on one thread


def _alike(voices: Sequence[Voice]) -> Iterator[tuple[list[Voice], int]]:
    """Groups of voices with the same number of steps, and that number; pending bends are applied."""
    for voice in voices:
        voice.catch_up()
    for steps in sorted({voice.steps for voice in voices}):
        yield [voice for voice in voices if voice.steps == steps], steps


def _expressed(voices: Sequence[Voice], name: str, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """(B, K) an expression at the voices' times (B, K)."""
    return rows([voice.expression[name] for voice in voices], times)


def heard_bins(stft: Stft) -> int:
    """How many bins of a frame are played: the highest hardly affect the training loss and contain noise."""
    return round(0.97 * stft.n_fft / 2)


def load_kernels() -> None:
    """Compile what every block needs, or load it: a width may go from none to some while it plays."""
    from cmaudio.synthesis import filter_kernel  # imports numba

    filter_kernel.load_kernels()


class Renderer:
    """Adds blocks to voices. A voice's samples depend only on its own history, not on what it is batched with.

    With `threads` = 2, many voices are computed in two halves in parallel, which lowers the latency. With `pipelined`,
    the vocoder runs while the network generates the next blocks instead, which raises the throughput.
    """

    def __init__(self, synthesizer: Synthesizer, threads: int = 1, pipelined: bool = False) -> None:
        self.synthesizer = synthesizer
        # Parallel halves are for live use, where both are waited for.
        hurry = None if pipelined else raise_thread_priority
        self._worker = ThreadPoolExecutor(1, "cmaudio-render", hurry) if threads > 1 else None
        self._pipelined = pipelined
        model = synthesizer.model
        self.stft, self.mel = model.stft, model.mel
        self.block_frames = synthesizer.block_frames
        self._band_end = heard_bins(self.stft)
        self._bin_hz = model.manifest.sample_rate / self.stft.n_fft
        self.block_samples = model.manifest.block_samples
        self.sample_rate = model.manifest.sample_rate
        mean, std = (np.array(x, np.float32) for x in (model.manifest.mel.mean, model.manifest.mel.std))
        self._sees_partials = model.manifest.picture == "partials"
        self._shaper = SpectrumShaper(self.mel, mean, std)

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

    def begin(self, voices: Sequence[Voice]) -> list[Deferred]:
        """The first half of `render`, up to the vocoder; the second is deferred until one of the voices needs it.

        Returns the deferred work, so that it can be done earlier in spare time.
        """
        parts: list[Deferred] = []

        def put_off(work: Callable[..., None], *arguments: Any) -> Deferred:
            parts.append(Deferred(partial(work, *arguments)))
            return parts[-1]

        for alike, steps in _alike(voices):
            self._render(alike, steps, put_off)
        return parts

    def _render(self, voices: list[Voice], steps: int, submit: Callable[..., Pending] | None) -> None:
        """Render a block; run the vocoder immediately, or through `submit(work, *arguments)`."""
        fresh = [voice for voice in voices if voice.network is None]
        if fresh:
            self._start(fresh)
        k, bands = self.block_frames, self.synthesizer.bands
        context_noise = stack([voice.rng.standard_normal((k, bands), dtype=np.float32) for voice in voices])
        block_noise = stack([voice.rng.standard_normal((1, k, bands), dtype=np.float32) for voice in voices])
        excitation, noise, harmonics = self._plan(voices)
        pulses = self.stft.analyse(excitation)
        if steps > 1:
            more = [voice.rng.standard_normal((steps - 1, k, bands), dtype=np.float32) for voice in voices]
            block_noise = np.concatenate([block_noise, stack(more)], 1)
        controls, timbre, f0, level = self._controls(voices, self._seen(pulses, harmonics))
        state = batch_states([voice.network for voice in voices if voice.network is not None])
        middles = self._frame_middles(voices)
        humanity = self._humanity(voices, middles)
        state = self.synthesizer.generate(state, controls, timbre, context_noise, block_noise, humanity)
        for voice, network in zip(voices, split_states(state), strict=True):
            voice.network = network
        ends = [voice.planned_end for voice in voices]
        frames = self._shaped(voices, middles, state.frames, f0, level)
        levels = self._side_levels(voices, middles)
        f0 = self._base_hz(voices, middles, f0)
        gains = self._partial_gains(voices, f0)
        louder = self.synthesizer.corrected_level(controls, timbre)
        if submit is None:
            for voice in voices:
                voice.settle()
            self._vocode(voices, ends, frames, f0, pulses, noise, levels, gains, louder)
            return
        block = submit(self._vocode, voices, ends, frames, f0, pulses, noise, levels, gains, louder)
        for voice in voices:
            voice.pending.append(block)

    def _start(self, voices: list[Voice]) -> None:
        """Run the networks over the silent block before the onset."""
        excitation, _, harmonics = self._plan(voices)
        pulses = self.stft.analyse(excitation)
        controls, timbre, *_ = self._controls(voices, self._seen(pulses, harmonics))
        states = split_states(self.synthesizer.init_state(controls, timbre))
        for voice, state in zip(voices, states, strict=True):
            voice.vocoder, state.vocoder = state.vocoder, []
            voice.network = state

    def _plan(self, voices: list[Voice]) -> tuple[Float, Float, dict[int, Float]]:
        """Plan the next K hops of excitation, as far back as the windows reach.

        Returns the excitation (B, N), noise (B, N), and by voice the harmonics (N,) that the networks see instead of
        noise and, in some models, instead of inharmonic partials.
        """
        count = self.block_samples
        f0 = np.stack([voice.f0(voice.planned_end, voice.planned_end + count) for voice in voices])
        phase = np.array([voice.phase[-1] for voice in voices])
        pulses, phases = pulse_train(f0, phase, self.sample_rate)
        own = [i for i, voice in enumerate(voices) if not voice.is_harmonic(voice.planned_end)]
        hidden = [i for i in own if not self._sees_partials or voices[i].hides_harmonics(voices[i].planned_end)]
        seen = {i: voices[i].plan_harmonics(pulses[i].copy()) for i in hidden}
        for i in own:
            pulses[i], phases[i] = voices[i].excite(f0[i], phase[i], voices[i].planned_end)
        planned = [voice.plan(pulses[i], white_noise(voice.rng, count), phases[i]) for i, voice in enumerate(voices)]
        excitation, noise = (stack([arrays[j] for arrays in planned]) for j in (0, 1))
        return excitation, noise, seen

    def _seen(self, pulses: Complex, harmonics: dict[int, Float]) -> Complex:
        """Spectra (B, K, F) of the excitation as the networks see it."""
        if not harmonics:
            return pulses
        seen = pulses.copy()
        seen[list(harmonics)] = self.stft.analyse(stack(list(harmonics.values())))
        return seen

    def _controls(self, voices: list[Voice], pulses: Complex) -> tuple[Float, Float, Float, Float | None]:
        """Controls (B, K, C), timbre (B, K, Z), f0 (B, K) Hz and level (B, K) dB of the block just planned."""
        middles = self._frame_middles(voices)
        dims = max(len(voice.timbre.target) for voice in voices)
        for voice in voices:  # one that started before a timbre was learned lacks its axis
            voice.timbre.widen(dims)
        timbre = rows([voice.timbre for voice in voices], middles)
        # All voices of a model are of one kind; older models read fewer features, the first ones.
        features, f0, level = type(voices[0]).block_features(voices, self._frame_ends(voices))
        features = features[..., : self.synthesizer.features]
        controls = np.concatenate([features, harmonic_picture(self.mel(pulses))], -1)
        offset = None if level is None else level.astype(np.float32)
        return controls, timbre.astype(np.float32), f0.astype(np.float32), offset

    def _humanity(self, voices: list[Voice], middles: NDArray[np.float64]) -> Float:
        """(B, K, 1) the humanity of each frame, or (B, K, M) where some bands are drawn less than others."""
        humanity = _expressed(voices, "humanity", middles).astype(np.float32)[..., None]
        if all(voice.kept is None for voice in voices):
            return humanity
        whole = np.ones(self.synthesizer.bands, np.float32)
        return humanity * np.stack([whole if voice.kept is None else voice.kept for voice in voices])[:, None]

    def _frame_ends(self, voices: list[Voice]) -> NDArray[np.int64]:
        """(B, K) voice times at which the frames of the block just planned end."""
        k = self.block_frames
        return (
            np.array([voice.planned_end for voice in voices])[:, None] + (np.arange(k) - (k - 1)) * self.stft.hop_length
        )

    def _frame_middles(self, voices: list[Voice]) -> NDArray[np.float64]:
        """(B, K) voice times of the middles of those frames' last hops."""
        return self._frame_ends(voices) - np.float64(self.stft.hop_length) / 2

    def _shaped(
        self, voices: list[Voice], middles: NDArray[np.float64], frames: Float, f0: Float, level: Float | None
    ) -> Float:
        """Frames (B, K, M) with brightness, resonance and level (B, K) dB applied."""
        pressure = _expressed(voices, "pressure", middles)
        tilt = _expressed(voices, "brightness", middles) + PRESSURE_BRIGHTNESS * pressure
        if voices[0].settings.channels > 1:
            tilt = tilt + air_tilt(_expressed(voices, "distance", middles))
        brightness, resonance = (x.astype(np.float32) for x in (tilt, _expressed(voices, "resonance", middles)))
        if level is None and not (brightness.any() or resonance.any()):
            return frames
        return self._shaper(frames, f0, brightness, resonance, level)

    def _side_levels(self, voices: list[Voice], middles: NDArray[np.float64]) -> Float | None:
        """(B, K) levels of the noise of the sides, None where there is none."""
        if voices[0].settings.channels == 1:
            return None
        levels = side_level(_expressed(voices, "width", middles))
        return levels if levels.any() else None

    def _base_hz(self, voices: list[Voice], middles: NDArray[np.float64], f0: Float) -> Float:
        """(B, K) Hz, f0, a lower base of the excitation or 0 for noise: what the vocoder filters."""
        if voices[0].settings.sources is None:
            return f0
        ratios = [voice.base_ratio(row) for voice, row in zip(voices, middles, strict=True)]
        return f0 * np.stack(ratios).astype(np.float32)

    def _partial_gains(self, voices: list[Voice], base_hz: Float) -> dict[int, tuple[Complex, Float]]:
        """By voice what its partials are multiplied by (K, P), and how far apart those are (K,) Hz; base_hz (B, K)."""
        hops = self._frame_ends(voices) // self.stft.hop_length - 2  # the middles of the windows
        deviations = {i: voice.deviation for i, voice in enumerate(voices) if voice.deviation is not None}
        found = {i: of.gains(hops[i], base_hz[i]) for i, of in deviations.items()}
        return {i: gain for i, gain in found.items() if gain is not None}

    def _vocode(
        self,
        voices: list[Voice],
        ends: list[int],
        frames: Float,
        f0: Float,
        pulses: Complex,
        noise: Float,
        levels: Float | None,
        gains: dict[int, tuple[Complex, Float]],
        louder: Float | None,
    ) -> None:
        """Frames (B, K, M) to samples, into the voices.

        `ends` are the voice times at which the blocks end; pulses are spectra (B, K, F), the noise is samples, levels
        (B, K) are those of the sides, and gains (K, P) those of the partials of some voices, (K,) Hz apart.
        All is `louder` than the frames by (B, K, 1) nepers.
        """
        from cmaudio.synthesis import filter_kernel  # imports numba

        states = batch_arrays([voice.vocoder for voice in voices])
        raw, *states = self.synthesizer.vocoder(frames, f0, state=states)
        h = filter_kernel.harmonic_filters(raw, self._band_end)
        if gains:
            from cmaudio.synthesis.deviation_kernel import waver  # imports numba

            for i, (gain, apart_hz) in gains.items():
                waver(h[i], pulses[i], gain, apart_hz, self._bin_hz)
        sides = None
        if levels is not None:
            side = voices[0].settings.side
            own = side.noise([voice.params.seed for voice in voices], ends, self.block_frames)
            sides = filter_kernel.Sides(own, side.swing, levels)
        noises = self.stft.analyse(noise, precise=False)
        spectra = filter_kernel.filtered(raw, h, pulses, noises, self._band_end, sides)
        if louder is not None:
            for part in (h, spectra):
                part *= np.exp(louder)
        samples = self.stft.overlap_add(spectra)  # (1 or 2, B, N)
        for i, voice in enumerate(voices):
            voice.vocoder = [array[i : i + 1] for array in states]
            if not np.isfinite(samples[:, i]).all():  # a fault of the model ends this voice, and nothing else
                samples[:, i], h[i] = 0, 0
                voice.fade_out(voice.position)
            voice.add_block(samples[:, i], h[i], ends[i])
