"""The prior's prediction for timbres at rest: default controls, without sampling.

Shapes: V timbres, A ages, K frames of a block, M mel bands. Values are of log-mel, not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.errors import CmaudioError
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.partials import Partials
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import harmonic_picture, semitones_to_hz
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES, all_note_features
from cmaudio.synthesis.sources import seen_partials, timbre_pulses
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_CONTROLS, TEXTURE_KINDS, texture_features

LOUD_VELOCITY, USUAL_VELOCITY = 127.0, 100.0  # of textures, which have the level of their recordings, and of notes
_PICTURE_FRAMES = 8  # after which the excitation's spectrum of a held note no longer changes
_NEVER = -1e9

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """(V, A, M) each."""

    median: Float
    spread: Float


class Expectation:
    """Evaluates the prior of a loaded model.

    Raises CmaudioError for a model without a prior, naming models that have one.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        manifest = synthesizer.model.manifest
        if not manifest.learns or synthesizer.prior is None:
            raise CmaudioError(
                f"model {manifest.name!r} cannot learn timbres, since it has no prior: use instrument or textures"
            )
        self._synthesizer, self._graph = synthesizer, synthesizer.prior.graph
        self._pictures: dict[tuple[str | None, float | None], Float] = {}

    @property
    def velocity(self) -> float:
        """The velocity at which examples are learned."""
        textures = self._synthesizer.model.manifest.features in TEXTURE_KINDS
        return LOUD_VELOCITY if textures else USUAL_VELOCITY

    def __call__(self, timbres: Sequence[TimbreDefinition], ages: Array, key: float | None) -> Expected:
        """Median and spread of timbres at ages (A,) in seconds; `key` is a MIDI note number, None if unpitched."""
        k, manifest = self._synthesizer.block_frames, self._synthesizer.model.manifest
        blocks = np.pad(ages, (0, -len(ages) % k), mode="edge").reshape(-1, k)
        controls = np.concatenate([self.controls(timbre, blocks, key) for timbre in timbres])
        vectors = [np.broadcast_to(np.array(t.vector, np.float32), (*blocks.shape, len(t.vector))) for t in timbres]
        median, spread = self._graph(controls, np.concatenate(vectors))
        shape = (len(timbres), blocks.size, -1)
        median, spread = median.reshape(shape)[:, : len(ages)], spread.reshape(shape)[:, : len(ages)]
        std, mean = self._synthesizer.std, self._synthesizer.mean
        floor = np.float32(np.log(manifest.mel.floor))
        return Expected(np.maximum(median * std + mean, floor), spread * std)

    def controls(self, timbre: TimbreDefinition, ages: Array, key: float | None) -> Float:
        """(N, K, C + M) inputs of the prior in blocks at ages (N, K) in seconds: features, and excitation spectrum."""
        manifest = self._synthesizer.model.manifest
        features = self._features(timbre, ages, key)[..., : self._synthesizer.features]
        pictures = self._picture(seen_partials(manifest, timbre), key if timbre.pitched else None)
        frames = np.clip(np.round(ages * manifest.frame_rate).astype(int) - 1, 0, _PICTURE_FRAMES - 1)
        return np.concatenate([features, pictures[frames]], -1).astype(np.float32)

    def _features(self, timbre: TimbreDefinition, ages: Array, key: float | None) -> Float:
        blocks, never = len(ages), np.full(ages.shape, _NEVER)
        if self._synthesizer.model.manifest.features in TEXTURE_KINDS:
            controls, take = (np.full((*ages.shape, n), v) for n, v in ((len(TEXTURE_CONTROLS), 0.5), (TAKE_DIMS, 0.0)))
            steady = np.full(ages.shape, timbre.sustained)
            return texture_features(ages, never, np.full(blocks, self.velocity), steady, controls, take)
        pitch = UNPITCHED_SEMITONES if key is None or not timbre.pitched else key
        semitones, velocity = np.full(ages.shape, pitch), np.full(blocks, self.velocity)
        return all_note_features(ages, never, semitones, np.full(blocks, pitch), velocity)

    def _picture(self, partials: Partials | None, key: float | None) -> Float:
        """(frames, M) the first frames of a held key's excitation spectrum."""
        kind = partials.model_dump_json() if partials and key is not None else None
        if (kind, key) not in self._pictures:
            self._pictures[kind, key] = self._drawn(partials, key)
        return self._pictures[kind, key]

    def _drawn(self, partials: Partials | None, key: float | None) -> Float:
        model = self._synthesizer.model
        samples = _PICTURE_FRAMES * model.stft.hop_length
        pulses = np.zeros(samples, np.float32)
        if key is not None:
            hz = np.full(samples, semitones_to_hz(np.array(key)))
            pulses = timbre_pulses(partials, key, hz, model.manifest.sample_rate)
        before = np.zeros(model.stft.overlap, np.float32)
        return harmonic_picture(model.mel(model.stft.analyse(np.concatenate([before, pulses]))))
