"""The voice of a texture: unpitched, with controls that were measured on recordings.

Each voice is a separate take, chosen by its seed: its motion, where the timbre has one; otherwise a point between those
of two recordings, constant while it sounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.courses import MotionControls
from cmaudio.synthesis.motion import MotionPath
from cmaudio.synthesis.note_voice import NoteVoice
from cmaudio.synthesis.params import BlockFeatures, NoteParams, VoiceSettings
from cmaudio.synthesis.texture_features import TAKE_DIMS, TEXTURE_CONTROLS, TEXTURE_KINDS, texture_features
from cmaudio.synthesis.texture_shaping import (
    flicker_of,
    resonance_of,
    seen_by_networks,
    shapes_motion,
    smooth_gain,
    speed_of,
    with_flicker,
)

TAKE_SPREAD = 0.25  # of a take about the line between two recordings
_MOTION_FADE_SECONDS = 0.5  # after the release
_LONGEST_FRAMES, _FALL_DB = 400, 0.15  # of a one-shot; per frame after its end
_STREAM = 1  # of random numbers, separate from those of the voice's blocks

Array = NDArray[np.float64]


class TextureVoice(NoteVoice):
    """A texture. A steady timbre is endless and has no clock.

    Args:
        params: start parameters.
        timbre: (Z,) vector.
        settings: shared by all voices of an engine.
        nearest: returns the named timbre nearest to a point (Z,).
        expression: values by name; the neutral value where none is given.
    """

    FEATURES: ClassVar[Mapping[str, int]] = TEXTURE_KINDS

    def __init__(
        self,
        params: NoteParams,
        timbre: Array,
        settings: VoiceSettings,
        *,
        nearest: Callable[[Array], TimbreDefinition],
        expression: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(params, timbre, 0.0, settings, pitched=False, expression=expression)
        self._nearest, definition = nearest, nearest(timbre)
        self.steady = definition.sustained
        self.motion = MotionPath(definition.motion, params.seed, 1 / self.hop_seconds, endless=self.steady)
        point = self.motion.point
        self.take_point = take_of(definition, params.seed) if point is None else point

    @classmethod
    def block_features(cls, voices: Sequence[Self], ends: NDArray[np.int64]) -> BlockFeatures:
        middles = ends - np.float64(voices[0].stft.hop_length) / 2
        clocks = cls._clocks(voices, ends, middles)
        controls = np.stack([voice._texture_controls(row) for voice, row in zip(voices, middles, strict=True)])
        features = texture_features(
            clocks.since_onset,
            clocks.since_release,
            np.array([voice.params.velocity for voice in voices]),
            np.repeat([[voice.steady] for voice in voices], ends.shape[1], axis=1),
            seen_by_networks(controls),
            np.stack([voice._scaled_take(row) for voice, row in zip(voices, middles, strict=True)]),
        )
        level_db = cls._level_db(voices, ends, middles, controls, clocks.level_db)
        gain = smooth_gain(controls, cls._residual_gain(voices))
        resonance = resonance_of(controls)
        return BlockFeatures(features, np.zeros(ends.shape), level_db, gain, resonance if resonance.any() else None)

    @staticmethod
    def _residual_gain(voices: Sequence[TextureVoice]) -> Float | None:
        """(B, M) gains of the residual, that of their motion; None if no voice has motion."""
        gains = [voice.motion.residual_gain for voice in voices]
        known = next((gain for gain in gains if gain is not None), None)
        return None if known is None else np.stack([np.ones_like(known) if gain is None else gain for gain in gains])

    @staticmethod
    def _level_db(
        voices: Sequence[TextureVoice],
        ends: NDArray[np.int64],
        middles: Array,
        controls: Array,
        envelopes_db: Array | None,
    ) -> Array | None:
        """(B, K) the level of the envelopes, or (B, K, M) with motion, if any voice has it."""
        hop = voices[0].stft.hop_length
        shaped = shapes_motion(controls).tolist()
        motions = [
            voice._motion_db(ends[i] // hop - 1, middles[i], controls[i] if shaped[i] else None)
            for i, voice in enumerate(voices)
        ]
        envelopes_db = TextureVoice._fallen(voices, ends // hop * speed_of(controls), envelopes_db)
        bands = next((motion.shape[1] for motion in motions if motion is not None), 0)
        if not bands:
            return envelopes_db
        total = np.zeros((*ends.shape, bands))
        if envelopes_db is not None:
            total += envelopes_db[..., None]
        for row, motion in zip(total, motions, strict=True):
            if motion is not None:
                row += motion
        return total

    @staticmethod
    def _fallen(voices: Sequence[TextureVoice], frames: Array, envelopes_db: Array | None) -> Array | None:
        """(B, K) the level of the envelopes, lowered more and more after the end of a one-shot.

        Its residual alone might never end.
        """
        over = [math.inf if voice.steady else voice.motion.ends_at or _LONGEST_FRAMES for voice in voices]
        late = np.maximum(frames - np.array(over)[:, None], 0)
        if not late.any():
            return envelopes_db
        return (0.0 if envelopes_db is None else envelopes_db) - _FALL_DB * late

    def _motion_db(self, frames: NDArray[np.int64], middles: Array, controls: Array | None) -> Array | None:
        """(K, M) dB at frames (K,) of the motion of the timbre that is nearest now; None without motion.

        `controls` (K, C) shape it; None: they are typical.
        """
        if not self.timbre.constant:
            nearest = self._nearest(self.timbre.at(middles[-1:])[0])
            self.motion.follow(nearest.motion if nearest.sustained == self.steady else None)
        density, humanity = (self.expression[name].at(middles) for name in ("density", "humanity"))
        speed, flicker = (None, None) if controls is None else (speed_of(controls), flicker_of(controls))
        motion = self.motion.at(frames, MotionControls(density, humanity, speed, flicker))
        if motion is not None and controls is not None:
            motion = with_flicker(motion, frames, controls, self.params.seed)
        if motion is None or not self.steady or self.released_at > middles[-1]:
            return motion
        fade = np.clip(1 - (middles - self.released_at) / (_MOTION_FADE_SECONDS * self.sample_rate), 0, 1)[:, None]
        return np.minimum(motion, motion * fade)  # only rises fade: they would delay the end of the release

    def _texture_controls(self, times: Array) -> Array:
        """(K, C) values of the `TEXTURE_CONTROLS`."""
        return np.stack([self.expression[name].at(times) for name in TEXTURE_CONTROLS], -1)

    def _scaled_take(self, times: Array) -> Array:
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
    point: Array = weights[0] * first + weights[1] * second + scatter
    return point
