"""The start parameters of a voice, and the formats of its samples and blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float, Stft
from cmaudio.synthesis.placement import Side
from cmaudio.synthesis.sources import Sources
from cmaudio.synthesis.timbre_deviations import TimbreDeviations

BlockFeatures = tuple[Float, NDArray[np.float64], NDArray[np.float64] | None]
"""Of B voices and K frames: features (B, K, C), f0 (B, K) Hz, and level offsets in dB: (B, K), or (B, K, P) for parts
of the bands, or None for none."""


@dataclass(frozen=True)
class NoteParams:
    """The start of a note: pitch as MIDI note number, velocity 1..127, `at` in samples of the engine's clock.

    `pair`: the output pair that it plays on, from 1; None for the main mix.
    """

    pitch: float
    velocity: float
    channel: int
    seed: int
    at: int
    steps: int
    pair: int | None = None


@dataclass(frozen=True)
class VoiceSettings:
    """Settings that all voices of an engine share.

    `ahead_samples`: how early blocks may be computed; planned samples are kept that much longer so that a bend still
    reaches them. `channels`: of the voices' samples, 1 or 2.
    `sources`: the excitations of the timbres; None if all are harmonic. `prior`: whether the model has one.
    `deviations`: of the timbres' pitch; None if all are exact.
    """

    stft: Stft
    block_frames: int
    sample_rate: int
    ahead_samples: int = 0
    channels: int = 1
    sources: Sources | None = None
    prior: bool = False
    deviations: TimbreDeviations | None = None

    @cached_property
    def side(self) -> Side:
        """Spreads the voices over the stereo image."""
        return Side(self.stft, self.sample_rate)

    @property
    def block_samples(self) -> int:
        return self.block_frames * self.stft.hop_length

    @property
    def span_samples(self) -> int:
        """Length of the planned excitation that is kept; a whole number of hops."""
        hop = self.stft.hop_length
        return self.block_samples + self.stft.overlap + -(-self.ahead_samples // hop) * hop
