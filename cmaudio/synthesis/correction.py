"""Applies the corrections of a model's timbres: colour and level by age, velocity and key.

The colour is added to the prior's median, the level to the vocoder's output. The other networks receive the uncorrected
median, on which they were trained.

Shapes: B voices, K frames, C controls, Z timbre dimensions, M mel bands, R rows of a table: ages, velocity, key.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.correction import AGES_S, PARTS, Correction, from_parts
from cmaudio.model.manifest import Manifest, TimbreDefinition
from cmaudio.model.timbres import fitted, full_vectors
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.learned import CLOCK_COLUMN, clock_of
from cmaudio.synthesis.timbre_deviations import nearest_shares

_KEY_COLUMN, _VELOCITY_COLUMN = 3, 4  # of the features of notes
_MOST_DB = 40.0
_NEPERS = np.log(10) / 20
# Bands at the floor are silent and stay so; an offset is applied in full from this far above the floor.
_FLOOR_NEPERS = 0.8
_CACHED_POINTS = 512
_CLOCKS = clock_of(np.array(AGES_S))
_PLACES = np.arange(len(AGES_S), dtype=np.float32)


class Corrections:
    """The corrections of a model's timbres.

    Args:
        timbres: at least one of them with a `correction`.
        mean: (M,) mean by which log-mel is normalised.
        std: (M,) its standard deviation.
        floor: the lowest mel magnitude.
    """

    def __init__(self, timbres: Sequence[TimbreDefinition], mean: Float, std: Float, floor: float) -> None:
        self._vectors = full_vectors(timbres)
        bands = len(std)
        empty = np.zeros((len(AGES_S) + 2, PARTS))
        tables = [empty if t.correction is None else _table(t.correction) for t in timbres]
        self._tables = (np.stack(tables) @ from_parts(bands) * _NEPERS / std).astype(np.float32)  # (timbres, R, M)
        self._std = std
        self._silence = ((np.log(floor) - mean) / std).astype(np.float32)
        self._most = (_MOST_DB * _NEPERS / std).astype(np.float32)
        self._slope = (std / _FLOOR_NEPERS).astype(np.float32)
        self._above = ((mean - np.log(floor)) / _FLOOR_NEPERS).astype(np.float32)
        self._resting = lru_cache(_CACHED_POINTS)(lambda point: self._at(np.frombuffer(point, np.float32)[None])[0])

    def __call__(self, controls: Float, timbre: Float, median: Float) -> tuple[Float, Float]:
        """Add the colour to a normalised median (B, K, M) of frames with features (B, K, C) at points (B, K, Z).

        Returns the median, and the `level` of the frames.
        """
        offset = self._offset(controls, timbre)
        level = self._shared(offset)
        offset -= level / self._std
        np.maximum(np.minimum(offset, self._most, out=offset), -self._most, out=offset)
        return self._lifted(median, offset), level

    def level(self, controls: Float, timbre: Float) -> Float:
        """(B, K, 1) nepers to add to the level of all bands, after the vocoder.

        The vocoder is not linear and was trained on uncorrected levels.
        """
        return self._shared(self._offset(controls, timbre))

    def with_level(self, frames: Float, controls: Float, timbre: Float) -> Float:
        """Frames (B, K, M) with the level that is applied after the vocoder."""
        level = self.level(controls, timbre) / self._std
        return np.maximum(self._lifted(frames, level), self._silence)

    def _lifted(self, frames: Float, offset: Float) -> Float:
        """Add an offset to frames (B, K, M); silence stays silent."""
        audible = frames * self._slope
        audible += self._above
        np.maximum(np.minimum(audible, 1, out=audible), 0, out=audible)
        audible *= offset
        return np.asarray(frames + np.minimum(offset, audible, out=audible), np.float32)

    def _shared(self, offset: Float) -> Float:
        """(B, K, M) -> (B, K, 1) nepers, the mean over the bands."""
        most = np.float32(_MOST_DB * _NEPERS)
        mean = (offset * self._std).mean(-1, keepdims=True)
        return np.maximum(np.minimum(mean, most, out=mean), -most, out=mean)

    def _offset(self, controls: Float, timbre: Float) -> Float:
        """(B, K, M) the whole correction, in normalised log-mel."""
        basis = basis_of(controls)
        if (timbre == timbre[:, :1]).all():
            tables = np.stack([self._resting(point.tobytes()) for point in timbre[:, 0]])  # (B, R, M)
            return basis @ tables
        tables = self._at(timbre.reshape(-1, timbre.shape[-1])).reshape(*basis.shape, -1)  # (B, K, R, M)
        return np.asarray((basis[:, :, None] @ tables)[:, :, 0])

    def _at(self, points: NDArray[np.floating]) -> Float:
        """(N, R, M) at points (N, Z)."""
        dims = self._vectors.shape[1]
        shares = nearest_shares(fitted(points.astype(np.float64), dims), self._vectors)
        near = np.flatnonzero(shares.any(0))
        return np.asarray(np.tensordot(shares[:, near], self._tables[near], 1), np.float32)


def _table(correction: Correction) -> NDArray[np.float64]:
    """(R, P) dB."""
    return np.array([*correction.colour_db, correction.velocity_db, correction.key_db])


def basis_of(controls: Float) -> Float:
    """(B, K, R) factor of each row of a table: nearness to `AGES_S`, decades of velocity, double octaves of key."""
    basis = np.empty((*controls.shape[:2], len(AGES_S) + 2), np.float32)
    place = np.interp(controls[..., CLOCK_COLUMN], _CLOCKS, _PLACES).astype(np.float32)
    ages = basis[..., : len(AGES_S)]
    np.abs(np.subtract(place[..., None], _PLACES, out=ages), out=ages)
    np.maximum(np.subtract(1, ages, out=ages), 0, out=ages)
    velocity = 64 * (controls[:, :, _VELOCITY_COLUMN] + 1)
    basis[..., -2] = np.log10(np.maximum(velocity, 1) / 127)
    basis[..., -1] = controls[..., _KEY_COLUMN]
    return basis


def correction_of(manifest: Manifest) -> Corrections | None:
    """The corrections of a model's timbres, None if it has none."""
    if not any(timbre.correction for timbre in manifest.timbres):
        return None
    mean, std = np.array(manifest.mel.mean, np.float32), np.array(manifest.mel.std, np.float32)
    return Corrections(manifest.timbres, mean, std, manifest.mel.floor)
