"""Tuning: cents between the requested pitch and the harmonics' spectral peaks over one second of a held note.

Humanity is 0; the deviation of pitch is measured by `cmaudio.evaluation.modulation`.

Under a Gaussian window the logarithm of a partial's spectrum is a parabola (except for the truncation of the window),
so a parabola through the three highest bins gives its frequency to far below a hundredth of a bin. One value per note:
the mean over harmonics 1 to 4, weighted by amplitude, without those more than 40 dB below the strongest. The strongest
partials determine the perceived tuning, and the weights limit the influence of peaks that barely stand out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, level_db, summary
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import semitones_to_hz

PITCHES = (36, 43, 48, 55, 60, 67, 72, 79, 84)  # every C and G from C2 to C6
VELOCITY = 96
TARGET_MEDIAN_CENTS, TARGET_P95_CENTS = 2.0, 8.0
FROM_SECONDS, SECONDS = 1.0, 1.0
_HARMONICS = 4
_WEAKEST_DB = -40.0
_SEARCH_CENTS = 60.0
_SEARCH_LEAST_HZ = 3.0
_SILENT_DB = -75.0
_WINDOW_SIGMAS = 4.5  # on either side of the centre: the truncated ends are 88 dB down
_PADDING = 4


def harmonic_peaks(signal: Float, sample_rate: int, f0_hz: float) -> list[tuple[float, float]]:
    """(cents off, amplitude) of the harmonics 1 to 4 that have a peak within 60 cents, or 3 Hz, of nominal."""
    position = np.linspace(-_WINDOW_SIGMAS, _WINDOW_SIGMAS, len(signal))
    n_fft = 1 << (_PADDING * len(signal) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(signal * np.exp(-0.5 * np.square(position)), n_fft)) + 1e-12
    bin_hz = sample_rate / n_fft
    found = []
    for number in range(1, _HARMONICS + 1):
        place = number * f0_hz
        reach = max(_SEARCH_LEAST_HZ, place * (2 ** (_SEARCH_CENTS / 1200) - 1))
        low, high = int((place - reach) / bin_hz), int((place + reach) / bin_hz) + 1
        if high + 1 >= len(spectrum):
            break
        top = low + int(np.argmax(spectrum[low : high + 1]))
        if low < top < high:
            a, b, c = np.log(spectrum[top - 1 : top + 2])
            hz = (top + 0.5 * (a - c) / (a - 2 * b + c)) * bin_hz
            found.append((1200 * float(np.log2(hz / place)), float(spectrum[top])))
    return found


def pitch_error_cents(signal: Float, sample_rate: int, f0_hz: float) -> float | None:
    """Mean over the harmonics, weighted by amplitude; None for silence and where no harmonic has a peak."""
    peaks = harmonic_peaks(signal, sample_rate, f0_hz) if level_db(signal) > _SILENT_DB else []
    if not peaks:
        return None
    least = max(amplitude for _, amplitude in peaks) * 10 ** (_WEAKEST_DB / 20)
    cents, weights = zip(*[peak for peak in peaks if peak[1] >= least], strict=True)
    return float(np.average(cents, weights=weights))


def measure_pitch(context: EvaluationContext) -> Figures:
    """Every sustained pitched timbre, at nine pitches, ours and the SoundFont's."""
    timbres = [timbre.name for timbre in context.timbres(sustained_only=True) if timbre.tonal]
    rate = context.renderer.sample_rate
    start, samples = round(FROM_SECONDS * rate), round((FROM_SECONDS + SECONDS) * rate)
    notes = [HeldNote(name, pitch, VELOCITY, expression={"humanity": 0.0}) for name in timbres for pitch in PITCHES]
    ours: dict[str, list[float | None]] = {name: [] for name in timbres}
    theirs: dict[str, list[float | None]] = {name: [] for name in timbres}
    for note, signal in hold(context.renderer, notes, samples):
        f0 = float(semitones_to_hz(np.array(float(note.pitch))))
        ours[note.timbre].append(pitch_error_cents(signal[start:], rate, f0))
        recorded = context.recorded(note.timbre, note.pitch, note.velocity, samples)
        if recorded is not None:
            theirs[note.timbre].append(pitch_error_cents(recorded[start:], rate, f0))
        if note.pitch == PITCHES[-1]:
            context.progress(f"pitch: {note.timbre}")
    return {
        "unit": "cents, absolute",
        "pitches": list(PITCHES),
        "targets": {"median": TARGET_MEDIAN_CENTS, "p95": TARGET_P95_CENTS},
        "ours": _overall(ours),
        "soundfont": _overall(theirs),
        "timbres": {name: {"ours": ours[name], "soundfont": theirs[name]} for name in timbres},
    }


def _overall(errors: dict[str, list[float | None]]) -> Figures:
    """Summaries of the absolute errors and of the timbres' medians, and the worst notes by name."""
    measured = [
        (abs(cents), name, PITCHES[i])
        for name, row in errors.items()
        for i, cents in enumerate(row)
        if cents is not None
    ]
    worst = sorted(measured, reverse=True)[:10]
    return {
        **summary([cents for cents, _, _ in measured]),
        "timbre_medians": summary([_median(row) for row in errors.values() if any(c is not None for c in row)]),
        "not_measurable": sum(cents is None for row in errors.values() for cents in row),
        "worst": [{"timbre": name, "pitch": pitch, "cents": round(cents, 3)} for cents, name, pitch in worst],
    }


def _median(row: Sequence[float | None]) -> float:
    return float(np.median([abs(cents) for cents in row if cents is not None]))
