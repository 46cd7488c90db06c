"""Artificial reverb: room, hall, plate or cathedral."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from cmaudio.effects import reverb_kernel as kernel
from cmaudio.effects.unit_clock import QUANTUM, TARGET, Clocked
from cmaudio.signal.dsp import Float

_SMOOTHING_SECONDS = 0.02
_LOW_CUT_HZ = 45.0
_LONGEST_PREDELAY_MS, _LARGEST = 250.0, 2.0
_TURN_RADIANS = 1.5  # largest angle of a rotation; its rate is below 1 Hz
_SPREAD = 0.11  # how far the diffusers of the sides differ
_LONGEST_SHARE, _DIFFUSERS_SHARE = 0.12, 0.5  # of the decay: longest line, ringing of the diffusers
_ENERGY = math.log(1e6)  # a decay of 60 dB, as a share of the energy


@dataclass(frozen=True)
class Kind:
    """The character of a reverb at size 1.

    Attributes:
        shortest_ms: delay of the shortest line.
        longest_ms: delay of the longest.
        diffusers_ms: delays of the allpasses before the lines.
        diffusion: their gain.
        bandwidth_hz: treble above it is reduced at the input.
        crossover_hz: damping shortens the decay above it.
    """

    shortest_ms: float
    longest_ms: float
    diffusers_ms: tuple[float, float, float, float]
    diffusion: float
    bandwidth_hz: float
    crossover_hz: float


KINDS = {
    "room": Kind(9.1, 37.0, (2.1, 3.7, 5.3, 8.2), 0.6, 9_000, 4_500),
    "hall": Kind(11.3, 79.0, (3.1, 5.9, 9.7, 14.3), 0.65, 8_000, 3_600),
    "plate": Kind(7.3, 53.0, (2.3, 4.1, 6.7, 10.9), 0.7, 14_000, 6_000),
    "cathedral": Kind(12.1, 113.0, (4.3, 7.9, 13.1, 19.9), 0.7, 6_500, 3_000),
}


class Reverb(Clocked):
    """A feedback delay network with two inputs and two decorrelated outputs.

    Its response has the energy of one sample on each side, whatever its decay, so that the level of a steady sound does
    not change with the settings.

    Args:
        sample_rate: Hz.
        seed: start phases of the slow rotations of the feedback.
    """

    def __init__(self, sample_rate: int, seed: int = 0) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        longest_ms = max(kind.longest_ms for kind in KINDS.values()) * _LARGEST
        diffuser_ms = max(max(kind.diffusers_ms) for kind in KINDS.values()) * _LARGEST * (1 + _SPREAD)
        self._lines = np.zeros((kernel.LINES, self._capacity(longest_ms)), np.float32)
        self._diffusers = np.zeros((2, kernel.STAGES, self._capacity(diffuser_ms)), np.float32)
        self._before = np.zeros((2, self._capacity(_LONGEST_PREDELAY_MS)), np.float32)
        self._filters = np.zeros(kernel.FILTERS, np.float32)
        self._taps = np.zeros((3, kernel.TAPS), np.int64)  # before and after a crossfade, and the next target
        self._levels = np.zeros((3, kernel.LEVELS), np.float32)
        self._work = np.zeros((kernel.LINES + 2, QUANTUM), np.float32)
        self._rotations = np.zeros((kernel.LINES // 2, 7))
        rng = np.random.default_rng((seed, 0x5EAF))
        self._rotations[:, 0] = rng.permutation(np.linspace(0.17, 0.83, kernel.LINES // 2)) / sample_rate
        self._rotations[:, 1] = rng.random(kernel.LINES // 2)
        self._rotations[:, 2] = _TURN_RADIANS
        self._low_cut = math.exp(-2 * math.pi * _LOW_CUT_HZ / sample_rate)
        self._smoothing = 1 - math.exp(-QUANTUM / (_SMOOTHING_SECONDS * sample_rate))
        self.set()

    def set(
        self,
        kind: str = "hall",
        decay: float = 2.0,
        damping: float = 0.3,
        predelay_ms: float = 15.0,
        size: float = 1.0,
    ) -> None:
        """Change the sound, smoothly from the next quantum on.

        Args:
            kind: one of `KINDS`.
            decay: time in seconds to decay by 60 dB below the crossover of the kind (1 kHz is below all).
            damping: 0: treble decays equally slowly; 1: ten times as fast.
            predelay_ms: 0 to 250.
            size: 0.5 to 2 times the kind's.
        """
        shape = KINDS[kind]
        size = min(size, _LONGEST_SHARE * decay * 1000 / shape.longest_ms)
        lengths = self._set_lengths(shape, size, predelay_ms)
        self._set_levels(shape, size, lengths, decay, damping)
        self._tail = predelay_ms / 1000 + decay * 100 / 60 + lengths.max() / self.sample_rate
        self._memory = int(self._lines.shape[1] + self._before.shape[1])

    def _set_lengths(self, shape: Kind, size: float, predelay_ms: float) -> np.ndarray:
        """Plan the delays; returns those of the lines, in samples."""
        taps, per_ms = self._taps[2], self.sample_rate / 1000
        ratios = np.linspace(0, 1, kernel.LINES)
        wanted = shape.shortest_ms * (shape.longest_ms / shape.shortest_ms) ** ratios * size
        taps[: kernel.LINES] = lengths = primes(wanted * per_ms, QUANTUM)
        sides = np.outer((1.0, 1 + _SPREAD), shape.diffusers_ms).ravel() * size
        taps[kernel.DIFFUSER_TAPS : kernel.PREDELAY_TAP] = primes(sides * per_ms, QUANTUM)
        taps[kernel.PREDELAY_TAP] = round(predelay_ms * per_ms)
        return lengths

    def _set_levels(self, shape: Kind, size: float, lengths: np.ndarray, decay: float, damping: float) -> None:
        """Plan the gains: each line attenuates in proportion to its length, so that all modes decay alike."""
        levels = self._levels[TARGET]
        base = decay / decay_ratio(shape, damping, self.sample_rate)
        in_decays = lengths / (base * self.sample_rate)
        levels[: kernel.HIGHS] = 10 ** (-3 * in_decays)
        levels[kernel.HIGHS : kernel.CROSSOVER] = 10 ** (-3 * in_decays * (10**damping - 1))
        levels[kernel.CROSSOVER] = self._follow(shape.crossover_hz)
        levels[kernel.BANDWIDTH] = self._follow(shape.bandwidth_hz)
        ringing = 10 ** (-3 * max(shape.diffusers_ms) * size / (_DIFFUSERS_SHARE * decay * 1000))
        levels[kernel.DIFFUSION] = min(shape.diffusion, ringing)
        # A sample that enters half of the lines leaves this energy on a side until it has decayed, without damping.
        energy = kernel.LINES / 2 * kernel.LINES * decay * self.sample_rate / _ENERGY / lengths.sum()
        levels[kernel.OUT] = 1 / math.sqrt(energy)

    @property
    def tail(self) -> float:
        """Seconds until the input has decayed by 100 dB."""
        return float(self._tail)

    def process(self, x: Float, out: Float) -> None:
        """Add the reverb of `x` (n, 2) to `out` (n, 2)."""
        kernel.reverb(
            x,
            out,
            self._lines,
            self._diffusers,
            self._before,
            self._filters,
            self._taps,
            self._levels,
            self._rotations,
            self._clock,
            self._work,
            self._low_cut,
            self._smoothing,
            self._memory,
        )

    def _capacity(self, ms: float) -> int:
        """The power of two that holds a delay and a quantum."""
        return int(2 ** math.ceil(math.log2(ms * self.sample_rate / 1000 + 4 * QUANTUM)))

    def _follow(self, hz: float) -> float:
        """The coefficient of a one-pole low-pass."""
        return 1 - math.exp(-2 * math.pi * min(hz, 0.4 * self.sample_rate) / self.sample_rate)


@functools.lru_cache(maxsize=256)
def decay_ratio(shape: Kind, damping: float, sample_rate: int) -> float:
    """The ratio of the decay of the whole response, and of its centre, to that at 0 Hz, as a geometric mean.

    Damping shortens the decay of treble, which is most of the spectrum: this keeps both within a tenth of the requested
    decay. The slopes from -5 to -35 dB of the integrated response (Schroeder 1965) of exponentials, one per frequency.
    """
    hz = np.linspace(50, 0.45 * sample_rate, 128)
    z = np.exp(-2j * np.pi * hz / sample_rate)

    def low_pass(cutoff_hz: float) -> np.ndarray:
        follow = 1 - math.exp(-2 * math.pi * min(cutoff_hz, 0.4 * sample_rate) / sample_rate)
        return follow / (1 - (1 - follow) * z)

    low, loss = low_pass(shape.crossover_hz), 0.1
    shelf = np.abs(low + math.exp(-loss * (10**damping - 1)) * (1 - low))
    rates = 1 - np.log(shelf) / loss
    times = np.linspace(0, 1, 200)
    curve = (np.square(np.abs(low_pass(shape.bandwidth_hz))) / rates) @ np.exp(-_ENERGY * rates[:, None] * times)
    fallen = 10 * np.log10(curve / curve[0])
    start, end = np.interp([5, 35], -fallen, times)
    middle = 1 / np.interp(700, hz, rates)
    return math.sqrt(2 * (end - start) * middle)


def primes(lengths: np.ndarray, least: int) -> np.ndarray:
    """(L,) lengths -> (L,) distinct primes above `least`, each the next from its length: echoes seldom coincide."""
    found: list[int] = []
    for length in lengths.tolist():
        candidate = max(least + 1, round(length)) | 1
        while candidate in found or any(candidate % factor == 0 for factor in range(3, math.isqrt(candidate) + 1, 2)):
            candidate += 2
        found.append(candidate)
    return np.array(found)
