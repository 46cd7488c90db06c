"""Applies the corrections of a model's timbres: level and colour by key, velocity and age.

The colour is added to the prior's median, the level to the vocoder's output. The other networks receive the uncorrected
median, on which they were trained.

Shapes: B voices, K frames, C controls, Z timbre dimensions, M mel bands, N points, R rows of two neighbouring keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.correction import AGES_S, ROWS, STEP_DB, VELOCITIES, tables_of
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.timbres import fitted, full_vectors
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.learned import CLOCK_COLUMN, clock_of, keys_of
from cmaudio.synthesis.timbre_deviations import nearest_shares

_VELOCITY_COLUMN = 4  # of the features of notes
_MOST_DB = 40.0
_NEPERS = np.log(10) / 20
# Bands at the floor are silent and stay so; an offset is applied in full from this far above the floor.
_FLOOR_NEPERS = 0.8
_CACHED_KEYS = 512
_CLOCKS, _LOG_VELOCITIES = clock_of(np.array(AGES_S)), np.log(VELOCITIES)


class Corrections:
    """The corrections of a model's timbres.

    Args:
        timbres: at least one of them with a `correction`.
        rows: of their tables (`cmaudio.model.correction`).
        mean: (M,) mean by which log-mel is normalised.
        std: (M,) its standard deviation.
        floor: the lowest mel magnitude.
    """

    def __init__(
        self, timbres: Sequence[TimbreDefinition], rows: NDArray[np.int8], mean: Float, std: Float, floor: float
    ) -> None:
        self._vectors = full_vectors(timbres)
        self._tables = tables_of([timbre.correction for timbre in timbres], rows)
        self._lowest = [timbre.correction.lowest_key if timbre.correction else 0 for timbre in timbres]
        self._unit = (STEP_DB * _NEPERS / std).astype(np.float32)
        self._std = std
        self._silence = ((np.log(floor) - mean) / std).astype(np.float32)
        self._most = (_MOST_DB * _NEPERS / std).astype(np.float32)
        self._slope = (std / _FLOOR_NEPERS).astype(np.float32)
        self._above = ((mean - np.log(floor)) / _FLOOR_NEPERS).astype(np.float32)
        self._resting = lru_cache(_CACHED_KEYS)(self._at_rest)

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
        key, weights = _weights(controls)
        # Voice by voice, so that no sample depends on what else sounds.
        offset = np.empty((*key.shape, len(self._std)), np.float32)
        morphs = (timbre != timbre[:, :1]).any((1, 2))
        glides = ~morphs & (key != key[:, :1]).any(1)
        rests = ~morphs & ~glides
        for i in np.flatnonzero(rests).tolist():
            np.matmul(weights[i], self._resting(timbre[i, 0].tobytes(), int(key[i, 0])), out=offset[i])
        if glides.any():
            offset[glides] = (weights[glides][:, :, None] @ self._known(timbre[glides], key[glides]))[:, :, 0]
        if morphs.any():
            points, rows = timbre[morphs].reshape(-1, timbre.shape[-1]), weights[morphs].reshape(-1, 1, 2 * ROWS)
            offset[morphs] = self._at(points, key[morphs].reshape(-1), rows).reshape(-1, *offset.shape[1:])
        return offset

    def _known(self, points: Float, keys: NDArray[np.int64]) -> Float:
        """(..., R, M) rows at points (..., Z) for keys (...), computed once for each of them."""
        places = zip(points.reshape(-1, points.shape[-1]), keys.reshape(-1).tolist(), strict=True)
        rows = np.stack([self._resting(point.tobytes(), key) for point, key in places])
        return rows.reshape(*keys.shape, *rows.shape[1:])

    def _at_rest(self, point: bytes, key: int) -> Float:
        """(R, M) at a point (Z,), as bytes, for a key and the one above."""
        vector, every_row = np.frombuffer(point, np.float32)[None], np.eye(2 * ROWS, dtype=np.float32)[None]
        return self._at(vector, np.array([key]), every_row)[0]

    def _at(self, points: NDArray[np.floating], keys: NDArray[np.int64], weights: Float) -> Float:
        """(N, W, M) sums at points (N, Z), weights (N, W, R) for the rows of keys (N,) and of those above."""
        shares = nearest_shares(fitted(points.astype(np.float64), self._vectors.shape[1]), self._vectors)
        total = np.zeros((*weights.shape[:2], len(self._std)), np.float32)
        for index in np.flatnonzero(shares.any(0)):
            table = self._tables[index]
            if table is not None:
                near = np.flatnonzero(shares[:, index])
                pairs = np.clip(keys[near, None] + (0, 1) - self._lowest[index], 0, len(table) - 1)
                rows = table[pairs].reshape(len(near), 2 * ROWS, -1).astype(np.float32)
                total[near] += shares[near, index, None, None].astype(np.float32) * (weights[near] @ rows)
        total *= self._unit
        return total


def _weights(controls: Float) -> tuple[NDArray[np.int64], Float]:
    """(B, K) key below the sounding pitch; (B, K, R) weights of its rows and of those of the key above."""
    pitch = keys_of(controls)
    key = np.floor(pitch).astype(np.int64)
    above = (pitch - key)[..., None]
    ages = nearness(controls[..., CLOCK_COLUMN], _CLOCKS)
    velocities = nearness(np.log(np.maximum(64 * (controls[..., _VELOCITY_COLUMN] + 1), 1)), _LOG_VELOCITIES)
    rows = (velocities[..., None] * ages[..., None, :]).reshape(*key.shape, ROWS)
    return key, np.concatenate([(1 - above) * rows, above * rows], -1).astype(np.float32)


def nearness(values: NDArray[np.floating], nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(...) values -> (..., nodes) weights of linear interpolation; beyond the nodes, the outermost has all."""
    place = np.interp(values, nodes, np.arange(len(nodes)))
    return np.maximum(1 - np.abs(place[..., None] - np.arange(len(nodes))), 0)


def correction_of(model: Model) -> Corrections | None:
    """The corrections of a model's timbres, None if it has none."""
    manifest = model.manifest
    if model.corrections is None or not any(timbre.correction for timbre in manifest.timbres):
        return None
    mean, std = np.array(manifest.mel.mean, np.float32), np.array(manifest.mel.std, np.float32)
    return Corrections(manifest.timbres, model.corrections, mean, std, manifest.mel.floor)
