"""The last step of a block: frames through the vocoder, its filters applied to the excitation, samples into the voices.

Shapes: B voices, K frames of a block, M mel bands, F STFT bins, N samples, P components of partials.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cmaudio.signal.dsp import Complex, Float, Stft
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.silence_gate import SilenceGate
from cmaudio.synthesis.state_rows import joined, rows_of
from cmaudio.synthesis.voice import Voice


def used_bins(stft: Stft) -> int:
    """How many bins of a frame are synthesised: the highest hardly affect the training loss and contain noise."""
    return round(0.97 * stft.n_fft / 2)


@dataclass(frozen=True)
class VocoderInput:
    """The vocoder's inputs for one block.

    Attributes:
        ends: voice times at which the voices' blocks end.
        frames: (B, K, M) normalised log-mel.
        base_hz: (B, K) base of the excitation, 0 for noise.
        pulses: (B, K, F) spectra of the excitation.
        noise: (B, N) noise samples.
        side_levels: (B, K) levels of the side signal; None without.
        partial_gains: by voice, factors of its partials (K, P) and their spacing (K,) in Hz.
        level: (B, K, 1) nepers to add to the output; None for 0.
    """

    ends: list[int]
    frames: Float
    base_hz: Float
    pulses: Complex
    noise: Float
    side_levels: Float | None
    partial_gains: dict[int, tuple[Complex, Float]]
    level: Float | None


class BlockVocoder:
    """The vocoder of a model, for batches of voices."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._stft = synthesizer.model.stft
        self._used_bins = used_bins(self._stft)
        self._gate = SilenceGate(synthesizer.model.mel, synthesizer.mean, synthesizer.std)
        self._bin_hz = synthesizer.model.manifest.sample_rate / self._stft.n_fft

    def __call__(self, voices: list[Voice], block: VocoderInput) -> None:
        """Vocode a block, and add its samples to the voices."""
        from cmaudio.synthesis import filter_kernel  # imports numba

        states = joined([voice.vocoder for voice in voices if voice.vocoder is not None])
        raw, *states = self._synthesizer.vocoder(block.frames, block.base_hz, state=states)
        h = filter_kernel.harmonic_filters(raw, self._used_bins)
        if block.partial_gains:
            from cmaudio.synthesis.deviation_kernel import waver  # imports numba

            for i, (gain, spacing_hz) in block.partial_gains.items():
                waver(h[i], block.pulses[i], gain, spacing_hz, self._bin_hz)
        sides = None
        if block.side_levels is not None:
            side = voices[0].settings.side
            places = side.places([voice.params.seed for voice in voices], block.ends, block.frames.shape[1])
            sides = filter_kernel.Sides(side.loop, places, side.swing, block.side_levels)
        gains = self._gate(block.frames)
        if block.level is not None:
            gains *= np.exp(block.level)
        noise = self._stft.analyse(block.noise, precise=False)
        spectra = filter_kernel.filtered(raw, h, block.pulses, noise, self._used_bins, gains, sides)
        samples = self._stft.overlap_add(spectra)  # (1 or 2, B, N)
        faulty = not np.isfinite(samples.sum())
        for i, (voice, row) in enumerate(zip(voices, rows_of(states, len(voices)), strict=True)):
            voice.vocoder = row
            if faulty and not np.isfinite(samples[:, i]).all():  # a fault of the model ends only the voice concerned
                samples[:, i], h[i] = 0, 0
                voice.fade_out(voice.position)
            voice.add_block(samples[:, i], h[i], block.ends[i])
