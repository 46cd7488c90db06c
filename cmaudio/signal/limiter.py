"""A look-ahead peak limiter: the output never exceeds the ceiling, and below it the signal is unchanged.

The signal is cut into quanta of 64 samples. The gain is linear within a quantum, and at each boundary at most what both
neighbours need, so no sample exceeds the ceiling. This takes one quantum of look-ahead. All channels have the same
gain, so that the stereo image does not move when one of them is loud; with several pairs, neither they nor their sum,
which is recorded, exceed the ceiling.
"""

from __future__ import annotations

import numpy as np

from cmaudio.signal.dsp import Float
from cmaudio.signal.pairs import sum_of_pairs

QUANTUM_SAMPLES = 64


class Limiter:
    """Streaming limiter of 1, 2 or (in pairs) more channels. `process` delays by `latency_samples`."""

    latency_samples = QUANTUM_SAMPLES

    def __init__(self, sample_rate: int, ceiling_db: float = -0.3, release_ms: float = 80.0, channels: int = 1) -> None:
        self._pairs = channels // 2
        self._shape = (QUANTUM_SAMPLES,) if channels == 1 else (QUANTUM_SAMPLES, channels)
        self.ceiling = 10 ** (ceiling_db / 20)
        self._recovery = float(np.exp(-QUANTUM_SAMPLES / (sample_rate * release_ms / 1000)))
        self.reset()

    def reset(self) -> None:
        """Reset to silence and full gain."""
        self._held = np.zeros(self._shape, np.float32)
        self._held_needs = 1.0
        self.gain = 1.0

    def process(self, x: Float) -> Float:
        """(N,) or (N, channels) samples, N a multiple of 64 -> the same, limited, one quantum late."""
        quanta = np.concatenate([self._held, x]).reshape(-1, *self._shape)
        peaks = np.abs(quanta[1:]).reshape(len(quanta) - 1, -1).max(1)
        if self._pairs > 1:
            peaks = np.maximum(peaks, np.abs(sum_of_pairs(x)).reshape(len(peaks), -1).max(1))
        needs = np.minimum(1.0, self.ceiling / np.maximum(peaks, 1e-9))
        out = quanta[:-1]
        if self.gain < 1 or self._held_needs < 1 or needs.min() < 1:
            gains = self._gains(needs)
            out = out * (gains if out.ndim == 2 else gains[..., None])
        self._held, self._held_needs = quanta[-1].copy(), float(needs[-1])
        return out.reshape(-1, *self._shape[1:])

    def _gains(self, needs: np.ndarray) -> Float:
        """(Q, 64) gains of the outgoing quanta, given the gains that the incoming quanta need."""
        boundaries = [self.gain]
        previous = self._held_needs
        for need in needs.tolist():
            recovered = 1 - (1 - boundaries[-1]) * self._recovery
            boundaries.append(min(previous, need, recovered if recovered < 1 - 1e-6 else 1.0))
            previous = need
        self.gain = boundaries[-1]
        edges = np.array(boundaries)
        ramp = np.arange(QUANTUM_SAMPLES) / QUANTUM_SAMPLES
        return (edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * ramp).astype(np.float32)
