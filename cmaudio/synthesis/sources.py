"""The excitation at a point of the timbre space: harmonic or stretched partials, f0 / n, measured ratios, or noise.

A named timbre has its own excitation; between timbres with different ones the two nearest are mixed by distance. This
crossfades two steady sounds: gliding each partial to its counterpart would need a pairing that a bell and a string do
not have, and would sound like a glissando.

Shapes: T times, Z timbre dimensions, E excitations, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.manifest import Manifest, TimbreDefinition
from cmaudio.model.partials import LowerBase, NoPartials, Partials, PartialSets, StretchedPartials, in_picture
from cmaudio.model.timbres import fitted, full_vectors
from cmaudio.signal.dsp import Float, pulse_train, pulses
from cmaudio.signal.partials import lower_pulses, partial_sum, stretched_ratios

_SHARPNESS = 3  # of the mix, as a power of squared distances: even halfway, 1 : 64 at a third
_LEAST = 0.1  # smaller shares are dropped: a third timbre should not sound in a morph between two of one kind


class Sources:
    """The excitations of a model's timbres.

    Args:
        timbres: at least one of them with `partials`.
    """

    def __init__(self, timbres: Sequence[TimbreDefinition]) -> None:
        kinds = [timbre.partials.model_dump_json() if timbre.partials else "" for timbre in timbres]
        named = {"": None} | {kind: timbre.partials for kind, timbre in zip(kinds, timbres, strict=True)}
        self._partials = list(named.values())
        self._vectors = full_vectors(timbres)
        self._members = [np.flatnonzero(np.array(kinds) == kind) for kind in named]
        self._octaves = np.array([np.log2(p.divisor) if isinstance(p, LowerBase) else 0.0 for p in self._partials])
        self._noise = np.array([isinstance(p, NoPartials) for p in self._partials], np.float64)
        self._ratios = lru_cache(1024)(self._ratios_of)
        self._resting = lru_cache(256)(lambda vector: self._mix(np.frombuffer(vector)[None])[0])

    def _ratios_of(self, number: int, key: float) -> NDArray[np.float64] | None:
        partials = self._partials[number]
        return None if partials is None or isinstance(partials, LowerBase | NoPartials) else _ratios(partials, key)

    def base_ratio(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(T,) base of the excitation as a ratio to f0, for shares (T, E); 0 where it is mostly noise."""
        return np.exp2(-(weights @ self._octaves)) * (self.noise_share(weights) <= 0.5)

    def noise_share(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(T,) share of the noise excitations in shares (T, E)."""
        return np.asarray(weights @ self._noise)

    def weights(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        """(E,) shares of the excitations at a point (Z,), which sum to 1; the first is the harmonic one."""
        weights: NDArray[np.float64] = self._resting(vector.tobytes())
        return weights

    def moving_weights(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The shares (T, E) at points (T, Z); not cached, unlike `weights`."""
        return self._mix(vectors)

    def _mix(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        distances = np.square(fitted(vectors, self._vectors.shape[1])[:, None] - self._vectors).sum(-1)  # (T, timbres)
        of_kind = np.stack([distances[:, m].min(-1, initial=np.inf) for m in self._members], -1)
        weights = np.zeros_like(of_kind)
        rows, order = np.arange(len(vectors)), np.argsort(of_kind, -1, kind="stable")
        first, second = order[:, 0], order[:, 1]
        ratio = (of_kind[rows, first] / np.maximum(of_kind[rows, second], 1e-30)) ** _SHARPNESS
        share = np.clip((ratio / (1 + ratio) - _LEAST) / (1 - 2 * _LEAST), 0, 0.5)
        weights[rows, first], weights[rows, second] = 1 - share, share
        return weights

    def excite(
        self, number: int, key: float, cycles: NDArray[np.float64], f0: NDArray[np.float64], sample_rate: int
    ) -> Float:
        """(N,) samples of one excitation.

        Args:
            number: of the excitation, below E.
            key: MIDI note number of the key.
            cycles: (N,) phase of f0, not wrapped.
            f0: (N,) Hz.
            sample_rate: Hz.
        """
        ratios = self._ratios(number, key)
        if ratios is not None:
            return partial_sum(cycles, f0, ratios, sample_rate)
        return excitation(self._partials[number], key, cycles, f0, sample_rate)


def excitation(
    partials: Partials | None, key: float, cycles: NDArray[np.float64], f0: NDArray[np.float64], sample_rate: int
) -> Float:
    """(N,) samples of the excitation with these partials; arguments as for `Sources.excite`."""
    if partials is None:
        return pulses(cycles - np.floor(cycles), f0, sample_rate)
    if isinstance(partials, LowerBase):
        return lower_pulses(cycles, f0, partials.divisor, sample_rate)
    if isinstance(partials, NoPartials):
        return np.zeros(len(f0), np.float32)
    return partial_sum(cycles, f0, _ratios(partials, key), sample_rate)


def _ratios(partials: StretchedPartials | PartialSets, key: float) -> NDArray[np.float64]:
    if isinstance(partials, StretchedPartials):
        return stretched_ratios(partials.b(key))
    return np.array(partials.nearest(key).ratios)


def timbre_pulses(partials: Partials | None, key: float, f0: NDArray[np.float64], sample_rate: int) -> Float:
    """(N,) samples of a timbre's excitation from phase 0 on, for f0 (N,) in Hz."""
    if partials is None:
        return pulse_train(f0, np.zeros(()), sample_rate)[0]
    return excitation(partials, key, np.cumsum(f0 / sample_rate), f0, sample_rate)


def base_hz(partials: Partials | None, f0: NDArray[np.float32]) -> NDArray[np.float32]:
    """f0, the lower base of the excitation, or 0 for noise: the pitch that a vocoder filters."""
    return f0 * np.float32(base_ratio(partials))


def base_ratio(partials: Partials | None) -> float:
    """The base of the excitation as a ratio to f0."""
    if isinstance(partials, NoPartials):
        return 0.0
    return 1 / partials.divisor if isinstance(partials, LowerBase) else 1.0


def seen_partials(manifest: Manifest, timbre: TimbreDefinition) -> Partials | None:
    """The partials that the networks see for a timbre's pitch; None for harmonics."""
    return in_picture(timbre.partials) if manifest.picture == "partials" else None


def sources_of(timbres: Sequence[TimbreDefinition]) -> Sources | None:
    """The excitations of a model's timbres, None if all are harmonic."""
    return Sources(timbres) if any(timbre.partials for timbre in timbres) else None
