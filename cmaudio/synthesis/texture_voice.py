"""The voice of a texture: unpitched, with controls that were measured on recordings.

Each voice is a separate take: a point between those of two recordings of its timbre, drawn from the voice's seed and
kept while it sounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.events import PARTS
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.synthesis.events import EventTrain
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import BlockFeatures, NoteParams, VoiceSettings
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_CONTROLS, TEXTURE_KINDS, texture_features

TAKE_SPREAD = 0.25  # of a take about the line between two recordings
_STREAM = 1  # of random numbers, beside those of the voice's blocks

Array = NDArray[np.float64]


class TextureVoice(NoteVoice):
    """A texture. A steady timbre is endless and has no clock.

    Args:
        params: start parameters.
        timbre: (Z,) vector.
        settings: shared by all voices of an engine.
        nearest: the named timbre nearest to it.
        expression: values by name; the neutral value where none is given.
    """

    FEATURES: ClassVar[Mapping[str, int]] = TEXTURE_KINDS

    def __init__(
        self,
        params: NoteParams,
        timbre: Array,
        settings: VoiceSettings,
        *,
        nearest: TimbreDefinition,
        expression: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(params, timbre, 0.0, settings, pitched=False, expression=expression)
        self.steady = nearest.sustained
        self.take_point = take_of(nearest, params.seed)
        self.events = train_of(nearest, params.seed, 1 / self.hop_seconds) if self.steady else None

    @classmethod
    def block_features(cls, voices: Sequence[Self], ends: NDArray[np.int64]) -> BlockFeatures:
        middles = ends - np.float64(voices[0].stft.hop_length) / 2
        clocks = cls._clocks(voices, ends, middles)
        features = texture_features(
            clocks.since_onset,
            clocks.since_release,
            np.array([voice.params.velocity for voice in voices]),
            np.repeat([[voice.steady] for voice in voices], ends.shape[1], axis=1),
            np.stack([voice._asked(row) for voice, row in zip(voices, middles, strict=True)]),
            np.stack([voice._taken(row) for voice, row in zip(voices, middles, strict=True)]),
        )
        return features, np.zeros(ends.shape), cls._with_events(voices, ends, middles, clocks.level_db)

    @staticmethod
    def _with_events(
        voices: Sequence[TextureVoice], ends: NDArray[np.int64], middles: Array, level_db: Array | None
    ) -> Array | None:
        """The level (B, K) of the envelopes or, where a voice has events, including theirs (B, K, P)."""
        trains = {i: voice.events for i, voice in enumerate(voices) if voice.events is not None}
        if not trains:
            return level_db
        hop = voices[0].stft.hop_length
        rises = {
            i: train.rise(ends[i] // hop - 1, voices[i].expression["density"].at(middles[i]))
            for i, train in trains.items()
        }
        found = np.zeros((*ends.shape, PARTS))
        if level_db is not None:
            found += level_db[..., None]
        for i, rise in rises.items():
            found[i] += rise
        return found

    def _asked(self, times: Array) -> Array:
        """(K, C) controls."""
        return np.stack([self.expression[name].at(times) for name in TEXTURE_CONTROLS], -1)

    def _taken(self, times: Array) -> Array:
        """(K, P) the take, closer to the typical one with less humanity."""
        return np.minimum(self.expression["humanity"].at(times), 1)[:, None] * self.take_point

    def morph(self, at: float, timbre: Array, over: float, pitched: bool) -> None:
        super().morph(at, timbre, over, pitched=False)

    def release(self, at: float) -> None:
        """A steady texture fades as it was trained to; a one-shot plays to its end."""
        if self.steady:
            super().release(at)
        else:
            self.released_at = min(self.released_at, at)


def train_of(timbre: TimbreDefinition, seed: int, frame_rate: float) -> EventTrain | None:
    """The events of a timbre, None where it has none."""
    return EventTrain(timbre.events, seed, frame_rate) if timbre.events is not None else None


def take_of(timbre: TimbreDefinition, seed: int) -> Array:
    """(P,) a point between two recordings of a timbre; the same for the same seed."""
    rng = np.random.default_rng([seed, _STREAM])
    scatter = TAKE_SPREAD * rng.standard_normal(TAKE_DIMS)
    if not timbre.takes:
        return scatter
    points = np.array(timbre.takes)
    first, second = points[rng.integers(0, len(points), 2)]
    share = rng.random()
    weights = math.cos(share * math.pi / 2), math.sin(share * math.pi / 2)  # as far out as the recordings are
    found: Array = weights[0] * first + weights[1] * second + scatter
    return found
