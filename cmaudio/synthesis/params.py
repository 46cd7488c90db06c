"""What a voice is created with: its start parameters, and the format of its samples and blocks."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.signal.dsp import Stft


@dataclass(frozen=True)
class NoteParams:
    """The start of a note: pitch as MIDI note number, velocity 1..127, `at` in samples of the engine's clock."""

    pitch: float
    velocity: float
    channel: int
    seed: int
    at: int
    steps: int


@dataclass(frozen=True)
class VoiceSettings:
    """Settings that all voices of an engine share.

    `ahead_samples`: how early blocks may be computed; planned samples are kept that much longer so that a bend still
    reaches them.
    """

    stft: Stft
    block_frames: int
    sample_rate: int
    ahead_samples: int = 0

    @property
    def block_samples(self) -> int:
        return self.block_frames * self.stft.hop_length

    @property
    def span_samples(self) -> int:
        """How much planned excitation is kept, back from its end; a whole number of hops."""
        hop = self.stft.hop_length
        return self.block_samples + self.stft.overlap + -(-self.ahead_samples // hop) * hop
