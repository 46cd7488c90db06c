"""Encodes audio block by block, while it is being made.

libsndfile finishes a format by seeking back to fill in lengths at its start. Bytes that have been sent cannot be
changed, so the header keeps its unknown length, which streaming players expect.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import soundfile

from cmaudio.files.audio_file import FORMATS
from cmaudio.signal.dsp import Float

_UNKNOWN_BYTES = 0xFFFFFFFF
_PCM_MAX = 32767


class Encoder(Protocol):
    """Turns the samples of a stream into bytes."""

    def encode(self, samples: Float) -> bytes:
        """The bytes completed by these samples (N,) or (N, channels); perhaps none yet."""

    def finish(self) -> bytes:
        """The last bytes."""


class PcmEncoder:
    """Signed 16-bit samples, little-endian, channels interleaved, without a header."""

    def encode(self, samples: Float) -> bytes:
        return np.round(samples * _PCM_MAX).astype("<i2").tobytes()

    def finish(self) -> bytes:
        return b""


class WavEncoder(PcmEncoder):
    """The same with the header of a WAV file of unknown length."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        frame = 2 * channels
        layout = struct.pack("<HHIIHH", 1, channels, sample_rate, sample_rate * frame, frame, 16)
        self._header = struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN_BYTES, b"WAVE", b"fmt ", len(layout))
        self._header += layout + struct.pack("<4sI", b"data", _UNKNOWN_BYTES)

    def encode(self, samples: Float) -> bytes:
        header, self._header = self._header, b""
        return header + super().encode(samples)

    def finish(self) -> bytes:
        header, self._header = self._header, b""
        return header


class _Sent(io.RawIOBase):
    """A file whose bytes are removed as they are written; overwriting earlier ones has no effect."""

    def __init__(self) -> None:
        self._at = self._end = 0
        self._new = bytearray()

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        given = bytes(data)
        fresh = given[max(0, self._end - self._at) :]
        self._at += len(given)
        self._end = max(self._end, self._at)
        self._new += fresh
        return len(given)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return 0

    def take(self) -> bytes:
        """The bytes written since the last call."""
        taken, self._new = bytes(self._new), bytearray()
        return taken


class FileEncoder:
    """A format of libsndfile.

    Args:
        format: libsndfile's name.
        subtype: likewise.
        sample_rate: Hz.
        channels: 1 or 2.
    """

    def __init__(self, format: str, subtype: str, sample_rate: int, channels: int) -> None:
        self._bytes = _Sent()
        # With a constant rate players can tell the length of an MP3 without the index at its start.
        mode = {"bitrate_mode": "CONSTANT", "compression_level": 0.6} if format == "MP3" else {}
        self._file = soundfile.SoundFile(self._bytes, "w", sample_rate, channels, subtype, format=format, **mode)

    def encode(self, samples: Float) -> bytes:
        self._file.write(samples)
        return self._bytes.take()

    def finish(self) -> bytes:
        self._file.close()
        return self._bytes.take()


MEDIA_TYPES: Mapping[str, str] = {
    "wav": "audio/wav",
    "pcm": "audio/pcm",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg; codecs=opus",
    "mp3": "audio/mpeg",
}
"""Media types by format, for all supported formats."""


def encoder_of(name: str, sample_rate: int, channels: int) -> Encoder:
    """A new encoder of one of `MEDIA_TYPES`."""
    if name == "pcm":
        return PcmEncoder()
    if name == "wav":
        return WavEncoder(sample_rate, channels)
    kind = FORMATS[f".{name}"]
    return FileEncoder(kind.name, kind.subtypes[0] if kind.lossy else "PCM_16", sample_rate, channels)
