"""Deviation of a note's pitch from its key while it sounds: movement of f0, and independent modulation of the partials.

The model file describes the deviation of each timbre (`cmaudio.model.deviation`). Each note draws its own from its
seed: the phase of the vibrato, a slight variation of its rate and depth, the wander of its pitch, and the layers that
make up its partials. Humanity scales all of it.

Several players or detuned layers have no common f0: each partial is a sum of beating components. The higher the
partial, the faster it beats; the wider the detuning, the more the layers have vibratos of their own. There is only one
excitation: the filter of each partial is rotated and scaled from frame to frame like that sum, which costs a fraction
of an excitation for each layer.

Everything is computed at hops of the voice's clock, hop n at sample n * hop_length.
Shapes: T hops or frames, L layers, P components of partials, N samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.deviation import Deviation
from cmaudio.signal.dsp import VOICED_ABOVE_HZ, Complex
from cmaudio.signal.layers import LAYERS, layer_offsets
from cmaudio.synthesis.deviation_kernel import COMPONENTS, components, course, ratios
from cmaudio.synthesis.timbre_deviations import TimbreDeviations
from cmaudio.synthesis.trajectory import Trajectory

_RATE_VARIES, _DEPTH_VARIES = 0.04, 0.15  # from note to note: no player repeats a vibrato exactly
_PLAYERS_HZ = (4.0, 6.5)  # of their vibratos
_WANDERS, _WANDER_VARIES = 3, 0.35  # number of sines that make up the wander; spread of their rates
_LEAST_CENTS, _LEAST_SHARE = 1e-3, 1e-3  # below these, nothing is computed
_WINDOW_HOPS, _LOBE_BINS = 4, 4  # length of the STFT's window; width of its main lobe
_MOVES = [Deviation._fields.index(name) for name in ("vibrato_cents", "scoop_cents", "moving", "wander_cents")]
_STREAM = 0xDE  # of the seed, separate from the random numbers of the networks


def partials_per_gain(base_hz: float, bin_hz: float) -> int:
    """How many neighbouring partials share a gain, a power of two.

    A partial takes four bins of a Hann window. Partials in the same bins with gains of their own would modulate each
    other: an organ on f0 / 4 wavered five times as much as recorded.
    """
    return int(2 ** np.ceil(np.log2(max(1.0, _LOBE_BINS * bin_hz / base_hz))))


class NoteDeviation:
    """The deviation of one note.

    Args:
        deviations: of the model's timbres.
        timbre: of the note, over time.
        humanity: 0 is the exact pitch, 1 as recorded.
        key: MIDI note number of the key.
        seed: of the note.
        first_hop: first hop with a deviation.
        kept_hops: how far back hops may be requested.
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
        self._hop_length, self._kept = hop_length, kept_hops
        self._step = hop_length / sample_rate
        self._rate, self._depth = np.exp(rng.standard_normal(2) * (_RATE_VARIES, _DEPTH_VARIES)).tolist()
        self._offsets = layer_offsets(rng)
        self._starts = rng.random((LAYERS, COMPONENTS))
        self._swings = np.stack([rng.uniform(*_PLAYERS_HZ, LAYERS), rng.random(LAYERS)])
        # (2, _WANDERS) rates of the sines that make up the wander, and their phases in cycles at the last hop.
        self._wander = np.stack([np.exp(_WANDER_VARIES * rng.standard_normal(_WANDERS)), rng.random(_WANDERS)])
        self._per_gain = 1  # number of neighbouring partials that share a gain
        self._spacing_hz = 0.0  # of the gains when first requested: a bend must not rotate them
        self._first = first_hop
        # At each hop from `_first` on: deviation of f0 in cents; drift of the layers in cents times seconds; their
        # share of the power; depth of their own vibratos in cents; the lowest partial's part of that share; `turning`.
        self._known = np.zeros((0, 6))
        self._cycles, self._drift = float(rng.random()), 0.0  # of the vibrato, and of the layers, at the last hop

    @property
    def _end(self) -> int:
        return self._first + len(self._known)

    def compute_to(self, hop: int) -> None:
        """Compute all hops up to and including this one. Call in ascending order."""
        if hop < self._end:
            return
        times = np.arange(self._end, hop + 1, dtype=np.float64) * self._hop_length
        if self._timbre.rests_at(times[0]):
            of = self._deviations.resting(self._timbre.target, self._key)
            if np.abs(of[_MOVES, 0]).max() < _LEAST_CENTS:
                self._known, self._first = self._known[:0], hop + 1
                return
        else:
            of = np.array(self._deviations.at(self._timbre.at(times), self._key))
        own, before = (self._rate, self._depth), (self._cycles, self._drift)
        known, self._cycles = course(of, self._humanity.at(times), own, before, self._wander, self._end, self._step)
        self._known, self._drift = np.concatenate([self._known, known]), float(known[-1, 1])
        spare = len(self._known) - self._kept
        if spare > 0:
            self._known, self._first = self._known[spare:], self._first + spare

    def ratio(self, start: int, end: int) -> NDArray[np.float64] | None:
        """(N,) ratio of f0 to that without deviation in [start, end), linear between hops; None if 1 throughout."""
        hop = self._hop_length
        self.compute_to(-(-(end - 1) // hop))
        if not len(self._known):
            return None
        first = max(0, start // hop - self._first)
        cents = np.ascontiguousarray(self._known[first : -(-(end - 1) // hop) + 1 - self._first, 0])
        if np.abs(cents).max(initial=0.0) < _LEAST_CENTS:
            return None
        return ratios(cents, start - (self._first + first) * hop, hop, end - start)

    def gains(
        self, hops: NDArray[np.int64], base_hz: NDArray[np.float32]
    ) -> tuple[Complex, NDArray[np.float32]] | None:
        """(T, P) gains of the partials at these hops, see `waver`, and their spacing (T,) in Hz, or None.

        Partials that the window cannot resolve share a gain.

        Args:
            hops: (T,) in the middle of the frames' windows, already computed.
            base_hz: (T,) spacing of the partials, 0 where there are none.
        """
        if not len(self._known):
            return None
        known = self._known.take(hops - self._first, 0, mode="clip")
        if known[:, 2].max() < _LEAST_SHARE or base_hz.max() <= VOICED_ABOVE_HZ:
            return None
        if not self._spacing_hz:
            base = float(base_hz.max())
            self._per_gain = partials_per_gain(base, 1 / (_WINDOW_HOPS * self._step))
            self._spacing_hz = self._per_gain * base
        gains = components(
            known, hops * np.float64(self._step), self._offsets, self._swings, self._starts, self._spacing_hz
        )
        return gains, base_hz * np.float32(self._per_gain)
