"""Measures the mean power that a model lacks compared with a corpus, by timbre, key, part of the spectrum and age.

The median of noise lies below its mean power, and a vocoder smooths and gives equal frames other levels from key to
key. The powers of each note are compared in dB, and their differences regressed on a grid of keys and velocities.

Shapes: N samples, T frames, F bins, A phases of a note, P parts of the spectrum; K keys, V velocities, M mel bands and
the ages of a table as in `cmaudio.model.correction`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.model.correction import AGES_S
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float, Mel
from cmaudio.synthesis.correction import nearness
from cmaudio.synthesis.learned import clock_of
from cmaudio.training.export.key_grid import Array, KeyGrid, KeyPull, regressed
from cmaudio.training.export.spectrum_parts import PARTS, bins_of_parts, from_parts

CENTRES_S = (0.03, 0.25, 1.0)
"""Seconds after the onset that stand for attack, body and sustain."""
PHASES_S = (0.0, 0.09, 0.6, 1.6)
"""Their boundaries."""
_HEARD_DB = 60.0  # below the loudest part of the note
# Power per bin of 16-bit quantisation noise at the gain of training; ten times as much is taken as audible.
_NOISE, _ABOVE_NOISE = 1e-6, 10.0
_MOST_DB = 30.0
# Chosen on held-out notes: the level of a note is off by 0.5 dB and a part of a phase by 1.8 dB, where they were off by
# 1.9 and 4.8 dB without offsets (half or twice the penalties: 0.02 more).
_PULL = KeyPull(same_keys=0.1, same_velocities=0.05, prior=0.02)


def phase_powers(audio: Float, model: Model) -> Array:
    """(N,) samples from the onset on -> (A, P) mean power of frames in each part and phase; NaN without frames."""
    stft, rate = model.stft, model.manifest.sample_rate
    hops = len(audio) // stft.hop_length
    before = np.zeros(stft.overlap, np.float32)
    spectra = stft.analyse(np.concatenate([before, audio[: hops * stft.hop_length]]))
    power = np.square(np.abs(spectra).astype(np.float64)) @ bins_of_parts(model.mel)
    ends = (np.arange(hops) + 1) * stft.hop_length / rate
    phase = np.searchsorted(PHASES_S, ends) - 1
    rows = [power[phase == i].mean(0) if (phase == i).any() else np.full(PARTS, np.nan) for i in range(len(CENTRES_S))]
    return np.stack(rows)


def power_offsets(
    grid: KeyGrid, places: Array, recorded: Sequence[Array], made: Sequence[Array], noise: Array
) -> Array:
    """(K, V, A, P) dB that the model's notes of a timbre lack.

    Args:
        grid: of the timbre.
        places: (N, 2) pitch and velocity of each note.
        recorded: (A, P) powers of each recorded note.
        made: the same as played.
        noise: (P,) power of the noise in recordings (`quantisation_noise`).
    """
    theirs, ours = (np.maximum(np.stack(powers), noise + 1e-12) for powers in (recorded, made))
    louder = np.maximum(theirs, ours)
    loudest = np.nanmax(louder, (1, 2), keepdims=True)
    heard = louder > np.maximum(_ABOVE_NOISE * noise, loudest * 10 ** (-_HEARD_DB / 10))
    off = np.where(heard, np.clip(10 * np.log10(theirs / ours), -_MOST_DB, _MOST_DB), 0.0)
    flat = (len(places), -1)
    weights = heard.reshape(flat).astype(np.float64)
    found = regressed(grid.shares(*places.T), off.reshape(flat), weights, grid.pull(_PULL))
    return found.reshape(*grid.shape, len(CENTRES_S), PARTS)


def quantisation_noise(mel: Mel) -> Array:
    """(P,) power of 16-bit noise in a frame."""
    return np.asarray(_NOISE * bins_of_parts(mel).sum(0))


def by_age_and_band(offsets: Array, bands: int) -> Array:
    """(K, V, A, P) dB of phases and parts -> (K, V, ages, M) dB of a table."""
    ages = nearness(clock_of(np.array(AGES_S)), clock_of(np.array(CENTRES_S)))
    return np.asarray(ages @ offsets @ from_parts(bands))
