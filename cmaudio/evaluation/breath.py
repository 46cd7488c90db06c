"""Noise between the partials of held notes, as a share of the power of each octave, beside the SoundFont."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, not_measured, summary
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.signal.breath import LEAST_SHARE, LOWEST_PERIODS, WINDOW, is_between
from cmaudio.signal.dsp import Float

PITCHES, VELOCITY, SECONDS = (52, 60, 67, 74), 90, 1.0
OCTAVES_HZ = (500, 1000, 2000, 4000, 8000)
"""Their centres."""
_WORST = 10
_HOP = 4096
_FROM_S, _TO_S = 0.25, 1.0  # after the onset
# The lower quartile of noise, relative to its mean: partials of another series in between are not counted.
_QUARTILE = 0.25
_OF_MEAN = -np.log(1 - _QUARTILE)
_HEARD_DB, _LEAST_POWER = 60.0, 1e-10  # below the loudest part; per sample and bin


def noise_shares(audio: Float, f0_hz: float, sample_rate: int, parts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(P,) share of noise in the power of the parts (P, F) of a held note (N,), from its onset on.

    NaN where it cannot be told: in parts without power, for low or unpitched notes (`f0_hz` 0), and for short ones.
    """
    shares = np.full(len(parts), np.nan)
    sustained = audio[round(_FROM_S * sample_rate) : round(_TO_S * sample_rate)]
    if f0_hz * WINDOW < LOWEST_PERIODS * sample_rate or len(sustained) < WINDOW:
        return shares
    frames = np.lib.stride_tricks.sliding_window_view(sustained, WINDOW)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.blackman(WINDOW)))) / WINDOW
    between = is_between(np.fft.rfftfreq(WINDOW, 1 / sample_rate) / f0_hz)
    total = np.array([power[:, part].mean() if part.any() else 0.0 for part in parts])
    heard = total > max(_LEAST_POWER, total.max() * 10 ** (-_HEARD_DB / 10))
    for index in np.flatnonzero(heard & (parts & between).any(1)):
        noise = np.quantile(power[:, parts[index] & between], _QUARTILE) / _OF_MEAN
        shares[index] = np.clip(noise / total[index], LEAST_SHARE, 1)
    return shares


def measure_breath(context: EvaluationContext) -> Figures:
    """Every tonal timbre: difference of the share of noise from the SoundFont's, in dB, mean of its notes."""
    if isinstance(context.soundfont, str):
        return not_measured(context.soundfont)
    rate = context.renderer.sample_rate
    hz = np.fft.rfftfreq(WINDOW, 1 / rate)
    octaves = np.array([(hz >= centre / 2**0.5) & (hz < centre * 2**0.5) for centre in OCTAVES_HZ])
    timbres = [timbre for timbre in context.timbres() if timbre.tonal and timbre.program is not None]
    notes = [HeldNote(timbre.name, pitch, VELOCITY) for timbre in timbres for pitch in PITCHES]
    more: dict[str, list[NDArray[np.float64]]] = {timbre.name: [] for timbre in timbres}
    for note, signal in hold(context.renderer, notes, round(SECONDS * rate)):
        recorded = context.recorded(note.timbre, note.pitch, note.velocity, len(signal))
        if recorded is not None:
            f0_hz = 440 * 2 ** ((note.pitch - 69) / 12)
            ours, theirs = (noise_shares(sound, f0_hz, rate, octaves) for sound in (signal, recorded))
            more[note.timbre].append(10 * np.log10(ours / theirs))
        context.progress(f"breath: {note.timbre}")
    table = np.array([_mean(rows) for rows in more.values()])
    off = {
        name: float(np.nanmean(np.abs(row))) for name, row in zip(more, table, strict=True) if np.isfinite(row).any()
    }
    octave_values = [column[np.isfinite(column)] for column in table.T]
    return {
        "more_than_soundfont_db": {
            str(centre): summary(values.tolist()) for centre, values in zip(OCTAVES_HZ, octave_values, strict=True)
        },
        "off_db": summary(list(off.values())),
        "worst": [{"timbre": name, "db": round(off[name], 1)} for name in sorted(off, key=lambda n: -off[n])[:_WORST]],
    }


def _mean(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """(octaves,) mean of the notes in which it can be told; NaN if there are none."""
    values = np.array(rows).reshape(-1, len(OCTAVES_HZ))
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(0) / known.sum(0))
