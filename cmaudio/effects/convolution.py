"""Convolution with an impulse response, in uniform partitions and without latency.

The first block of the response is convolved directly, sample by sample; the others by the spectra of complete blocks
(Gardner 1995, "Efficient convolution without input-output delay"; frequency-domain delay line of Garcia 2002). Work
that can be done before a block is complete is spread over it, so that the load is even.
"""

from __future__ import annotations

import numpy as np

from cmaudio.effects import convolution_kernel as kernel
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

ROUTES = {
    1: ((0, 0), (1, 1)),
    2: ((0, 0), (1, 1)),
    4: ((0, 0), (0, 1), (1, 0), (1, 1)),
}
_BLOCKS = ((8_192, 256), (48_000, 1024))  # up to this many samples, partitions of this length
_LONGEST_BLOCK = 2048
_QUIET = 1e-5  # -100 dB


class Convolution:
    """The response of two inputs at two outputs.

    Args:
        response: (N, C): 1 channel is used by both sides, 2 are left and right, 4 are left to left, left to right,
            right to left and right to right.
        sample_rate: Hz.
        block: length of a partition, a multiple of 4; by default from the length of the response.

    Raises:
        CmaudioError: another number of channels, or no samples.
    """

    def __init__(self, response: Float, sample_rate: int, block: int | None = None) -> None:
        if response.ndim != 2 or response.shape[1] not in ROUTES or not len(response):
            raise CmaudioError(
                f"an impulse response must be (samples, channels) with 1, 2 or 4 channels, not {response.shape}"
            )
        length, channels = response.shape
        self.block = block or next((b for most, b in _BLOCKS if length <= most), _LONGEST_BLOCK)
        self._routes = np.array(ROUTES[channels])
        self._heads, self._responses = self._partitions(response[:, [0, 0]] if channels == 1 else response)
        bins, partitions = self.block + 1, self._responses.shape[1]
        self._history = np.zeros((2, 2 * self.block), np.float32)
        self._tail = np.zeros((2, self.block), np.float32)
        self._inputs = np.zeros((2, partitions, 2, bins), np.float32)
        self._total = np.zeros((2, 2, bins), np.float32)
        self._work = np.zeros(self.block, np.float32)
        self._spectrum = np.zeros(bins, np.complex64)
        self._frame = np.zeros(2 * self.block, np.float32)
        self._position, self._multiplied, self._newest = 0, partitions, 0
        self._length, self._quiet_for, self._awake = length, 0, False
        self.tail = length / sample_rate

    def _partitions(self, response: Float) -> tuple[Float, Float]:
        """(R, B) heads, and (R, P, 2, B + 1) spectra of the blocks after them."""
        count = max(1, -(-len(response) // self.block))
        padded = np.zeros((response.shape[1], count + (count == 1), self.block), np.float32)
        padded.reshape(response.shape[1], -1)[:, : len(response)] = response.T
        spectra = np.fft.rfft(padded[:, 1:].astype(np.float64), 2 * self.block)
        return padded[:, 0].copy(), np.stack([spectra.real, spectra.imag], 2).astype(np.float32)

    @property
    def silent(self) -> bool:
        """Whether no tail is ringing."""
        return not self._awake

    def skip(self, samples: int) -> None:
        """Advance the clock over silence, without computing anything."""
        self._position += samples

    def process(self, x: Float, out: Float) -> None:
        """Add the response of `x` (n, 2) to `out` (n, 2)."""
        if not self._awake and not x.any():
            self.skip(len(x))
            return
        self._awake = True
        done = 0
        while done < len(x):
            offset = self._position % self.block
            end = min(done + self.block - offset, len(x))
            self._take(x[done:end], out[done:end], offset)
            done = end

    def _take(self, x: Float, out: Float, offset: int) -> None:
        """Process samples within one block."""
        peak = kernel.take(x, out, self._history, self._heads, self._routes, self._tail, self._work, offset)
        self._quiet_for = self._quiet_for + len(x) if peak < _QUIET else 0
        self._position += len(x)
        partitions = self._inputs.shape[1]
        self._multiply(1 + (partitions - 1) * (offset + len(x)) // self.block)
        if offset + len(x) == self.block:
            self._end_block()

    def _multiply(self, end: int) -> None:
        """Multiply partitions up to `end`, which need complete blocks; the first one needs this block."""
        first, self._multiplied = self._multiplied, max(end, self._multiplied)
        if first < end:
            kernel.multiply(self._total, self._responses, self._inputs, self._routes, self._newest, first, end)

    def _end_block(self) -> None:
        block = self.block
        for side in range(2):
            np.fft.rfft(self._history[side], out=self._spectrum)  # type: ignore[arg-type]
            self._inputs[side, self._newest, 0] = self._spectrum.real
            self._inputs[side, self._newest, 1] = self._spectrum.imag
            self._history[side, :block] = self._history[side, block:]
        kernel.multiply(self._total, self._responses, self._inputs, self._routes, self._newest, 0, 1)
        for side in range(2):
            self._spectrum.real, self._spectrum.imag = self._total[side]
            np.fft.irfft(self._spectrum, out=self._frame)  # type: ignore[arg-type]
            self._tail[side] = self._frame[block:]
        self._total[:] = 0
        self._newest = (self._newest + 1) % self._inputs.shape[1]
        self._multiplied = 1
        if self._quiet_for > self._length + 2 * block:
            self._awake, self._multiplied = False, self._inputs.shape[1]
            self._history[:], self._inputs[:], self._tail[:], self._newest = 0, 0, 0, 0
