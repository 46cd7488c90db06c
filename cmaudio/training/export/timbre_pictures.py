"""The sound of a model's timbres as predicted by its prior: the basis of a map on which neighbours sound alike.

Shapes: N timbres, K frames of a block, M mel bands, C control channels, P pairs of a key and a velocity.
"""

from __future__ import annotations

import numpy as np

from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float, pulse_train
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.graph import Graph, load_graph
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES
from cmaudio.synthesis.note_kinds import all_note_features

KEYS, VELOCITIES = (48.0, 60.0, 72.0), (60.0, 110.0)
AGES_SECONDS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 3.0)
_NEPERS_TO_DB = 20 / np.log(10)
_RANGE_DB = 60.0  # below the loudest band of a timbre, where nothing is audible


def timbre_pictures(model: Model) -> Float:
    """(N, D) dB: the bands of each timbre of a model with a prior, over keys, velocities and ages; 0 at its loudest."""
    prior = load_graph(model, "prior")
    rows = np.stack([_picture(model, prior, timbre) for timbre in model.manifest.timbres])
    return np.maximum(rows - rows.max(-1, keepdims=True), -_RANGE_DB)


def _picture(model: Model, prior: Graph, timbre: TimbreDefinition) -> Float:
    """(D,) dB of one timbre."""
    mel = model.manifest.mel
    keys, velocities = (grid.ravel() for grid in np.meshgrid(KEYS, VELOCITIES))
    semitones = keys if timbre.pitched else np.full_like(keys, UNPITCHED_SEMITONES)
    count = -(-len(AGES_SECONDS) // model.manifest.block_frames) * model.manifest.block_frames  # whole blocks
    ages = np.broadcast_to(np.resize(AGES_SECONDS, count), (len(keys), count))
    sounding = np.broadcast_to(semitones[:, None], ages.shape)
    features = all_note_features(ages, np.full_like(ages, -np.inf), sounding, semitones, velocities)
    width = int(prior.shapes["controls"][-1]) - mel.bands
    harmonics = _harmonics(model, semitones_to_hz(semitones) * timbre.pitched)
    seen = np.broadcast_to(harmonics[:, None], (*ages.shape, mel.bands))
    controls = np.concatenate([features[..., :width], seen], -1)
    controls = controls.reshape(-1, model.manifest.block_frames, controls.shape[-1])
    vector = np.tile(np.array(timbre.vector, np.float32), (*controls.shape[:2], 1))
    median = prior(controls, vector)[0].reshape(*ages.shape, mel.bands)[:, : len(AGES_SECONDS)]
    std, mean = np.array(mel.std, np.float32), np.array(mel.mean, np.float32)
    return np.asarray((median * std + mean).ravel() * np.float32(_NEPERS_TO_DB))


def _harmonics(model: Model, hz: np.ndarray) -> Float:
    """(P,) Hz -> (P, M) the harmonics of a held note as the networks see them; of 0 Hz, silence."""
    stft = model.stft
    f0 = np.tile(hz[:, None], stft.overlap + stft.hop_length)
    pulses, _ = pulse_train(f0, np.zeros(len(hz)), model.manifest.sample_rate)
    return harmonic_picture(model.mel(stft.analyse(pulses)))[:, -1]
