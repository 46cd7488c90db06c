"""Noise between the partials of held notes, as a share of the power of each octave, beside the SoundFont."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.evaluation.setting import Figures, Setting, not_measured, summary
from cmaudio.signal.noise_share import N_FFT, noise_shares

PITCHES, VELOCITY, SECONDS = (52, 60, 67, 74), 90, 1.0
OCTAVES_HZ = (500, 1000, 2000, 4000, 8000)
"""Their centres."""
_WORST = 10


def measure_breath(setting: Setting) -> Figures:
    """Every tonal timbre: difference of the share of noise from the SoundFont's, in dB, mean of its notes."""
    if isinstance(setting.soundfont, str):
        return not_measured(setting.soundfont)
    rate = setting.renderer.sample_rate
    hz = np.fft.rfftfreq(N_FFT, 1 / rate)
    octaves = np.array([(hz >= centre / 2**0.5) & (hz < centre * 2**0.5) for centre in OCTAVES_HZ])
    timbres = [timbre for timbre in setting.timbres() if timbre.tonal and timbre.program is not None]
    notes = [HeldNote(timbre.name, pitch, VELOCITY) for timbre in timbres for pitch in PITCHES]
    more: dict[str, list[NDArray[np.float64]]] = {timbre.name: [] for timbre in timbres}
    for note, signal in hold(setting.renderer, notes, round(SECONDS * rate)):
        recorded = setting.recorded(note.timbre, note.pitch, note.velocity, len(signal))
        if recorded is not None:
            f0_hz = 440 * 2 ** ((note.pitch - 69) / 12)
            ours, theirs = (noise_shares(sound, f0_hz, rate, octaves) for sound in (signal, recorded))
            more[note.timbre].append(10 * np.log10(ours / theirs))
        setting.progress(f"breath: {note.timbre}")
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
