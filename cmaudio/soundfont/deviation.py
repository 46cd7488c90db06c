"""Measures the pitch deviation of a timbre on recorded notes: scoop, vibrato, wander, spread of partials.

Common periodic modulation of the partials is a vibrato (or a rotary speaker); common aperiodic modulation is wander.
Independent modulation is the beating of several players or layers; two moments describe how far apart and how even
these
are: the width of the partial's spectrum, and how far the fourth moment of its envelope is above that of a steady tone.
Partials that beat more than they move in frequency are compared with simulated ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.deviation import KeyDeviation, PitchDeviation
from cmaudio.signal.dsp import Float
from cmaudio.signal.layers import LAYERS
from cmaudio.signal.modulation import (
    TRACK_RATE,
    PartialTracks,
    amplitude_modulation,
    partial_tracks,
    smooth_cents,
    smoothed,
)
from cmaudio.soundfont.beating import Beating, fit_beating, moving_for

Array = NDArray[np.float64]

KEYS = tuple(range(36, 97, 6))
VELOCITY = 90
SECONDS = 4.0
_STEADY_FROM, _STEADY_UNTIL = 0.5, 3.7
_LEAD_SECONDS = 0.1
_SILENT = 1e-4
_STRONGEST = 4
_SLOWEST_HZ, _FASTEST_HZ, _WIDTH_HZ = 0.8, 9.0, 0.8
_RATE_SHARE, _LEAST_CENTS = 0.5, 0.8  # of the modulation within its rate
_RATE_COHERENCE, _SLOW_HZ = (0.7, 0.95), 2.5  # between partials; for slow modulation, which layers have by chance
_LEAST_TOGETHER, _WANDER_ALIKE, _SLOWEST_WANDER_HZ = 3, 0.7, 0.3
_ENVELOPE_TIMES, _ONSET_SECONDS = 81, 0.06
_LEAST_AM_DB, _LEAST_AM_DB_BESIDE = 2.2, 1.5  # less is sampled with the residual, and is that of a single player
_MUCH_FM_CENTS = 3.5
_LEAST_AM_DB_ALONE, _MUCH_FM_CENTS_ALONE = 1.0, 2.0  # without a vibrato, which leaves a remainder
_CALM = 0.4  # of the median: a fundamental below it is left out, and steadier
_STILL = 0.7  # of the frequency modulation of layers: partials below it only beat in level
_SPREAD_SHARE, _SPREAD_HZ = 0.02, (4.0, 15.0)
_SCOOP_SECONDS, _SETTLED_SECONDS = (0.03, 0.45), (0.6, 1.6)
_SETTLING = (0.03, 0.05, 0.08, 0.12, 0.2)
_HEARD = 1e-3  # of the largest power
_LEAST_SCOOP, _MOST_SCOOP, _SCOOP_EXPLAINS = 3.0, 40.0, 0.6
_DECIMALS = 3


def measure_deviation(
    play: Callable[[int], Float], sample_rate: int, keys: Sequence[int] = KEYS
) -> PitchDeviation | None:
    """Measure a sustained timbre; None for one that is exact.

    Args:
        play: (N,) samples of a key held for 4 s, from its onset on.
        sample_rate: Hz.
        keys: MIDI note numbers, ascending.
    """
    tracks = {key: _tracks(signal, sample_rate, key) for key in keys if _is_heard(signal := play(key))}
    if not tracks:
        return None
    scoop = _scoop([_course(track) for track in tracks.values()])
    found = {key: scoop | _held(track) for key, track in tracks.items()}
    if not any(found.values()):
        return None
    rounded = {key: {name: round(value, _DECIMALS) for name, value in values.items()} for key, values in found.items()}
    return PitchDeviation(keys=[KeyDeviation(key=key, **values) for key, values in rounded.items()])


def _is_heard(signal: Float) -> bool:
    return bool(np.abs(signal).max(initial=0.0) > _SILENT)


def _tracks(signal: Float, sample_rate: int, key: int) -> PartialTracks:
    """From the onset on, with silence before it, which keeps the end of the note out of the filter."""
    lead = np.zeros(round(_LEAD_SECONDS * sample_rate), np.float32)
    tracks = partial_tracks(np.concatenate([lead, signal]), sample_rate, float(440.0 * 2 ** ((key - 69) / 12)))
    return tracks.between(_LEAD_SECONDS, _LEAD_SECONDS + len(signal) / sample_rate)


def _held(tracks: PartialTracks) -> dict[str, float]:
    """Vibrato or wander, and the spread of a key, as far as present."""
    steady = tracks.between(_STEADY_FROM, _STEADY_UNTIL)
    rate, cents = common_swing(steady)
    if not cents:
        wandering = common_wandering(steady)
        return wandering | _spread(_without(steady, 0.0, _FASTEST_HZ) if wandering else steady, alone=True)
    vibrato = {"vibrato_hz": rate, "vibrato_cents": cents}
    return vibrato | _growth(tracks, rate) | _spread(_without(steady, rate, 1.5 * _WIDTH_HZ), alone=False)


def common_wandering(steady: PartialTracks) -> dict[str, float]:
    """The common wander of the strongest partials: the mean of their covariances, if they are similar enough."""
    chosen = steady.strongest(_STRONGEST)
    own = smooth_cents(steady)[chosen]
    if len(own) < _LEAST_TOGETHER:
        return {}
    covariance = np.cov(own)
    together = covariance[np.triu_indices(len(own), 1)].mean()
    coherence = np.sqrt(together / np.diag(covariance).mean()) if together > 0 else 0.0
    if coherence < _WANDER_ALIKE or together < _LEAST_CENTS**2:
        return {}
    mean = own.mean(0)
    power = np.square(np.abs(np.fft.rfft((mean - mean.mean()) * np.hanning(len(mean)))))
    hz = np.fft.rfftfreq(len(mean), 1 / TRACK_RATE)
    pace = float((power * hz).sum() / power.sum())
    return {
        "wander_cents": float(np.sqrt(together)),
        "wander_hz": float(np.clip(pace, _SLOWEST_WANDER_HZ, _FASTEST_HZ)),
    }


def common_swing(steady: PartialTracks) -> tuple[float, float]:
    """Rate in Hz and amplitude in cents of the common periodic modulation; 0 cents without any."""
    common = steady.common_cents()
    common -= common.mean()
    window = np.hanning(len(common))
    power = np.square(np.abs(np.fft.rfft(common * window, 8192)))
    hz = np.fft.rfftfreq(8192, 1 / TRACK_RATE)
    rate = float(hz[np.argmax(power * ((hz > _SLOWEST_HZ) & (hz < _FASTEST_HZ)))])
    near = power[np.abs(hz - rate) < _WIDTH_HZ].sum() / power[(hz > 0.3) & (hz < 20)].sum()
    own = smooth_cents(steady, 11)[steady.strongest(_STRONGEST)]
    swings = ((own - own.mean(1, keepdims=True)) * window * _turning(rate, len(common))).sum(1)
    weight = np.sqrt(steady.power.mean(1)[steady.strongest(_STRONGEST)])
    coherence = np.abs((weight * swings).sum()) / ((weight * np.abs(swings)).sum() + 1e-12)
    cents = float(np.sqrt(2 * near * common.var()))
    coherent = _RATE_COHERENCE[rate < _SLOW_HZ]
    is_one = near > _RATE_SHARE and coherence > coherent and cents > _LEAST_CENTS
    return rate, cents if is_one else 0.0


def _turning(rate: float, times: int) -> NDArray[np.complex128]:
    return np.exp(-2j * np.pi * rate * np.arange(times) / TRACK_RATE)


def _growth(tracks: PartialTracks, rate: float) -> dict[str, float]:
    """When the vibrato starts and reaches its full depth: the line through 25 and 75 % of it."""
    steady = tracks.between(0, _STEADY_UNTIL)
    common, power = steady.common_cents(), steady.power.sum(0)
    common = np.where(power > _HEARD * power.max(), common - np.median(common), 0)
    common[: round(_ONSET_SECONDS * TRACK_RATE)] = 0
    turned = np.clip(common, -60, 60) * _turning(rate, len(common))
    depth = np.hypot(smoothed(turned.real, _ENVELOPE_TIMES), smoothed(turned.imag, _ENVELOPE_TIMES))
    full = np.median(depth[round(1.0 * TRACK_RATE) :])
    quarter, most = (float(np.argmax(depth > share * full)) / TRACK_RATE for share in (0.25, 0.75))
    start = max(0.0, quarter - 0.5 * (most - quarter))
    return {"from_s": start, "full_s": max(start, most + 0.5 * (most - quarter))}


def _without(steady: PartialTracks, rate: float, width_hz: float) -> PartialTracks:
    """The partials without their common modulation around a rate."""
    common = steady.common_cents()
    spectrum = np.fft.rfft(common - common.mean())
    spectrum[np.abs(np.fft.rfftfreq(len(common), 1 / TRACK_RATE) - rate) > width_hz] = 0
    swing = np.concatenate([[0.0], np.cumsum(np.fft.irfft(spectrum, len(common)))])
    turned = swing * np.log(2) / 1200 * steady.f0_hz * 2 * np.pi / TRACK_RATE
    return PartialTracks(steady.envelopes * np.exp(-1j * steady.numbers * turned), steady.f0_hz)


def _spread(steady: PartialTracks, alone: bool) -> dict[str, float]:
    """Width in cents, moving share and turning, of the strongest partials; `alone`: without a vibrato."""
    chosen = steady.strongest(_STRONGEST)
    levels = {index: amplitude_modulation(_only(steady, [index])) for index in chosen}
    calm = levels.get(0, np.inf) < _CALM * amplitude_modulation(steady) and len(chosen) > 1
    counted = chosen[chosen > 0] if calm else chosen
    am_db = float(np.median([levels[index] for index in counted]))
    fm_cents = float(np.median(smooth_cents(steady).std(1)[counted]))
    much, least = (_MUCH_FM_CENTS_ALONE, _LEAST_AM_DB_ALONE) if alone else (_MUCH_FM_CENTS, _LEAST_AM_DB_BESIDE)
    if am_db < (_LEAST_AM_DB if fm_cents < much else least):
        return {}
    cents, moving = np.average(
        [_moments_of(steady, index) for index in counted], 0, np.sqrt(steady.power.mean(1)[counted])
    ).tolist()
    width = float(cents / np.sqrt(max(moving, 0.1)))
    beating = Beating(width, moving, 1.0)
    if fm_cents < _STILL * _modulation_of(width, moving, steady.f0_hz):
        beating = fit_beating(am_db, fm_cents, cents, np.asarray((counted + 1) * steady.f0_hz, np.float64))
    else:
        beating = beating._replace(
            spread_cents=min(2 * width, max(width, _wide_enough(fm_cents, moving, steady.f0_hz)))
        )
    found = beating._asdict()
    if calm:
        first = moving_for(levels[0], beating, steady.f0_hz)
        found["first_moves"] = min(1.0, first / max(beating.moving, 0.05))
    return found


def _only(steady: PartialTracks, indices: Sequence[int]) -> PartialTracks:
    return PartialTracks(steady.envelopes[list(indices)], steady.f0_hz)


def _moments_of(steady: PartialTracks, index: int) -> tuple[float, float]:
    """Width of a partial's spectrum in cents, and the moving share of it."""
    times = steady.envelopes.shape[1]
    hz = np.fft.fftfreq(times, 1 / TRACK_RATE)
    place = (index + 1) * steady.f0_hz
    spectrum = np.fft.fft(steady.envelopes[index])
    spectrum[np.abs(hz) > np.clip(_SPREAD_SHARE * place, *_SPREAD_HZ)] = 0
    narrow = np.square(np.abs(np.fft.ifft(spectrum)))
    power = np.square(np.abs(np.fft.fft(np.fft.ifft(spectrum) * np.hanning(times))))
    middle = (power * hz).sum() / power.sum()
    width = np.sqrt((power * np.square(hz - middle)).sum() / power.sum())
    return float(1200 / np.log(2) * width / place), _moving(float(np.square(narrow).mean() / narrow.mean() ** 2))


