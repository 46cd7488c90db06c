"""The frames of each phoneme of a clip. Shapes: P phonemes, T frames, M mel bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.speech.features import KNOTS, energy_feature, phoneme_context, phoneme_ids, speech_features
from cmaudio.speech.phonemes import Phoneme

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Spoken:
    """A clip's phonemes: ids (P, 4) of `phoneme_ids`, and `ends` (P,), the frame after the last of each."""

    ids: Ints
    ends: Ints

    @property
    def durations(self) -> Ints:
        """(P,) frames of each; they add up to the clip's."""
        return np.diff(self.ends, prepend=0)

    def of_frames(self) -> Ints:
        """(T,) the index of each frame's phoneme."""
        return np.repeat(np.arange(len(self.ids)), self.durations)


def read_ids(texts: Sequence[str], symbols: Sequence[str]) -> Ints:
    """(P, 4) ids of phonemes as a corpus stores them (`Phoneme.written`)."""
    return phoneme_ids([Phoneme.of(text) for text in texts], symbols)


def frame_ends(seconds: Sequence[float], frames: int, frame_rate: float) -> Ints | None:
    """Ends in seconds to ends in frames: every phoneme gets at least one, the last one the remainder.

    Returns None if there are fewer frames than phonemes.
    """
    count = len(seconds)
    if count > frames:
        return None
    ends = np.rint(np.asarray(seconds) * frame_rate).astype(np.int64)
    ends[-1] = frames
    place = np.arange(count)
    ends = np.maximum.accumulate(ends - place) + place  # each at least one after the previous
    return np.minimum(np.maximum(ends, place + 1), frames - (count - 1 - place))


def energies(log_mel: Float, spoken: Spoken) -> Float:
    """(P,) energy feature of each phoneme."""
    level = log_mel.astype(np.float64).mean(-1)
    return energy_feature(np.add.reduceat(level, spoken.ends - spoken.durations) / spoken.durations)


def frame_features(log_mel: Float, semitones: Float, voiced: Float, spoken: Spoken, frame_rate: float) -> Float:
    """(T, 24) speech features of a clip."""
    owner, ends = spoken.of_frames(), spoken.ends
    middle = np.arange(len(owner)) + 0.5
    begins = ends - spoken.durations
    return speech_features(
        phoneme_context(spoken.ids)[owner],
        (middle - begins[owner]) / frame_rate,
        (ends[owner] - middle) / frame_rate,
        energies(log_mel, spoken)[owner],
        voiced,
        semitones,
    )


def knots(track: Float, spoken: Spoken) -> Float:
    """(T,) values per frame -> (P, 4) at the centres of each phoneme's quarters."""
    begins = (spoken.ends - spoken.durations)[:, None]
    places = begins + (np.arange(KNOTS) + 0.5) / KNOTS * spoken.durations[:, None]
    return np.interp(places - 0.5, np.arange(len(track)), track).astype(np.float32)
