"""The start parameters of a voice, and the formats of its samples and blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float, Stft
from cmaudio.synthesis.placement import Side
from cmaudio.synthesis.sources import Sources, sources_of
from cmaudio.synthesis.timbre_deviations import TimbreDeviations, deviations_of


@dataclass(frozen=True)
class BlockFeatures:
    """What the voices of one kind supply to the networks for a block: B voices, K frames, C features, M mel bands.

    Attributes:
        features: (B, K, C).
        f0: (B, K) Hz, 0 where unpitched.
        level_db: level offsets (B, K), or (B, K, M) for each band; None for 0.
        residual_gain: (B, K or 1, M or 1) gain of the sampled residual; None for 1.
        resonance: (B, K) added to the voices' own; None for 0.
    """

    features: Float
    f0: NDArray[np.float64]
    level_db: NDArray[np.float64] | None = None
    residual_gain: Float | None = None
    resonance: NDArray[np.float64] | None = None


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

    Attributes:
        stft: of the model.
        block_frames: K.
        sample_rate: Hz.
        ahead_samples: how early blocks may be computed; planned excitation is kept that much longer, for bends.
        channels: of the voices' samples, 1 or 2.
        sources: the excitations of the timbres; None if all are harmonic.
        prior: whether the model has one.
        deviations: of the timbres' pitch; None if all pitches are exact.
    """

    stft: Stft
    block_frames: int
    sample_rate: int
    ahead_samples: int = 0
    channels: int = 1
    sources: Sources | None = None
    prior: bool = False
    deviations: TimbreDeviations | None = None

    @classmethod
    def of_model(cls, model: Model, ahead_samples: int = 0, channels: int = 1) -> VoiceSettings:
        """The settings of voices that play a model with all its timbres."""
        m = model.manifest
        sources, deviations = sources_of(m.timbres), deviations_of(m.timbres)
        return cls(model.stft, m.block_frames, m.sample_rate, ahead_samples, channels, sources, m.prior, deviations)

    @cached_property
    def side(self) -> Side:
        """The side signals of stereo voices."""
        return Side(self.stft, self.sample_rate)

    @property
    def block_samples(self) -> int:
        return self.block_frames * self.stft.hop_length

    @property
    def span_samples(self) -> int:
        """Length of the planned excitation that is kept; a whole number of hops."""
        hop = self.stft.hop_length
        return self.block_samples + self.stft.overlap + -(-self.ahead_samples // hop) * hop
