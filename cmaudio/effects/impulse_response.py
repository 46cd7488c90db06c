"""Reads impulse responses from sound files and prepares them for `Convolution`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from cmaudio.effects.convolution import ROUTES
from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float

LONGEST_SECONDS = 20.0
_FADE_SECONDS = 0.1  # at the end of a truncated one
_SILENT = 1e-6
_TRIMMED = 1e-4  # what stays below this fraction of the peak at the end is trimmed
_REMEDY = "give a sound file with the response of a room, such as a recorded clap"


def read_impulse_response(
    path: str | Path, sample_rate: int, on_notice: Callable[[str], object] = lambda notice: None
) -> Float:
    """(N, C) impulse response at `sample_rate`, scaled so that a steady sound keeps its level.

    Args:
        path: .wav, .flac or any other file that libsndfile reads, of any rate, with 1, 2 or 4 channels.
        sample_rate: Hz; a file of another rate is resampled.
        on_notice: called with one line if it was resampled or truncated to `LONGEST_SECONDS`.

    Raises:
        CmaudioError: a file that cannot be read, has no samples, is silent, is not finite, or has other channels.
    """
    samples, rate, seconds = _read(path)
    if not len(samples):
        raise CmaudioError(f"{path}: the impulse response is empty; {_REMEDY}")
    if samples.shape[1] not in ROUTES:
        raise CmaudioError(
            f"{path}: an impulse response must have 1, 2 or 4 channels, not {samples.shape[1]}; "
            "write two of them to a separate file"
        )
    if not np.isfinite(samples).all():
        raise CmaudioError(f"{path}: the impulse response holds NaN or infinity; export it again")
    if np.abs(samples).max() < _SILENT:
        raise CmaudioError(f"{path}: the impulse response is silent; {_REMEDY}")
    if seconds > LONGEST_SECONDS:
        on_notice(f"{path}: only the first {LONGEST_SECONDS:g} of {seconds:.0f} s of the impulse response are used")
        fade = round(_FADE_SECONDS * rate)
        samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    if rate != sample_rate:
        on_notice(f"{path}: the impulse response was resampled from {rate} to {sample_rate} Hz")
        samples = soxr.resample(samples, rate, sample_rate, quality="VHQ")
    return _scaled(_trimmed(samples))


def _read(path: str | Path) -> tuple[Float, int, float]:
    """The samples (N, C) of at most `LONGEST_SECONDS`, their rate, and the seconds of the whole file."""
    try:
        with soundfile.SoundFile(Path(path).expanduser()) as file:
            samples = file.read(int(LONGEST_SECONDS * file.samplerate), dtype="float32", always_2d=True)
            return samples, file.samplerate, file.frames / file.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        raise CmaudioError(f"{path}: the impulse response cannot be read ({error}); {_REMEDY}") from error


def _trimmed(samples: Float) -> Float:
    levels = np.abs(samples).max(1)
    return samples[: np.flatnonzero(levels > _TRIMMED * levels.max())[-1] + 1]


def _scaled(samples: Float) -> Float:
    """Normalised to the energy of one sample on each side."""
    energy = np.square(samples, dtype=np.float64).sum() / min(2, samples.shape[1])
    return np.ascontiguousarray(samples / np.sqrt(energy), np.float32)
