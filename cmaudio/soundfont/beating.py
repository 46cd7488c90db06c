"""Fits layers to partials that beat but hardly move in frequency: reeds and drawbars of equal strength.

The effect of layers on a partial depends on their beating rate relative to the measurement, so it is looked up in a
table of simulated partials.

Shapes: P shares that move, T degrees of turning, R rates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.layers import LAYERS, layer_offsets, layered
from cmaudio.signal.modulation import TRACK_RATE, PartialTracks, amplitude_modulation, frequency_modulation

Array = NDArray[np.float64]

_MOVING = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0)
_TURNING = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_RATES_HZ = tuple(float(rate) for rate in np.geomspace(0.2, 16, 8))
_SECONDS, _TRIALS = 3.0, 16
_SPREADS = (0.7, 1.0, 1.4)  # times the measured width
_WIDTH_COUNTS = 0.3


class Beating(NamedTuple):
    spread_cents: float
    moving: float
    turning: float


@lru_cache(1)
def _simulated() -> tuple[Array, Array]:
    """(P, T, R) amplitude modulation in dB and frequency modulation in Hz of one partial."""
    rng = np.random.default_rng(0)
    times = np.arange(round(_SECONDS * TRACK_RATE)) / TRACK_RATE
    offsets = np.stack([layer_offsets(rng) for _ in range(_TRIALS)], 1)
    starts = rng.random((LAYERS, _TRIALS))
    shape = (len(_MOVING), len(_TURNING), len(_RATES_HZ))
    level, frequency = np.zeros(shape), np.zeros(shape)
    for index in np.ndindex(*shape):
        moving, turning, rate = _MOVING[index[0]], _TURNING[index[1]], _RATES_HZ[index[2]]
        radians = 2 * np.pi * (starts[..., None] + offsets[..., None] * rate * times)
        sums = layered(radians.astype(np.float32), np.float32(moving), np.float32(turning))
        tracks = [
            PartialTracks(np.asarray(row[None], np.complex128), 1200 / np.log(2)) for row in sums
        ]  # a cent is a Hz
        level[index] = np.median([amplitude_modulation(track) for track in tracks])
        frequency[index] = np.median([frequency_modulation(track) for track in tracks])
    return level, frequency


def _at_rates(table: Array, rates_hz: Array) -> Array:
    """(P, T, R) -> (P, T, N) at other rates."""
    known = np.log(_RATES_HZ)
    place = np.interp(np.log(np.maximum(rates_hz, _RATES_HZ[0])), known, np.arange(len(known)))
    low = np.minimum(place.astype(int), len(known) - 2)
    share = place - low
    return np.asarray((1 - share) * table[..., low] + share * table[..., low + 1])


def fit_beating(am_db: float, fm_cents: float, width_cents: float, places_hz: Array) -> Beating:
    """The layers that give partials this modulation.

    Args:
        am_db: of their levels, the median.
        fm_cents: of their frequencies, the median.
        width_cents: of their spectra.
        places_hz: (N,) of the partials.
    """
    level, frequency = _simulated()
    best, least = Beating(width_cents, 0.5, 1.0), np.inf
    cent_hz = places_hz * np.log(2) / 1200
    for scale in _SPREADS:
        for wide in np.array([width_cents * scale / np.sqrt(moving) for moving in _MOVING]):
            am = np.median(_at_rates(level, wide * cent_hz), -1)
            fm = np.median(_at_rates(frequency, wide * cent_hz) / cent_hz, -1)
            width = wide * np.sqrt(np.array(_MOVING))[:, None] / width_cents
            off = np.square((am - am_db) / am_db) + np.square((fm - fm_cents) / (fm_cents + 0.5))
            off = off + _WIDTH_COUNTS * np.square(np.log(width))
            index = np.unravel_index(np.argmin(off), off.shape)
            if off[index] < least:
                least = off[index]
                best = Beating(float(wide), _MOVING[index[0]], _TURNING[index[1]])
    return best


def moving_for(am_db: float, beating: Beating, place_hz: float) -> float:
    """The moving share of one partial with this amplitude modulation, given the other properties of those layers."""
    level, _ = _simulated()
    turning = int(np.argmin(np.abs(np.array(_TURNING) - beating.turning)))
    rate = beating.spread_cents * place_hz * np.log(2) / 1200
    found = _at_rates(level, np.array([rate]))[:, turning, 0]
    return float(np.interp(am_db, np.maximum.accumulate(found), _MOVING, left=0.0))
