"""Learned timbres: the prior's median and spread, with the offsets measured on an example.

At the pitch of the example, its offsets apply to every band. At other pitches only half of their smoothed spectrum
does: formants of an instrument's body stay where they are, while its partials move with the pitch.

Shapes: B voices, K frames, C controls, M mel bands, L learned timbres, A ages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.learned import Learned, LearnedSpectrum
from cmaudio.model.manifest import Manifest
from cmaudio.signal.dsp import Float
from cmaudio.signal.modulation import smoothed

CLOCK_COLUMN, _PITCH_COLUMN = 16, 2  # of the features of notes and textures
_SMOOTHED_BANDS = 17
_SAME_KEY_SEMITONES = 0.7
_ELSEWHERE = 0.5  # error at 13 pitches beside learned ones of 4 instruments: 9.0 dB; 9.5 with 0, 9.2 with 1
_NEPERS = np.log(10) / 20


def ages_of(controls: Float) -> NDArray[np.float64]:
    """(B, K) seconds since the onset, at most 12, from the features of frames (B, K, C)."""
    return np.expm1(4 * controls[..., CLOCK_COLUMN].astype(np.float64)) / 20


def clock_of(ages: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `ages_of`, of seconds."""
    return np.asarray(np.log1p(20 * ages) / 4)


def keys_of(controls: Float) -> NDArray[np.float64]:
    """(B, K) sounding pitch as MIDI note numbers, from the features of frames (B, K, C)."""
    return 24 * controls[..., _PITCH_COLUMN].astype(np.float64) + 60


class LearnedOffsets:
    """The offsets of a model's learned timbres, in their order in the file.

    Args:
        learned: the L timbres.
        std: (M,) standard deviation by which log-mel is normalised.
    """

    def __init__(self, learned: Sequence[Learned], std: Float) -> None:
        self._tables, self._std = [_Table(one) for one in learned], std

    def __call__(self, controls: Float, shares: Float, median: Float, spread: Float) -> tuple[Float, Float]:
        """Add the offsets to the prior's normalised median and spread.

        Args:
            controls: (B, K, C) features of the frames.
            shares: (B, K, L) of the learned timbres.
            median: (B, K, M).
            spread: (B, K, M).
        """
        ages, keys = ages_of(controls), keys_of(controls)
        offset, widening = np.zeros_like(median), np.zeros_like(median)
        for table, share in zip(self._tables, np.moveaxis(shares, -1, 0), strict=False):
            if share.any():
                offset += share[..., None] * table.offset(ages, keys)
                widening += share[..., None] * table.spread
        return median + offset / self._std, spread * np.exp(widening)


class _Table:
    """The spectra of one learned timbre, in nepers."""

    def __init__(self, learned: Learned) -> None:
        self._keys = [spectrum.key for spectrum in learned.spectra]
        self._ages = [np.array(spectrum.ages_s) for spectrum in learned.spectra]
        self._whole = [_nepers(spectrum) for spectrum in learned.spectra]
        self._smooth = [smoothed(rows.astype(np.float64), _SMOOTHED_BANDS).astype(np.float32) for rows in self._whole]
        spreads = np.array([spectrum.spread_db for spectrum in learned.spectra])
        self.spread: Float = (_NEPERS * spreads.mean(0)).astype(np.float32)

    def offset(self, ages: NDArray[np.float64], keys: NDArray[np.float64]) -> Float:
        """(B, K) ages and keys -> (B, K, M)."""
        if self._keys[0] is None:
            return _at(self._ages[0], self._whole[0], ages)
        known = np.array(self._keys, np.float64)
        place = np.interp(keys, known, np.arange(len(known)))
        total = np.zeros((*ages.shape, self._whole[0].shape[1]), np.float32)
        for i, key in enumerate(known):
            near = np.maximum(0, 1 - np.abs(place - i))
            same = np.exp(-np.square((keys - key) / _SAME_KEY_SEMITONES))
            if near.any():
                smooth = _at(self._ages[i], self._smooth[i], ages)
                fine = _at(self._ages[i], self._whole[i], ages) - smooth
                held = near * (_ELSEWHERE + (1 - _ELSEWHERE) * same)
                total += held[..., None].astype(np.float32) * smooth + same[..., None].astype(np.float32) * fine
        return total


def _nepers(spectrum: LearnedSpectrum) -> Float:
    return (_NEPERS * np.array(spectrum.offsets_db)).astype(np.float32)


def _at(known: NDArray[np.float64], rows: Float, ages: NDArray[np.float64]) -> Float:
    """Rows (A, M) at known ages, interpolated at (B, K) ages; constant before the first and after the last."""
    place = np.interp(ages, known, np.arange(len(known)))
    low = np.minimum(place.astype(int), len(known) - 1)
    share = (place - low)[..., None].astype(np.float32)
    return (1 - share) * rows[low] + share * rows[np.minimum(low + 1, len(known) - 1)]


def learned_offsets_of(manifest: Manifest) -> LearnedOffsets | None:
    """The offsets of a model's learned timbres, None if it has none."""
    learned = [timbre.learned for timbre in manifest.timbres if timbre.learned]
    return LearnedOffsets(learned, np.array(manifest.mel.std, np.float32)) if learned else None
