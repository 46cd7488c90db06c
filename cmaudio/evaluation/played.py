"""Held-out notes as they sound, beside their recordings.

`held_out` compares the frames of the networks; here the notes are played to samples, so that the vocoder and all that
comes after the networks counts as well.

Shapes: N notes, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.evaluation.context import EvaluationContext, Figures
from cmaudio.evaluation.held_out import compare, held_out_recordings
from cmaudio.evaluation.rendering import BATCH, HeldNote, started
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.notes import LEAD_SAMPLES, SAMPLES, STEP_SAMPLES, Gesture
from cmaudio.soundfont.player import TRAINING_GAIN
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.voice import Voice


def measure_played(context: EvaluationContext) -> Figures:
    """Distances of the notes' log-mel, and by how much their level is off, at humanity 1 and 0."""
    recordings = held_out_recordings(context, "played")
    if not isinstance(recordings, list):
        return recordings
    renderer = context.renderer
    recorded = _log_mel(renderer, np.stack([one.audio for one in recordings]) * np.float32(TRAINING_GAIN))
    figures: Figures = {"notes": len(recordings)}
    for humanity in (1.0, 0.0):
        context.progress(f"played: humanity {humanity:g}")
        ours = _log_mel(renderer, _play(renderer, [one.gesture for one in recordings], humanity))
        off = np.abs(_level_db(renderer, ours) - _level_db(renderer, recorded))
        figures[f"humanity_{humanity:g}"] = {
            **compare(renderer, ours, recorded),
            "level_off_db": round(float(np.median(off)), 3),
            "level_off_p90_db": round(float(np.percentile(off, 90)), 3),
        }
    return figures


def _play(renderer: Renderer, gestures: Sequence[Gesture], humanity: float) -> Float:
    """(N, samples) of the notes, after as much silence as in the recordings."""
    out = np.zeros((len(gestures), SAMPLES), np.float32)
    for first in range(0, len(gestures), BATCH):
        rows = range(first, min(first + BATCH, len(gestures)))
        voices = [_voice(renderer, gestures[row], row, humanity) for row in rows]
        out[rows, LEAD_SAMPLES:] = renderer.take(voices, SAMPLES - LEAD_SAMPLES)
    return out


def _voice(renderer: Renderer, gesture: Gesture, seed: int, humanity: float) -> Voice:
    timbre = renderer.synthesizer.model.programs[gesture.program]
    voice = started(renderer, HeldNote(timbre, gesture.pitch, gesture.velocity, seed, {"humanity": humanity}))
    bend = gesture.bend[LEAD_SAMPLES // STEP_SAMPLES :]
    if np.ptp(bend) > 0:
        for step, semitones in enumerate(bend.tolist()):
            voice.bend(step * STEP_SAMPLES, gesture.pitch + semitones, STEP_SAMPLES)
    voice.release(gesture.gate_samples)
    return voice


def _log_mel(renderer: Renderer, audio: Float) -> Float:
    """(N, T, M) normalised, not below the floor, of samples (N, samples)."""
    stft, synthesizer = renderer.stft, renderer.synthesizer
    rows = []
    for first in range(0, len(audio), BATCH):
        padded = np.pad(audio[first : first + BATCH], ((0, 0), (stft.overlap, 0)))
        rows.append(renderer.mel(stft.analyse(padded)))
    log_mel = np.maximum(np.concatenate(rows), np.log(np.float32(renderer.mel.floor)))
    return np.asarray((log_mel - synthesizer.mean) / synthesizer.std)


def _level_db(renderer: Renderer, log_mel: Float) -> Float:
    """(N,) energy of notes in all bands."""
    magnitude = np.exp(log_mel * renderer.synthesizer.std + renderer.synthesizer.mean)
    return np.asarray(10 * np.log10(np.square(magnitude).sum((1, 2))))
