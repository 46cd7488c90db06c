"""Reads examples from sound files of any format, rate and number of channels; unusable ones are reported.

Shapes: N samples, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from cmaudio.errors import CmaudioError
from cmaudio.files.names import as_text, sound_path
from cmaudio.files.reading import expanded, is_folder, regular_file
from cmaudio.input.finish import clipped_samples
from cmaudio.signal.dsp import Float

LONGEST_SECONDS, SHORTEST_SECONDS, MOST_FILES = 60.0, 0.02, 64
_MOST_SAMPLES = 2**26  # of all channels together: 256 MiB
_ROUNDING_SECONDS = 0.5
_SILENT_DB = -70.0  # root mean square of the loudest tenth of a second
_SMALL_BITS = ("PCM_S8", "PCM_U8", "ULAW", "ALAW")
_CANCELLED = 0.1  # of the amplitude of the loudest channel: below this, the channels cancel

Notice = Callable[[str], object]


@dataclass(frozen=True)
class Sound:
    """(N,) samples of an example at the model's rate, mono."""

    name: str
    samples: Float


def read_examples(paths: Iterable[str | Path], sample_rate: int, on_notice: Notice) -> list[Sound]:
    """The sounds of files, and of all files in folders, at most `MOST_FILES`.

    Args:
        paths: files and folders.
        sample_rate: that of the model, in Hz.
        on_notice: called with one line about each file that is used in part, altered or skipped.

    Raises:
        CmaudioError: no usable file, with the reason of the first.
    """
    files = _files(paths)
    if len(files) > MOST_FILES:
        on_notice(f"only the first {MOST_FILES} of {len(files)} files are used")
    found, refused = [], []
    for file in files[:MOST_FILES]:
        try:
            found.append(_read(file, sample_rate, on_notice))
        except CmaudioError as error:
            refused.append(str(error))
    if not found:
        raise CmaudioError(refused[0])
    for text in refused:
        on_notice(f"left out: {text}")
    return found


def _files(paths: Iterable[str | Path]) -> list[Path]:
    files: list[Path] = []
    for path in map(expanded, paths):
        if is_folder(path):
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
            if not inside:
                raise CmaudioError(f"{path} is empty: give a folder with sound files")
            files += inside
        else:
            files.append(path)
    if not files:
        raise CmaudioError("give at least one sound file, or a folder of them")
    return files


def _read(path: Path, sample_rate: int, on_notice: Notice) -> Sound:
    name = as_text(path.name)
    samples, rate, seconds, subtype = _open(path)
    if not np.isfinite(samples).all():
        raise CmaudioError(f"{name} is damaged: it holds NaN or infinity; export it again")
    if len(samples) < SHORTEST_SECONDS * rate:
        raise CmaudioError(f"{name} is {'empty' if not len(samples) else 'shorter than 20 ms'}: give a longer sound")
    if (used := len(samples) / rate) < seconds - _ROUNDING_SECONDS:
        on_notice(f"{name}: only the first {used:.0f} of {seconds:.0f} s are used")
    if subtype in _SMALL_BITS:
        on_notice(f"{name}: 8 bits a sample, whose noise is learned as well")
    if clipped := clipped_samples(samples):
        on_notice(f"{name}: {clipped} samples are clipped, and their distortion is learned as well")
    mono = _one_channel(samples, name, on_notice)
    if loudest_db(mono, rate) < _SILENT_DB:
        raise CmaudioError(f"{name} is silent (below {_SILENT_DB:g} dB): give a louder sound")
    if rate != sample_rate:
        if rate > sample_rate:
            on_notice(f"{name}: {rate} Hz, of which everything above {sample_rate / 2000:g} kHz is removed")
        mono = soxr.resample(mono, rate, sample_rate, quality="HQ")
    return Sound(name, mono.astype(np.float32))


def _open(path: Path) -> tuple[Float, int, float, str]:
    """(N, C) samples of the first minute, the rate, the total seconds, and the sample format."""
    file = regular_file(path, "example")
    try:
        with soundfile.SoundFile(sound_path(file)) as opened:
            frames = min(int(LONGEST_SECONDS * opened.samplerate), _MOST_SAMPLES // opened.channels)
            samples = opened.read(frames, dtype="float32", always_2d=True)
            return samples, opened.samplerate, opened.frames / opened.samplerate, opened.subtype
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        if file.stat().st_size == 0:
            raise CmaudioError(f"{path.name} is empty: give a sound file") from error
        raise CmaudioError(
            f"{path.name} is not a sound file, or damaged ({error}); give a .wav or .flac file"
        ) from error


def _one_channel(samples: Float, name: str, on_notice: Notice) -> Float:
    """(N, C) -> (N,), without DC offset: the mean, or the loudest channel if they cancel."""
    samples = samples - samples.mean(0, keepdims=True)
    if samples.shape[1] > 2:
        on_notice(f"{name}: the mean of its {samples.shape[1]} channels is used")
    mono: Float = samples.mean(1)
    levels = np.sqrt(np.square(samples).mean(0))
    if samples.shape[1] > 1 and np.sqrt(np.square(mono).mean()) < _CANCELLED * levels.max():
        on_notice(f"{name}: its channels cancel each other, so only the loudest is used")
        return np.ascontiguousarray(samples[:, int(levels.argmax())])
    return mono


def loudest_db(samples: Float, sample_rate: int, seconds: float = 0.1) -> float:
    """Root mean square of the loudest stretch of (N,) samples, or of all of a shorter sound, in dB of full scale."""
    window = max(1, min(len(samples), int(seconds * sample_rate)))
    energy = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    return 10 * float(np.log10(max(0.0, float((energy[window:] - energy[:-window]).max())) / window + 1e-20))