def _modulation_of(spread_cents: float, moving: float, f0_hz: float) -> float:
    """The frequency modulation in cents of four steady layers; see `_wide_enough`."""
    rate = spread_cents * f0_hz * np.log(2) / 1200
    return float(0.72 * spread_cents * np.sqrt(max(moving, 0.1)) / rate**0.4)


def _wide_enough(fm_cents: float, moving: float, f0_hz: float) -> float:
    """The spread s in cents of steady layers that have this frequency modulation.

    Players have vibratos of their own, so partials move more than the width of their spectrum suggests. For four
    simulated, the modulation is 0.72 s sqrt(moving) / r^0.4, r being the spread at f0 in Hz.
    """
    return float((fm_cents / (0.72 * np.sqrt(max(moving, 0.1))) * (f0_hz * np.log(2) / 1200) ** 0.4) ** (1 / 0.6))


def _moving(fourth: float) -> float:
    """Share of the power in the layers, from the fourth moment of the envelope over its squared second.

    For a steady part and L layers with a share of q it is 1 + 2 q - q^2 - q^2 / L, at most 1.8 with four, at q = 0.8;
    more than that counts as moving entirely.
    """
    curve = 1 + 1 / LAYERS
    return float((1 - np.sqrt(max(0.0, 1 - curve * max(0.0, fourth - 1)))) / curve)


