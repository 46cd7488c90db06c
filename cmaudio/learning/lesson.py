"""The sound to be learned, and the timbre that results from one of the model's own.

Shapes: T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from cmaudio.learning.example import Example
from cmaudio.learning.expectation import Expectation
from cmaudio.learning.hearing import heard
from cmaudio.learning.table import spectrum_of
from cmaudio.model.file import Model
from cmaudio.model.learned import Learned
from cmaudio.model.manifest import TimbreDefinition, with_timbre
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_KINDS

_SAME_KEY_SEMITONES = 0.5
_PLACED_BY, _JITTER = 3, 0.02
_LEVEL_AGES = 96  # frames
_BED_SECONDS, _LONGEST_SECONDS = 2.0, 1.5


@dataclass(frozen=True)
class Lesson:
    """Examples of one sound, and the nearest timbres of a model in order, with their distances in dB."""

    model: Model
    networks: Synthesizer
    expectation: Expectation
    name: str
    examples: Sequence[Example]
    near: Sequence[TimbreDefinition]
    distances_db: Sequence[float]

    @property
    def frame_rate(self) -> float:
        return self.model.manifest.frame_rate

    @property
    def floor(self) -> float:
        """Of log-mel, in nepers."""
        return float(np.log(self.model.manifest.mel.floor))

    def timbre(self, nearest: TimbreDefinition) -> TimbreDefinition:
        """A timbre at the point of `nearest`, with the level and spectrum of the examples."""
        textures = self.model.manifest.features in TEXTURE_KINDS
        takes = [[0.0] * TAKE_DIMS] if textures else []  # the takes of the nearest timbre are of other recordings
        own = {"name": self.name, "program": None, "key": None, "takes": takes, "place": self._place()}
        # The offset is to the prior alone, so it replaces a correction.
        base = nearest.model_copy(update=own | {"learned": None, "motion": None, "correction": None})
        examples = self.examples if textures else self._levelled(base)
        spectra = [
            spectrum_of(alike, base, self.expectation, self.frame_rate, self.floor) for alike in by_key(examples, base)
        ]
        return base.model_copy(update={"learned": Learned(spectra=spectra)})

    def alike(self, timbre: TimbreDefinition) -> list[Example]:
        """The examples from which the first spectrum of a timbre was made, at its level."""
        textures = self.model.manifest.features in TEXTURE_KINDS
        return by_key(self.examples if textures else self._levelled(timbre), timbre)[0]

    def hear(
        self, timbre: TimbreDefinition, seeds: Sequence[int], seconds: float | None = None, **expression: float
    ) -> list[Float]:
        """Log-mels (T, M) of takes of a learned timbre, as the model would play them; at most 1.5 or 2 s by default."""
        assert timbre.learned is not None
        trial = replace(self.model, manifest=with_timbre(self.model.manifest, timbre))
        if seconds is None:
            longest = max(len(example.mel) for example in self.examples) / self.frame_rate
            seconds = _BED_SECONDS if timbre.sustained else min(_LONGEST_SECONDS, longest)
        key, velocity = timbre.learned.spectra[0].key or 60.0, self.expectation.velocity
        networks = self.networks.with_model(trial)
        return heard(trial, networks, timbre.name, seconds, seeds, key=key, velocity=velocity, expression=expression)

    def _levelled(self, base: TimbreDefinition) -> list[Example]:
        """Examples at the level of the timbre at a usual velocity, by a common gain."""
        loudest = max(self.examples, key=lambda example: float(example.mel.max()))
        frames = min(len(loudest.mel), _LEVEL_AGES)
        key = loudest.pitch.key if loudest.tonal and base.tonal else None
        predicted = self.expectation([base], np.arange(1, frames + 1) / self.frame_rate, key).median[0]
        power = [np.exp(2 * mel.astype(np.float64)).mean() for mel in (predicted, loudest.mel[:frames])]
        gain = np.float32(np.log(power[0] / power[1]) / 2)
        return [replace(one, mel=np.maximum(one.mel + gain, np.float32(self.floor))) for one in self.examples]

    def _place(self) -> tuple[float, float] | None:
        """A position between the nearest timbres on the map, beside those learned there before."""
        places = [timbre.place for timbre in self.near[:_PLACED_BY]]
        if any(place is None for place in places):
            return None
        weights = 1 / np.maximum(np.square(self.distances_db[: len(places)]), 1e-3)
        x, y = weights @ np.array(places, np.float64) / weights.sum()
        angle = crc32(self.name.encode()) % 360 * np.pi / 180  # keeps timbres at the same place apart
        found = np.clip([x + _JITTER * np.cos(angle), y + _JITTER * np.sin(angle)], -1, 1)
        return float(found[0]), float(found[1])


def by_key(examples: Sequence[Example], base: TimbreDefinition) -> list[list[Example]]:
    """Examples grouped by pitch; those without a pitch are left out for an instrument."""
    tonal = sorted((example for example in examples if example.tonal), key=lambda example: example.pitch.key)
    if not base.tonal or not tonal:
        return [list(examples)]
    groups = [[tonal[0]]]
    for example in tonal[1:]:
        if example.pitch.key - groups[-1][0].pitch.key < _SAME_KEY_SEMITONES:
            groups[-1].append(example)
        else:
            groups.append([example])
    return groups
