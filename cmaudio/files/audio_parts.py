"""Writes sound of unknown length: a full WAV file is continued in another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from cmaudio.files.audio_file import AudioFileWriter
from cmaudio.files.names import unused_path


class AudioFileParts:
    """Writes `path` like `AudioFileWriter`; what does not fit goes into files with -2, -3 and so on in their names.

    All of them are complete when the `with` statement ends, or none exists. The further files overwrite nothing.

    Args:
        path, sample_rate, channels: see `AudioFileWriter`.
        on_notice: called with one line about each further file.
    """

    def __init__(
        self, path: str | Path, sample_rate: int, channels: int, on_notice: Callable[[str], object] | None = None
    ) -> None:
        self._file = AudioFileWriter(path, sample_rate, channels=channels)
        self._files = ExitStack()
        self._on_notice = on_notice
        self.paths = [self._file.path]

    def __enter__(self) -> AudioFileParts:
        self._files.enter_context(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def write(self, samples: npt.NDArray[np.float32]) -> None:
        """See `AudioFileWriter.write`."""
        while len(samples) > (room := self._file.room_frames):
            self._file.write(samples[:room])
            samples = samples[room:]
            self._continue()
        self._file.write(samples)

    def _continue(self) -> None:
        first, full = self.paths[0], self._file
        path = unused_path(first.expanduser().with_stem(f"{first.stem}-{len(self.paths) + 1}"))
        self._file = self._files.enter_context(AudioFileWriter(path, full.sample_rate, channels=full.channels))
        self.paths.append(path)
        if self._on_notice:
            self._on_notice(f"{full.path.name} is full (4 GiB); the sound continues in {path.name}")
