"""Free-running generation compared with held-out recordings; every block is generated from the network's own past.

Shapes: N notes, T frames, K frames of a block, M mel bands, C control channels, Z timbre dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.evaluation.context import EvaluationContext, Figures, not_measured
from cmaudio.signal.dsp import Float, pulse_train
from cmaudio.soundfont.notes import LEAD_SAMPLES, SAMPLES, Recording, draw_gesture, record
from cmaudio.soundfont.player import TRAINING_GAIN
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.networks import STEPS, NetworkState, batch_states
from cmaudio.synthesis.note_features import all_note_features
from cmaudio.synthesis.renderer import Renderer
from cmaudio.synthesis.sources import seen_partials, timbre_pulses

NOTES, QUICK_NOTES = 256, 16
_EDGE_FRAMES = 106  # 1.1 s
_ACTIVE_ABOVE_FLOOR = 10.0  # 20 dB
_DB = 20 / np.log(10)
_GROUP_FRAMES, _GROUP_BANDS = 8, 4
_SPAN_FRAMES = 288  # of the averages; starting at frame 0 and at frame 4, to cover both block phases
_PIECE = 8


@dataclass(frozen=True)
class Material:
    """(N, T, M) normalised log-mel of the recordings, with their controls (N, T, C) and timbres (N, T, Z)."""

    mels: Float
    controls: Float
    timbre: Float


def frechet(a: Float, b: Float) -> float:
    """Fréchet distance between two sets of (N, T, M) normalised log-mels, T >= 292, M = 128.

    The features are the 32 band averages of pieces of 8 frames.
    """
    return frechet_of_features(_averages(a), _averages(b))


def frechet_of_features(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """|m_x - m_y|^2 + tr(X + Y - 2 (X Y)^(1/2)) of two sets (P, D), X and Y their covariances."""
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    root = np.sqrt(np.clip(np.linalg.eigvals(cov_x @ cov_y).real, 0, None)).sum()
    return float(np.square(x.mean(0) - y.mean(0)).sum() + np.trace(cov_x) + np.trace(cov_y) - 2 * root)


def _averages(mels: Float) -> NDArray[np.float64]:
    notes, _, bands = mels.shape
    shape = (notes, _SPAN_FRAMES // _GROUP_FRAMES, _GROUP_FRAMES, bands // _GROUP_BANDS, _GROUP_BANDS)
    parts = [mels[:, o : o + _SPAN_FRAMES].astype(np.float64).reshape(shape).mean((2, 4)) for o in (0, 4)]
    return np.concatenate(parts).reshape(-1, bands // _GROUP_BANDS)


def prepare(renderer: Renderer, recordings: list[Recording]) -> Material:
    """Recordings as inputs and targets of the network, computed a few at a time."""
    parts = [_prepare(renderer, recordings[i : i + _PIECE]) for i in range(0, len(recordings), _PIECE)]
    mels, controls, timbre = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return Material(mels, controls, timbre)


def _prepare(renderer: Renderer, recordings: list[Recording]) -> tuple[Float, Float, Float]:
    stft, mel, rate = renderer.stft, renderer.mel, renderer.sample_rate
    hop, frames = stft.hop_length, SAMPLES // stft.hop_length
    gestures = [recording.gesture for recording in recordings]
    before = np.zeros((len(recordings), stft.overlap), np.float32)
    audio = np.stack([recording.audio for recording in recordings]) * np.float32(TRAINING_GAIN)
    log_mel = mel(stft.analyse(np.concatenate([before, audio], 1)))
    pitch = np.array([g.pitch for g in gestures], np.float64)
    bend = np.stack([g.bend for g in gestures]).reshape(len(gestures), frames, -1).mean(-1)
    ends = np.broadcast_to((np.arange(frames)[None] + 1.0) * hop - LEAD_SAMPLES, (len(gestures), frames))
    semitones = pitch[:, None] + bend
    f0 = semitones_to_hz(semitones) * (ends > 0)
    centres = (np.arange(frames * hop) + 0.5) / hop - 0.5
    smooth = np.stack([np.interp(centres, np.arange(frames), row) for row in f0])
    pulses, _ = pulse_train(smooth, np.zeros(len(gestures)), rate)
    model = renderer.synthesizer.model
    played = [model.timbres[model.programs[g.program]] for g in gestures]
    for i, named in enumerate(played):
        if (partials := seen_partials(model.manifest, named)) is not None:
            pulses[i] = timbre_pulses(partials, gestures[i].pitch, smooth[i], rate)
    picture = harmonic_picture(mel(stft.analyse(np.concatenate([before, pulses], 1))))
    gate = np.array([[g.gate_samples] for g in gestures])
    velocity = np.array([g.velocity for g in gestures], np.float64)
    features = all_note_features(ends / rate, (ends - gate) / rate, semitones, pitch, velocity)
    features = features[..., : renderer.synthesizer.features]
    vectors = np.array([named.vector for named in played], np.float32)
    timbre = np.ascontiguousarray(np.broadcast_to(vectors[:, None], (len(gestures), frames, vectors.shape[1])))
    mean, std = renderer.synthesizer.mean, renderer.synthesizer.std
    return (log_mel - mean) / std, np.concatenate([features, picture], -1), timbre


def generate(renderer: Renderer, material: Material, steps: int, seed: int) -> Float:
    """(N, T, M) normalised log-mel, the first block silence, the others in `steps` evaluations each."""
    synthesizer, k = renderer.synthesizer, renderer.block_frames
    notes, frames, bands = material.mels.shape
    rng = np.random.default_rng(seed)
    state: NetworkState = batch_states(
        [synthesizer.init_state(material.controls[i : i + 1, :k], material.timbre[i : i + 1, :k]) for i in range(notes)]
    )
    out = [state.frames]
    for start in range(k, frames, k):
        block = slice(start, start + k)
        context_noise = rng.standard_normal((notes, k, bands), dtype=np.float32)
        block_noise = rng.standard_normal((notes, steps, k, bands), dtype=np.float32)
        controls, timbre = material.controls[:, block], material.timbre[:, block]
        state = synthesizer.generate(state, controls, timbre, context_noise, block_noise)
        out.append(synthesizer.with_corrected_level(state.frames, controls, timbre))
    return np.concatenate(out, 1)


def compare(renderer: Renderer, ours: Float, recorded: Float) -> Figures:
    """L1 in dB of log-mel (all, active bands, first and last 1.1 s) and the Fréchet distance."""
    mean, std, floor = renderer.synthesizer.mean, renderer.synthesizer.std, renderer.mel.floor
    difference = np.abs(ours - recorded) * std * np.float32(_DB)
    active = (recorded * std + mean) > np.log(floor * _ACTIVE_ABOVE_FLOOR)
    return {
        "l1_all_db": round(float(difference.mean()), 3),
        "l1_active_db": round(float(difference[active].mean()), 3),
        "l1_first_db": round(float(difference[:, :_EDGE_FRAMES].mean()), 3),
        "l1_last_db": round(float(difference[:, -_EDGE_FRAMES:].mean()), 3),
        "frechet": round(frechet(ours, recorded), 4),
    }


def record_held_out(context: EvaluationContext, section: str) -> Material | Figures:
    """The held-out notes as inputs and targets of the network; or why they cannot be recorded."""
    recordings = held_out_recordings(context, section)
    return prepare(context.renderer, recordings) if isinstance(recordings, list) else recordings


def held_out_recordings(context: EvaluationContext, section: str) -> list[Recording] | Figures:
    """The held-out notes for which the model has programs, rendered from the SoundFont; or why they cannot be."""
    if isinstance(context.soundfont, str):
        return not_measured(context.soundfont)
    model = context.model
    if model.manifest.sample_rate != 48_000 or model.manifest.mel.bands != 128 or model.stft.hop_length != 512:
        return not_measured("the held-out notes are defined for 48 kHz, hop 512 and 128 bands")
    gestures = [draw_gesture(seed) for seed in range(QUICK_NOTES if context.quick else NOTES)]
    gestures = [gesture for gesture in gestures if gesture.program in model.programs]
    if not gestures:
        return not_measured("the model has none of the General MIDI programs")
    context.progress(f"{section}: recording {len(gestures)} notes")
    return [record(context.soundfont, gesture) for gesture in gestures]


def measure_held_out(context: EvaluationContext) -> Figures:
    """Distances in one and two steps, and between two seeds."""
    material = record_held_out(context, "held_out")
    if not isinstance(material, Material):
        return material
    figures: Figures = {"notes": len(material.mels)}
    for steps in STEPS:
        context.progress(f"held_out: {steps} step{'s'[: steps - 1]}")
        first, second = (generate(context.renderer, material, steps, seed) for seed in (0, 1))
        spread = compare(context.renderer, second, first)
        figures[f"steps_{steps}"] = {
            **compare(context.renderer, first, material.mels),
            "seed_spread_all_db": spread["l1_all_db"],
            "seed_spread_active_db": spread["l1_active_db"],
        }
    return figures
