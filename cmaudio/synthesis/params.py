"""What a voice is made with: how it starts, and the format of its samples and blocks."""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.signal.dsp import Stft


@dataclass(frozen=True)
class NoteParams:
    """What a note starts with: pitch as MIDI note number, velocity 1..127, `at` in samples of the engine's clock."""

    pitch: float
    velocity: float
    channel: int
    seed: int
    at: int
    steps: int


@dataclass(frozen=True)
class VoiceSettings:
    """What all voices of an engine share.

    `ahead_samples`: how much sooner than needed blocks may be made; planned samples are kept for so long that a bend
    still reaches them.
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
        """How far back from the planned end sources are kept, a whole number of hops."""
        hop = self.stft.hop_length
        return self.block_samples + self.stft.overlap + -(-self.ahead_samples // hop) * hop
