"""Moves given phoneme times at pauses to where the sound falls silent.

Synthesisers and some aligners count part of the silence as the last phoneme before it. A voice that learns this reports
the end of a phrase late, by 0.1 to 0.2 s, and its last phonemes seem long and faint.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.signal.silence import silence_between, window_levels
from cmaudio.speech.phonemes import EDGE, Phoneme

_LEAST_SECONDS = 0.03  # that a phoneme keeps
_LOOK_BACK_SECONDS = 0.45


def with_pause_onsets(
    ends: Sequence[float], phonemes: Sequence[str], audio: Float, sample_rate: int, quiet_db: float
) -> tuple[float, ...]:
    """The ends with every pause beginning where the sound around it falls silent.

    Args:
        ends: seconds at which each phoneme ends.
        phonemes: as a corpus stores them (`Phoneme.written`).
        audio: (N,) samples.
        sample_rate: in Hz.
        quiet_db: momentary level below which the speaker is silent.
    Returns:
        as many ends; those at a pause without silence are as given.
    """
    levels = window_levels(audio, sample_rate)
    moved = list(ends)
    for at in range(1, len(moved)):
        sound = Phoneme.of(phonemes[at])
        if sound.is_pause and sound.symbol != EDGE:
            onset = _silence(levels, quiet_db, moved, at, len(audio) / sample_rate)
            _move(moved, at, onset)
    return tuple(round(end, 4) for end in moved)


def _silence(
    levels: NDArray[np.float64], quiet_db: float, ends: Sequence[float], at: int, seconds: float
) -> float | None:
    """Where the silence of the pause with index `at` begins, in seconds."""
    previous = ends[at - 2] if at > 1 else 0.0
    until = seconds if at == len(ends) - 1 else ends[at]
    found = silence_between(levels, quiet_db, max(previous, ends[at - 1] - _LOOK_BACK_SECONDS), until)
    return None if found is None else found[0]


def _move(ends: list[float], at: int, onset: float | None) -> None:
    """Let the pause begin at its onset; the phoneme before it keeps at least 30 ms."""
    if onset is None:
        return
    previous = ends[at - 2] if at > 1 else 0.0
    ends[at - 1] = min(max(onset, previous + _LEAST_SECONDS), max(ends[at], ends[at - 1]))
