"""The compiled loops of `cmaudio.signal.dsp.Stft`: in NumPy, their intermediate arrays cost as much as the transforms.

Shapes: B signals, N samples, T frames, W samples of the window.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.jit import compiled

Float = NDArray[np.float32]


@compiled
def window_frames(x: Float, window: Float, hop: int, frames: Any) -> None:
    """Cut x (B, N) into frames (B, T, W), in single precision; `frames` may be in double."""
    for b in range(frames.shape[0]):
        for t in range(frames.shape[1]):
            start, frame = t * hop, frames[b, t]
            for i in range(len(window)):
                frame[i] = x[b, start + i] * window[i]


@compiled
def add_frames(frames: Float, window: Float, hop: int, y: Float) -> None:
    """Add frames (B, T, W), windowed, to y (B, N)."""
    for b in range(frames.shape[0]):
        for t in range(frames.shape[1]):
            start, frame = t * hop, frames[b, t]
            for i in range(len(window)):
                y[b, start + i] += frame[i] * window[i]
