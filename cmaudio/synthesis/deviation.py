"""How the pitch of a note deviates from its key while it sounds: vibrato and scoop move f0, and its partials waver.

What a timbre does is in the model file (`cmaudio.model.deviation`); each note draws its own from its seed: where in its
swing the vibrato begins, a little of its rate and depth, and the layers of which its partials are made up. Humanity
scales all of it.

Several players or detuned layers are not one f0: each partial is a sum of components that beat, the faster the higher
it is, and the wider they lie apart, the more by vibratos of their own. One excitation is played, and the filter of each
of its partials turned and scaled from frame to frame as that sum is, which costs a fraction of an excitation for each
layer.

Everything is known at hops of the voice's clock, hop n at sample n * hop_length. Shapes: T hops or frames, K frames of
a block, L layers, F STFT bins, N samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import VOICED_ABOVE_HZ, Complex, Float
from cmaudio.synthesis.timbre_deviations import TimbreDeviations
from cmaudio.synthesis.trajectory import Trajectory

LAYERS = 4
_OWN, _SHARED = 16, 32  # lowest partials with components of their own; higher ones take turns with theirs
_HIGHEST_HZ = 2000.0  # partials above waver no faster than one here: within a window they would blur
_RATE_VARIES, _DEPTH_VARIES = 0.04, 0.15  # from note to note: nobody repeats a vibrato exactly
_PLAYERS_HZ, _PLAYERS = (4.0, 6.5), (8.0, 16.0, 0.8)  # of vibratos; cents from which on, and with most of them
_LEVEL_KEPT = 0.75  # of a frame's level, as a power
_LEAST_CENTS, _LEAST_SHARE = 1e-3, 1e-3  # less is not worth the arithmetic
_STREAM = 0xDE  # of the seed: what the networks draw stays as it is
_CENT = np.log(2) / 1200


class NoteDeviation:
    """The deviation of one note.

    Args:
        deviations: of the model's timbres.
        timbre: of the note, over time.
        humanity: 0 is the exact pitch, 1 as recorded.
        key: that was struck, MIDI note number.
        seed: of the note.
        first_hop: the first one that deviates.
        kept_hops: how far back hops are asked for.
        hop_length: samples.
        sample_rate: Hz.
    """

    def __init__(
        self,
        deviations: TimbreDeviations,
        timbre: Trajectory,
        humanity: Trajectory,
        key: float,
        seed: int,
        *,
        first_hop: int,
        kept_hops: int,
        hop_length: int,
        sample_rate: int,
    ) -> None:
        rng = np.random.default_rng([seed, _STREAM])
        self._deviations, self._timbre, self._humanity, self._key = deviations, timbre, humanity, key
        self._hop_length, self._sample_rate, self._kept = hop_length, sample_rate, kept_hops
        self._step = hop_length / sample_rate
        self._rate, self._depth = np.exp(rng.standard_normal(2) * (_RATE_VARIES, _DEPTH_VARIES))
        offsets = rng.standard_normal(LAYERS)
        self._offsets = (offsets - offsets.mean()) / offsets.std()
        self._starts = rng.random((LAYERS, _OWN + _SHARED))
        self._swings_hz, self._swings_at = rng.uniform(*_PLAYERS_HZ, LAYERS), rng.random(LAYERS)
        self._bins: tuple[float, NDArray[np.intp]] | None = None  # the last base, and the partials at the bins
        self._apart_hz = 0.0  # of the partials when they were asked for first: a bend must not turn them
        self._first = first_hop
        # At each hop from `_first` on: cents, cents times seconds by which the layers have drifted apart, the share of
        # the power that is in them, and the cents by which each swings.
        self._known = np.zeros((0, 4))
        self._cycles, self._drift = float(rng.random()), 0.0  # of the vibrato, and of the layers, at the last hop

    @property
    def _end(self) -> int:
        return self._first + len(self._known)

    def reach(self, hop: int) -> None:
        """Know all hops up to and including this one. Call in the order of time."""
        if hop < self._end:
            return
        times = np.arange(self._end, hop + 1, dtype=np.float64) * self._hop_length
        if self._timbre.rests_at(times[0]):
            of = self._deviations.resting(self._timbre.target, self._key)
            if max(of.vibrato_cents[0], abs(of.scoop_cents[0]), of.moving[0]) < _LEAST_CENTS:
                self._known, self._first = self._known[:0], hop + 1
                return
        else:
            of = self._deviations.at(self._timbre.at(times), self._key)
        humanity = self._humanity.at(times)
        seconds, step = times / self._sample_rate, self._step
        cycles = self._cycles + np.cumsum(np.broadcast_to(of.vibrato_hz * self._rate * step, len(times)))
        least, most, players = _PLAYERS
        swing = np.clip((of.spread_cents - least) / (most - least), 0, 1) * players  # as a share of the variance
        width = of.spread_cents * humanity
        drift = self._drift + np.cumsum(width * np.sqrt(1 - swing) * step)
        grown = np.clip((seconds - of.from_s) / np.maximum(of.full_s - of.from_s, step), 0, 1)
        cents = of.vibrato_cents * self._depth * grown * np.sin(2 * np.pi * cycles)
        cents = humanity * (cents + of.scoop_cents * np.exp(-seconds / of.scoop_s))
        share = np.broadcast_to(of.moving * np.minimum(humanity, 1), len(times))
        self._known = np.concatenate([self._known, np.stack([cents, drift, share, width * np.sqrt(swing)], -1)])
        self._cycles, self._drift = float(cycles[-1] % 1), float(drift[-1])
        spare = len(self._known) - self._kept
        if spare > 0:
            self._known, self._first = self._known[spare:], self._first + spare

    def ratio(self, times: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """(N,) of f0 to that without deviation, linear between hops; None where it is 1 throughout."""
        hop = self._hop_length
        self.reach(int(np.ceil(times[-1] / hop)))
        if not len(self._known):
            return None
        first = max(0, int(times[0] // hop) - self._first)
        cents = self._known[first : int(np.ceil(times[-1] / hop)) + 1 - self._first, 0]
        if np.abs(cents).max(initial=0.0) < _LEAST_CENTS:
            return None
        grid = (self._first + first + np.arange(len(cents))) * float(hop)
        return np.interp(times, grid, np.exp(_CENT * cents))

    def gains(
        self, hops: NDArray[np.int64], base_hz: NDArray[np.float32], bin_hz: NDArray[np.float64]
    ) -> Complex | None:
        """(T, F) what the partials nearest to the bins are scaled and turned by around these hops; None for no change.

        Args:
            hops: (T,) in the middle of the frames' windows, known already.
            base_hz: (T,) distance of the partials, 0 where there are none.
            bin_hz: (F,).
        """
        if not len(self._known):
            return None
        known = self._known[np.clip(hops - self._first, 0, len(self._known) - 1)]
        drift, share = known[:, 1], known[:, 2]
        if share.max() < _LEAST_SHARE or base_hz.max() <= VOICED_ABOVE_HZ:
            return None
        self._apart_hz = self._apart_hz or float(base_hz.max())
        hz = np.minimum(self._apart_hz * np.arange(_OWN + _SHARED), _HIGHEST_HZ)
        swung = 2 * np.pi * (self._swings_hz[:, None] * (hops * self._step) + self._swings_at[:, None])
        own = known[:, 3] * np.sqrt(2) * np.sin(swung) / (2 * np.pi * self._swings_hz[:, None])
        ahead = self._offsets[:, None] * drift + own  # (L, T) cents times seconds
        turns = self._starts[:, None] + ahead[..., None] * (_CENT * hz)
        radians = ((2 * np.pi) * (turns - np.floor(turns))).astype(np.float32)
        power = share[:, None].astype(np.float32)
        sums = np.empty(radians.shape[1:], np.complex64)
        sums.real = np.sqrt(1 - power) + np.sqrt(power / LAYERS) * np.cos(radians).sum(0)
        sums.imag = np.sqrt(power / LAYERS) * np.sin(radians).sum(0)
        gains: Complex
        if base_hz.min() == base_hz.max():
            gains = sums[:, self._nearest(float(base_hz[0]), bin_hz)]
        else:
            gains = np.stack([row[self._nearest(float(hz), bin_hz)] for row, hz in zip(sums, base_hz, strict=True)])
        gains[base_hz <= VOICED_ABOVE_HZ] = 1
        return gains

    def _nearest(self, base_hz: float, bin_hz: NDArray[np.float64]) -> NDArray[np.intp]:
        """(F,) which components the partial has that is nearest to each bin."""
        if self._bins is None or self._bins[0] != base_hz:
            numbers = np.rint(bin_hz / max(base_hz, VOICED_ABOVE_HZ)).astype(np.intp)
            self._bins = base_hz, np.where(numbers < _OWN, numbers, _OWN + (numbers - _OWN) % _SHARED)
        return self._bins[1]


def with_gains(filters: Complex, pulses: Complex, gains: Complex) -> None:
    """Multiply the filters (K, F) of pulses (K, F) by gains (K, F), in place, without much change of a frame's level.

    Beating partials even out in the level of a note that has many. One that has few would be louder or softer from note
    to note, which is heard as a mistake.
    """
    before = _power(filters * pulses)
    filters *= gains
    after = _power(filters * pulses)
    level = ((before + np.float32(1e-20)) / (after + np.float32(1e-20))) ** np.float32(0.5 * _LEVEL_KEPT)
    filters *= np.clip(level, 0.25, 4)[:, None]


def _power(spectra: Complex) -> Float:
    """(K, F) -> (K,)"""
    parts = spectra.view(np.float32)
    return np.einsum("kf,kf->k", parts, parts)
