"""The recordings of a corpus of textures, for comparison with the output of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.texture_features import TAKE_DIMS
from cmaudio.training.corpus.description import CorpusDescription, Split, read_description
from cmaudio.training.corpus.shard import read_cuts, read_samples
from cmaudio.training.corpus.texture_controls import VARIANT


def read_recordings(
    folder: Path, split: Split, sample_rate: int, hop_length: int, bands: int
) -> dict[str, list[Float]]:
    """Timbre -> log-mels (T, M) from the onset on, as recorded.

    Raises CmaudioError for a corpus that is not of textures, or has another signal than the one given.
    """
    found: dict[str, list[Float]] = {}
    for name, custom, log_mel in read_cuts(folder, _checked(folder, sample_rate, hop_length, bands), [split]):
        if VARIANT not in name:
            onset = custom["onset_samples"] // hop_length
            found.setdefault(custom["timbre"], []).append(log_mel[onset:].astype(np.float32))
    return found


Take = tuple[list[float], Float]
"""Its point (P,), and the log-mel (T, M) of the recording from the onset on."""


def read_takes(folder: Path, sample_rate: int, hop_length: int, bands: int) -> dict[str, list[Take]]:
    """Timbre -> takes of the training recordings. Raises CmaudioError as `read_recordings` does."""
    description = _checked(folder, sample_rate, hop_length, bands)
    assert description.textures is not None
    found: dict[str, list[Take]] = {}
    for name, custom, log_mel in read_cuts(folder, description, ["train"]):
        if VARIANT not in name:
            timbre, begun = custom["timbre"], custom["onset_samples"] // hop_length
            point = description.textures.takes[timbre].get(name, [0.0] * TAKE_DIMS)
            found.setdefault(timbre, []).append((point, log_mel[begun:].astype(np.float32)))
    return found


def read_sounds(folder: Path, split: Split, sample_rate: int, hop_length: int, bands: int) -> dict[str, list[Float]]:
    """Timbre -> samples (N,) from the onset on. Raises CmaudioError as `read_recordings` does."""
    found: dict[str, list[Float]] = {}
    for name, custom, samples in read_samples(folder, _checked(folder, sample_rate, hop_length, bands), split):
        if VARIANT not in name:
            found.setdefault(custom["timbre"], []).append(samples[custom["onset_samples"] :])
    return found


def _checked(folder: Path, sample_rate: int, hop_length: int, bands: int) -> CorpusDescription:
    description = read_description(folder)
    signal = description.signal
    if description.textures is None:
        raise CmaudioError(f"{folder} is not a corpus of textures; prepare one with --table")
    if (signal.sample_rate, signal.hop_length, signal.bands) != (sample_rate, hop_length, bands):
        raise CmaudioError(f"{folder} has another signal than the model: {signal.sample_rate} Hz, {signal.bands} bands")
    return description