def _course(tracks: PartialTracks) -> Array:
    """(T,) cents from 0.03 to 0.45 s after the onset, relative to the settled pitch; 0 where nothing is audible yet."""
    power = tracks.power
    total = smoothed(power.sum(0), 9)
    course = smoothed((power * tracks.cents).sum(0), 9) / (total + 1e-30)
    settled = slice(*(round(seconds * TRACK_RATE) for seconds in _SETTLED_SECONDS))
    course -= (total * course)[settled].sum() / (total[settled].sum() + 1e-30)
    course[total < _HEARD * total.max()] = 0
    return course[slice(*(round(seconds * TRACK_RATE) for seconds in _SCOOP_SECONDS))]


def _scoop(courses: Sequence[Array]) -> dict[str, float]:
    """The decaying exponential that best explains the median contour of a timbre's keys; empty if none does."""
    course = np.median(courses, 0)
    times = _SCOOP_SECONDS[0] + np.arange(len(course)) / TRACK_RATE
    best, result = (1 - _SCOOP_EXPLAINS) * float(np.square(course).sum()), {}
    for settle in _SETTLING:
        shape = np.exp(-times / settle)
        at_onset = float((course * shape).sum() / np.square(shape).sum())
        left = float(np.square(course - at_onset * shape).sum())
        if left < best and abs(at_onset) * shape[0] > _LEAST_SCOOP:
            best = left
            result = {"scoop_cents": min(_MOST_SCOOP, max(-_MOST_SCOOP, at_onset)), "scoop_s": settle}
    return result
