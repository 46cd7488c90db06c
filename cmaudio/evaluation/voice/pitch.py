"""Pitch of speech by pYIN (Mauch and Dixon 2014), as librosa implements it.

The errors are those of text-to-speech evaluation (Chu and Alwan 2009): a frame's voicing decision is wrong, or it is
voiced in both and the pitch is off by more than a fifth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.context import Figures
from cmaudio.evaluation.libraries import librosa_module
from cmaudio.signal.dsp import Float

F0_MIN_HZ, F0_MAX_HZ = 50.0, 800.0
_FRAME_SECONDS, _HOP_SECONDS = 0.064, 0.01
_GROSS = 0.2


def track_f0(audio: Float, sample_rate: int, resolution: float = 0.1) -> Float:
    """(N,) samples -> (T,) Hz every 10 ms in steps of `resolution` semitones, 0 where unvoiced."""
    f0, voiced, _ = librosa_module().pyin(
        audio,
        fmin=F0_MIN_HZ,
        fmax=F0_MAX_HZ,
        sr=sample_rate,
        frame_length=round(_FRAME_SECONDS * sample_rate),
        hop_length=round(_HOP_SECONDS * sample_rate),
        resolution=resolution,
    )
    return np.where(voiced, np.nan_to_num(f0), 0).astype(np.float32)


def f0_errors(tracks: Sequence[tuple[Float, Float]]) -> Figures:
    """Voicing decision, gross pitch and F0 frame error, 0 to 1, of pairs (ours, recorded) of (T,) tracks."""
    pairs = [(a[: len(b)], b[: len(a)]) for a, b in tracks]
    ours, recorded = (np.concatenate(rows) for rows in zip(*pairs, strict=True))
    both = (ours > 0) & (recorded > 0)
    wrong_voicing = (ours > 0) != (recorded > 0)
    gross = both & (np.abs(ours - recorded) > _GROSS * recorded)
    return {
        "voicing_decision_error": round(float(wrong_voicing.mean()), 4),
        "gross_pitch_error": round(float(gross.sum() / max(1, both.sum())), 4),
        "f0_frame_error": round(float((wrong_voicing | gross).mean()), 4),
    }


def level_and_pitch(audio: Float, sample_rate: int) -> dict[str, float | None]:
    """Level in dB of full scale, and median pitch as a MIDI note number (None if nothing is voiced)."""
    f0 = track_f0(audio, sample_rate)
    voiced = f0[f0 > 0]
    level = 10 * np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-20)
    semitones = 69 + 12 * float(np.log2(np.median(voiced) / 440)) if len(voiced) else None
    return {"level_db": round(float(level), 2), "median_semitones": semitones and round(semitones, 2)}
