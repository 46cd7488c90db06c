"""Adds to the vocoder's noise what a timbre has more, or less, of it (`cmaudio.model.noise_balance`).

Shapes: B voices, K frames, Z timbre dimensions, M mel bands, F STFT bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.noise_balance import NoiseBalance
from cmaudio.model.timbres import fitted, full_vectors
from cmaudio.signal.dsp import Float, Mel
from cmaudio.synthesis.timbre_deviations import nearest_shares

_NEPERS = np.log(10) / 20
_CACHED_KEYS = 512
_LEAST_SHARE = 1e-6  # of a timbre
# The balance is that of the sustain; the noise of the attack is left as it is.
_FADE_IN_S = (0.03, 0.2)


class NoiseBalances:
    """The noise balance of a model's timbres.

    Args:
        timbres: at least one of them with a `noise`.
        mel: of the model.
    """

    def __init__(self, timbres: Sequence[TimbreDefinition], mel: Mel) -> None:
        self._entries = [timbre.noise for timbre in timbres]
        self._vectors = full_vectors(timbres)
        hz = np.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
        self._place = np.interp(hz, mel.centres_hz, np.linspace(0, 1, mel.bands))  # 0..1 over the bands
        self._resting = lru_cache(_CACHED_KEYS)(self._at_rest)

    def __call__(self, timbre: Float, f0: Float, seconds: NDArray[np.floating]) -> Float | None:
        """(B, K, F) nepers to add to the noise at points (B, K, Z), pitches (B, K) in Hz and ages (B, K) of the notes.

        Timbre and key are those of the block's first frame, the key to a semitone. None if nothing changes.
        """
        keys = np.rint(69 + 12 * np.log2(np.maximum(f0[:, 0], 1) / 440)).astype(int).tolist()
        rows = [self._resting(point.tobytes(), key) for point, key in zip(timbre[:, 0], keys, strict=True)]
        if not any(row.any() for row in rows):
            return None
        start, end = _FADE_IN_S
        share = np.clip((seconds - start) / (end - start), 0, 1).astype(np.float32)
        return np.asarray(np.stack(rows)[:, None] * share[..., None])

    def _at_rest(self, point: bytes, key: int) -> Float:
        """(F,) nepers at a point (Z,), as bytes, for a key."""
        vector = np.frombuffer(point, np.float32).astype(np.float64)[None]
        shares = nearest_shares(fitted(vector, self._vectors.shape[1]), self._vectors)[0]
        total = np.zeros(len(self._place))
        for index in np.flatnonzero(shares > _LEAST_SHARE):
            entry = self._entries[index]
            if entry is not None:
                total += shares[index] * self._offsets(entry, key)
        return (total * _NEPERS).astype(np.float32)

    def _offsets(self, entry: NoiseBalance, key: int) -> NDArray[np.float64]:
        """(F,) dB for a key."""
        columns = np.array(entry.offsets_db).T
        at_key = [np.interp(key, entry.keys, column) for column in columns]
        return np.interp(self._place, np.linspace(0, 1, len(columns)), at_key)


def noise_balances_of(timbres: Sequence[TimbreDefinition], mel: Mel) -> NoiseBalances | None:
    """The noise balances of a model's timbres, None if none has one."""
    return NoiseBalances(timbres, mel) if any(timbre.noise for timbre in timbres) else None
