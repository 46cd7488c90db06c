"""Frame-rate buzz: is a held note's loudness modulated at the frame rate?

For the envelope of every band (an STFT of 5 ms windows, 1500 per second) over one second: the largest spectral line
within 1 Hz of the frame rate, relative to the median line nearby. Noise without any buzz gives 3 to 5 dB, since the
largest of three lines is compared with a median.
"""

from __future__ import annotations

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures, decibels, level_db, summary
from cmaudio.evaluation.rendering import HeldNote, hold
from cmaudio.signal.dsp import Float, Stft

PITCHES = (50, 60, 72)  # high enough that no beating of harmonics falls into the neighbourhood
VELOCITY = 96
FROM_SECONDS, SECONDS = 1.0, 1.0
_ENVELOPE = Stft(256, 64)
_ENVELOPE_HOP = 32
_BAND_EDGES = (1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 36, 48, 64, 96)  # bins of 187.5 Hz
_NEIGHBOURHOOD_HZ, _APART_HZ, _LINE_HZ = 14.0, 3.0, 1.0
_ACTIVE_DB = -50.0
_SILENT_DB = -75.0


def _envelopes(signal: Float) -> Float:
    """(frames, bands) amplitude."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, _ENVELOPE.n_fft)[::_ENVELOPE_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * _ENVELOPE.window)))
    bands: Float = np.sqrt(np.add.reduceat(power, _BAND_EDGES, axis=1)[:, :-1]).astype(np.float32)
    return bands


def buzz_db(signal: Float, sample_rate: int, frame_rate: float) -> float | None:
    """Median over the active bands of the line at the frame rate relative to its neighbourhood; None for silence."""
    if level_db(signal) < _SILENT_DB:
        return None
    bands = _envelopes(signal)
    means = bands.mean(0)
    bands = bands[:, means > means.max() * 10 ** (_ACTIVE_DB / 20)]
    relative = bands / bands.mean(0) - 1
    lines = np.abs(np.fft.rfft(relative * np.hanning(len(relative))[:, None], axis=0))
    distance = np.abs(np.fft.rfftfreq(len(relative), _ENVELOPE_HOP / sample_rate) - frame_rate)
    around = (distance <= _NEIGHBOURHOOD_HZ) & (distance >= _APART_HZ)
    excess = decibels(lines[distance <= _LINE_HZ].max(0) / (np.median(lines[around], axis=0) + 1e-12))
    return float(np.median(excess))


def measure_buzz(context: EvaluationContext) -> Figures:
    """Every sustained timbre at three pitches, ours and the SoundFont's."""
    rate = context.renderer.sample_rate
    frame_rate = rate / context.renderer.stft.hop_length
    start, samples = round(FROM_SECONDS * rate), round((FROM_SECONDS + SECONDS) * rate)
    notes = [HeldNote(t.name, pitch, VELOCITY) for t in context.timbres(sustained_only=True) for pitch in PITCHES]
    ours: list[tuple[float, HeldNote]] = []
    theirs: list[float] = []
    for note, signal in hold(context.renderer, notes, samples):
        found = buzz_db(signal[start:], rate, frame_rate)
        if found is not None:
            ours.append((found, note))
        recorded = context.recorded(note.timbre, note.pitch, note.velocity, samples)
        if recorded is not None:
            found = buzz_db(recorded[start:], rate, frame_rate)
            theirs += [] if found is None else [found]
    context.progress("buzz: done")
    worst = sorted(ours, key=lambda entry: -entry[0])[:10]
    return {
        "frame_rate_hz": frame_rate,
        "ours_db": summary([value for value, _ in ours]),
        "soundfont_db": summary(theirs),
        "worst": [{"timbre": note.timbre, "pitch": note.pitch, "db": round(value, 2)} for value, note in worst],
    }
