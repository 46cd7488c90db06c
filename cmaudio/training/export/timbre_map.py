"""The timbre map of a model file: timbres that sound alike, as their prior predicts them, lie near each other.

The plane has the distances of the sounds as far as possible: metric multidimensional scaling by majorisation (de Leeuw
1977, "Applications of convex analysis to multidimensional scaling"), starting from classical scaling (Torgerson 1952).
Families are kept together by a gap that is added between sounds of different families.

Shapes: N timbres, K frames of a block, M mel bands, C control channels, P pairs of a key and a velocity.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.saving import save_changed
from cmaudio.signal.dsp import Float, pulse_train
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.graph import Graph, load_graph
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES, all_note_features

FEWEST = 4  # timbres, for a meaningful map
_PROGRAMS_OF_A_FAMILY = 8  # of General MIDI
_FAMILY_GAP = 0.6  # of the median distance
_ROUNDS = 300
_NEAREST = 1e-9

Array = NDArray[np.float64]
KEYS, VELOCITIES = (48.0, 60.0, 72.0), (60.0, 110.0)
AGES_SECONDS = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 3.0)
_NEPERS_TO_DB = 20 / np.log(10)
_RANGE_DB = 60.0  # below the loudest band of a timbre, where nothing is audible


def can_be_mapped(model: Model) -> bool:
    """Whether the model has a prior that predicts the sound of its notes."""
    manifest = model.manifest
    return manifest.prior and manifest.features.startswith("note") and len(manifest.timbres) >= FEWEST


def family_of(timbre: TimbreDefinition) -> Hashable:
    """The General MIDI family of a timbre, or "drums"; a timbre without a program is its own."""
    if timbre.key is not None:
        return "drums"
    return timbre.name if timbre.program is None else timbre.program // _PROGRAMS_OF_A_FAMILY


def amend_places(model: Model, output: Path) -> Model:
    """Write a model file with the map of its timbres; its graphs and card are unchanged, byte for byte.

    Raises CmaudioError for a model without a prior for notes, or with fewer than four timbres.
    """
    if not can_be_mapped(model):
        raise CmaudioError(
            f"{model.path} has no map: it takes a prior for notes, which predicts their sound, and at least "
            f"{FEWEST} timbres; export without --map"
        )
    timbres = model.manifest.timbres
    places = map_places(sound_distances(timbre_pictures(model)), [family_of(timbre) for timbre in timbres])
    placed = [
        timbre.model_copy(update={"place": (round(x, 4), round(y, 4))})
        for timbre, (x, y) in zip(timbres, places.tolist(), strict=True)
    ]
    return save_changed(model, output, manifest=model.manifest.model_copy(update={"timbres": placed}))


def sound_distances(pictures: NDArray[np.floating]) -> Array:
    """(N, D) dB -> (N, N) root mean square differences in dB."""
    rows = pictures.astype(np.float64)
    squares = np.square(rows).sum(-1)
    products = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(products, 0)
    return np.asarray(np.sqrt(np.maximum(products, 0) / rows.shape[1]))


def map_places(distances: Array, families: Sequence[Hashable]) -> Array:
    """(N, N) distances of sounds -> (N, 2) places within -1..1, families next to each other."""
    different = np.array([[a != b for b in families] for a in families])
    wanted = distances + _FAMILY_GAP * np.median(distances) * different
    places = _classical(wanted)
    count = len(places)
    for _ in range(_ROUNDS):
        ratio = wanted / np.maximum(_apart(places), _NEAREST)
        np.fill_diagonal(ratio, 0)
        places = (ratio.sum(1)[:, None] * places - ratio @ places) / count  # the Guttman transform
    places -= (places.max(0) + places.min(0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), _NEAREST))


def _classical(distances: Array) -> Array:
    """(N, N) -> (N, 2), the largest entry of each axis positive on every machine."""
    count = len(distances)
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centre @ np.square(distances) @ centre)
    axes = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0))
    return np.asarray(axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]]))


def _apart(places: Array) -> Array:
    return np.asarray(np.sqrt(np.square(places[:, None] - places).sum(-1)))


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
