"""Brightness, resonance and level: mel frames reshaped before the vocoder.

The network's context is not reshaped, so a shaped note does not drift.

Shapes: B voices, K frames, M mel bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float, Mel

# The change fades in over this range above the floor: silence stays silent at any brightness.
_FLOOR_NEPERS = 2.3
_MOST_NEPERS = 4.0
_DB_TO_NEPERS = np.log(10) / 20
_UNPITCHED_PIVOT_HZ = 440.0
_SMOOTHED_BANDS = 9


class SpectrumShaper:
    """Brightness, resonance and level of normalised log-mel frames."""

    def __init__(self, mel: Mel, mean: NDArray[np.float32], std: NDArray[np.float32]) -> None:
        self._mean, self._std = mean, std
        self._floor = float(np.log(mel.floor))
        self._octaves = np.log2(np.maximum(mel.centres_hz, 1.0)).astype(np.float32)

    def __call__(
        self, frames: Float, f0: Float, brightness: Float, resonance: Float, level: Float | None = None
    ) -> Float:
        """Reshape a block; without any change, frames stay bit-identical.

        Args:
            frames: (B, K, M) normalised log-mel.
            f0: (B, K) Hz, 0 where unpitched.
            brightness: (B, K) dB per octave.
            resonance: (B, K) -1..1.
            level: (B, K) dB, or (B, K, M) per band, which raises silence as well.
        Returns:
            (B, K, M) frames, at least at the floor where they are changed.
        """
        log_mel = frames * self._std + self._mean
        change = np.zeros_like(log_mel)
        if resonance.any():
            change += resonance[..., None] * (log_mel - _smoothed(log_mel))
        if brightness.any():
            pivot = np.log2(np.where(f0 > 0, f0, _UNPITCHED_PIVOT_HZ))
            above = np.maximum(self._octaves - pivot[..., None].astype(np.float32), 0)
            change += np.float32(_DB_TO_NEPERS) * brightness[..., None] * above
        audible = np.clip((log_mel - self._floor) / _FLOOR_NEPERS, 0, 1)
        change = np.clip(change, -_MOST_NEPERS, _MOST_NEPERS)
        if level is not None and level.ndim == 2:
            change += np.float32(_DB_TO_NEPERS) * level[..., None]
        change *= audible
        if level is not None and level.ndim == 3:
            change += np.float32(_DB_TO_NEPERS) * level
        shaped = (np.maximum(log_mel + change, self._floor) - self._mean) / self._std
        # Without any change, the network's frame stays bit-identical, also below the floor.
        return np.where(change == 0, frames, shaped).astype(np.float32)


def _smoothed(log_mel: Float) -> Float:
    """Mean over neighbouring bands, the edges repeated."""
    half = _SMOOTHED_BANDS // 2
    padded = np.pad(log_mel, ((0, 0), (0, 0), (half + 1, half)), mode="edge")
    sums = np.cumsum(padded, -1, dtype=np.float64)
    return ((sums[..., _SMOOTHED_BANDS:] - sums[..., :-_SMOOTHED_BANDS]) / _SMOOTHED_BANDS).astype(np.float32)
