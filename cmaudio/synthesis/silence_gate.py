"""Silences the bands of a frame that lie at the floor of the mel.

The floor, some 70 dB below full scale, stands for everything softer, down to silence. The vocoder renders it as noise
at the level of the floor, which would be heard as hiss behind every decaying note. So the gate removes the power of the
floor; its transition is steep, since a band only 3 dB above the floor is already right:

    gain^2 = 1 - (floor / magnitude)^8

Shapes: B voices, K frames of a block, M mel bands, F STFT bins.
"""

from __future__ import annotations

import numpy as np

from cmaudio.signal.dsp import Float, Mel

_STEEPNESS = np.float32(8)


class SilenceGate:
    """Gains of STFT bins for normalised log-mel frames.

    Args:
        mel: of the model.
        mean: (M,) mean by which log-mel is normalised.
        std: (M,) its standard deviation.
    """

    def __init__(self, mel: Mel, mean: Float, std: Float) -> None:
        self._scale = std * _STEEPNESS
        self._offset = (mean - np.float32(np.log(mel.floor))) * _STEEPNESS
        hz = np.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
        place = np.interp(hz, mel.centres_hz, np.arange(mel.bands))
        self._below = np.minimum(place.astype(np.intp), mel.bands - 2)
        self._share = (place - self._below).astype(np.float32)

    def __call__(self, frames: Float) -> Float:
        """(B, K, F) gains, 0 to 1, for frames (B, K, M): linear between the centres of bands."""
        above = np.maximum(frames * self._scale + self._offset, 0)
        gain = np.sqrt(-np.expm1(-above))
        gains = np.diff(gain, axis=-1).take(self._below, -1)
        gains *= self._share
        gains += gain.take(self._below, -1)
        return np.asarray(gains)
