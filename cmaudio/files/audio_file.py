"""Atomic writing of sound files."""

from __future__ import annotations

import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.names import sound_path
from cmaudio.files.reading import as_path


@dataclass(frozen=True)
class Format:
    """A sound format: libsndfile's name, and the sample formats that it can hold, the default first."""

    name: str
    subtypes: tuple[str, ...]
    lossy: bool = False


FORMATS = {
    ".wav": Format("WAV", ("PCM_24", "PCM_16", "PCM_32", "FLOAT")),
    ".flac": Format("FLAC", ("PCM_24", "PCM_16")),
    ".ogg": Format("OGG", ("VORBIS",), lossy=True),
    ".opus": Format("OGG", ("OPUS",), lossy=True),
    ".mp3": Format("MP3", ("MPEG_LAYER_III",), lossy=True),
}
_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
_BYTES_PER_SAMPLE = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4}  # lossy ones need less than one
# The sizes in a WAV header are 32 bits wide; libsndfile lets them overflow silently.
_WAV_LIMIT_BYTES = 2**32 - 4096
# libsndfile says "System error" for a full disk; with less than this left, that is what it was.
_FULL_DISK_BYTES = 2**17


def _audio_format(path: Path, subtype: str | None) -> tuple[str, str]:
    """The extension in lower case, and the sample format."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        given = f"the ending {path.suffix!r}" if path.suffix else "a name without an ending"
        raise CmaudioError(f"{path}: {given} says no sound format. Use one of: {', '.join(FORMATS)}.")
    allowed = FORMATS[suffix].subtypes
    if subtype is not None and subtype not in allowed:
        raise CmaudioError(
            f"{path}: a {suffix} file has no sample format {subtype!r} here. Use one of: {', '.join(allowed)}."
        )
    return suffix, subtype or allowed[0]


class AudioFileWriter:
    """A sound file to be written block by block inside a `with` statement.

    Args:
        path: ends in .wav, .flac, .ogg (Vorbis), .opus or .mp3.
        sample_rate: Hz; .opus takes 8, 12, 16, 24 and 48 kHz.
        subtype: the stored sample format; for WAV and FLAC PCM_24 (the default) or PCM_16, for WAV also PCM_32 and
            FLOAT. PCM formats clip what lies outside -1..1; FLOAT keeps it.
        channels: number of channels.

    Raises CmaudioError, at construction for an extension, subtype or rate that is not allowed, on entering for a target
    that cannot be written, on `write` and on leaving when the disk is full or fails. In all cases no partial file
    remains, and an existing file at `path` is untouched.
    """

    def __init__(self, path: str | Path, sample_rate: int, subtype: str | None = None, channels: int = 1) -> None:
        self.path = as_path(path)
        self.channels = channels
        self.sample_rate = sample_rate
        self.frames_written = 0
        self._suffix, self.subtype = _audio_format(self.path, subtype)
        if not 1 <= sample_rate <= 384_000:
            raise CmaudioError(f"{path}: a sample rate of {sample_rate} Hz is not possible. Use 1 to 384000 Hz.")
        if self._suffix == ".opus" and sample_rate not in _OPUS_RATES:
            rates = ", ".join(map(str, _OPUS_RATES))
            raise CmaudioError(
                f"{path}: Opus has no sample rate of {sample_rate} Hz, only {rates}. Write a .flac file."
            )

    def __enter__(self) -> AudioFileWriter:
        with contextlib.ExitStack() as stack:
            self._temporary = stack.enter_context(atomic_file(self.path))
            try:
                place, name = sound_path(self._temporary), FORMATS[self._suffix].name
                self._file = soundfile.SoundFile(place, "w", self.sample_rate, self.channels, self.subtype, format=name)
            except (soundfile.SoundFileError, OSError) as error:
                raise self._failure(error) from error
            stack.push(self._close)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """Append `samples`, shape (N,) or (N, channels), float32, finite, full scale at -1..1.

        Raises CmaudioError if they do not fit on the disk or into the format.
        """
        assert samples.shape[1:] == (() if self.channels == 1 else (self.channels,)), f"not {samples.shape}"
        assert np.isfinite(samples).all(), "samples hold NaN or infinity"
        self.frames_written += len(samples)
        self._check_size(self._size_bytes(self.frames_written))
        try:
            self._file.write(samples)
        except (soundfile.SoundFileError, OSError, AssertionError) as error:
            # soundfile asserts that all frames were taken, which a full disk can break without an error code.
            raise self._failure(error) from error

    def expect(self, frames: int) -> None:
        """Announce how many frames will be written. Raises CmaudioError if they do not fit, before the work."""
        self._check_size(self._size_bytes(frames))

    @property
    def room_frames(self) -> int:
        """How many frames the format still takes."""
        if self._suffix != ".wav":
            return sys.maxsize
        return _WAV_LIMIT_BYTES // self._size_bytes(1) - self.frames_written

    def _check_size(self, size: int) -> None:
        if self._suffix == ".wav" and size > _WAV_LIMIT_BYTES:
            raise CmaudioError(f"{self.path}: a WAV file holds 4 GiB at most. Write a .flac file, or a shorter piece.")

    def _close(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            with contextlib.suppress(soundfile.SoundFileError, OSError):
                self._file.close()
            return
        try:
            self._file.close()
            if self._suffix != ".wav" and not self.frames_written:
                sort = self._suffix[1:].upper()
                raise CmaudioError(
                    f"{self.path}: nothing was played, and {sort} has no empty files. Write a .wav file."
                )
            self._check_whole()
        except (soundfile.SoundFileError, OSError) as trouble:
            raise self._failure(trouble) from trouble

    def _check_whole(self) -> None:
        """Read the last sample back: libsndfile reports no error if the final flush does not fit on the disk."""
        with soundfile.SoundFile(sound_path(self._temporary)) as file:
            # Lossy formats pad to whole blocks.
            whole = file.frames >= self.frames_written if self._lossy else file.frames == self.frames_written
            if whole and file.frames:
                file.seek(file.frames - 1)
                whole = len(file.read(1)) == 1
            if not whole:
                raise OSError("the end of the file was not written")

    def _size_bytes(self, frames: int) -> int:
        return frames * self.channels * _BYTES_PER_SAMPLE.get(self.subtype, 1)

    @property
    def _lossy(self) -> bool:
        return FORMATS[self._suffix].lossy

    def _failure(self, error: Exception) -> CmaudioError:
        folder = self._temporary.parent
        reason = str(error).rstrip(".") or "not all samples were written"
        try:
            free = shutil.disk_usage(folder).free
            if free < _FULL_DISK_BYTES:
                reason = "the disk is full"
            # The partial file counts as free: it is gone by the time the message is read.
            space = f"{(free + self._temporary.stat().st_size) / 2**20:.1f} MiB are free in {folder}"
        except OSError:
            space = f"the free space in {folder} is unknown"
        size = self._size_bytes(self.frames_written) / 2**20
        most = "" if self._suffix == ".wav" else "up to "
        return CmaudioError(
            f"{self.path}: cannot be written ({reason}). So far it needs {most}{size:.1f} MiB; "
            f"{space}. Free some space or write to another disk."
        )
