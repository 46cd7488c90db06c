"""The finished samples of a voice: complete ones wait to be taken, the last ones still overlap with the next block.

Samples have the shape (N,), or (2, N) for two channels, left and right.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from cmaudio.signal.dsp import Float


class VoiceOutput:
    """A queue of samples: one thread adds blocks, another takes samples.

    Args:
        overlap: samples of a block that the next block adds to.
        channels: 1 or 2.
    """

    def __init__(self, overlap: int, channels: int) -> None:
        rows = () if channels == 1 else (2,)
        self._overlap = overlap
        self._complete = np.zeros((*rows, 0), np.float32)
        self._arrived: deque[Float] = deque()  # complete samples after those, not yet joined to them
        self._growing = np.zeros((*rows, overlap), np.float32)

    @property
    def waiting(self) -> int:
        """The number of complete samples."""
        return self._complete.shape[-1] + sum(block.shape[-1] for block in tuple(self._arrived))

    def overlap_add(self, samples: Float, skipped: int = 0) -> Float:
        """Overlap-add a block, and return the samples that it completes; `append` makes them available.

        Args:
            samples: (overlap + N) of the block; two rows for stereo. It is changed.
            skipped: how many of its first samples to drop.
        """
        samples[..., : self._overlap] += self._growing
        self._growing = samples[..., -self._overlap :]
        return samples[..., skipped : -self._overlap]

    def append(self, complete: Float) -> None:
        """Make samples available."""
        self._arrived.append(complete)

    def take(self, count: int) -> Float:
        """The next `count` samples, or as many as are complete."""
        if self._complete.shape[-1] < count:
            self._join()
        taken, self._complete = self._complete[..., :count], self._complete[..., count:]
        return taken

    def change(self, offset: int, change: Float) -> None:
        """Add a correction to all samples from `offset` after the next one on, including those still overlapping."""
        self._join()
        samples = np.concatenate([self._complete, self._growing], axis=-1)
        samples[..., offset:] += change
        self._complete, self._growing = samples[..., : -self._overlap], samples[..., -self._overlap :]

    def _join(self) -> None:
        blocks = [self._arrived.popleft() for _ in range(len(self._arrived))]
        if blocks:
            self._complete = np.concatenate([self._complete, *blocks], axis=-1)
