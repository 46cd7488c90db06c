"""A growing WAV recording of any length: valid after every write, continued in another file before it is full.

The sizes in a WAV header have 32 bits, which is 8.3 hours of 24-bit mono at 48 kHz. RF64 has no such limit, but many
programs cannot read it, and takes are rarely that long; parts can be joined.
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

from cmaudio.files.names import unused_path

MAX_BYTES = 2**32 - 2**16  # of samples in one file


class WavParts:
    """Writes `path`, then `path` with -2, -3 and so on added to its name; no existing file is overwritten.

    Args:
        path: the first file.
        channels: interleaved in the samples.
        sample_rate: Hz.
        sample_bytes: 2 or 3, little endian.
        on_next: called with the path of every further file.

    Raises OSError or ValueError where a file cannot be written, FileExistsError where the first exists.
    """

    def __init__(
        self, path: Path, channels: int, sample_rate: int, sample_bytes: int, on_next: Callable[[Path], object]
    ) -> None:
        self.paths = [path]
        self._format = (channels, sample_bytes, sample_rate, 0, "NONE", "")
        self._frame_bytes = channels * sample_bytes
        self._on_next = on_next
        self._begin(path)

    def write(self, samples: bytes) -> None:
        """Append whole frames, and update the header."""
        while samples:
            room = (MAX_BYTES - self._bytes) // self._frame_bytes * self._frame_bytes
            if room == 0:
                self._continue()
                continue
            part, samples = samples[:room], samples[room:]
            self._wave.writeframes(part)
            self._bytes += len(part)

    def close(self) -> None:
        """Close the last file, whose header is already correct."""
        try:
            self._wave.close()
        finally:
            self._file.close()

    def delete(self) -> None:
        """Close and delete the files."""
        self.close()
        for path in self.paths:
            path.unlink(missing_ok=True)

    def _begin(self, path: Path) -> None:
        self._file = path.open("xb")
        self._bytes = 0
        try:
            self._wave = wave.open(self._file, "wb")  # noqa: SIM115, open until `close`
            self._wave.setparams(self._format)
            self._wave.writeframes(b"")
        except BaseException:
            self._file.close()
            path.unlink(missing_ok=True)
            raise

    def _continue(self) -> None:
        first = self.paths[0]
        self.close()
        path = unused_path(first.with_stem(f"{first.stem}-{len(self.paths) + 1}"))
        self._begin(path)
        self.paths.append(path)
        self._on_next(path)
