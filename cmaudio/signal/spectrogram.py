"""A sound's mel spectrogram as a PNG image: time from left to right, low frequencies at the bottom."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float, Mel, Stft

BANDS, COLUMNS = 128, 800
_WINDOW_SECONDS = 0.043
_FLOOR = 1e-5  # -100 dB
_RANGE_NEPERS = 8.0  # 70 dB below the loudest
_CHUNK_FRAMES = 256
# From black through violet and orange to light yellow: lightness follows level, which also suits colour-blind readers.
_COLOURS = (
    (0, 0, 4), (40, 11, 84), (101, 21, 110), (159, 42, 99),
    (212, 72, 66), (245, 125, 21), (250, 193, 39), (252, 255, 164),
)  # fmt: skip


def log_mel(samples: Float, sample_rate: int, columns: int = COLUMNS) -> Float:
    """(N,) samples -> (T, BANDS) log-mel, T at most `columns`: a column shows the loudest of its frames."""
    n_fft = 2 ** round(np.log2(_WINDOW_SECONDS * sample_rate))
    stft = Stft(n_fft, n_fft // 4)
    mel = Mel(sample_rate, n_fft, BANDS, 20.0, min(20_000.0, sample_rate / 2), _FLOOR)
    frames = max(1, -(-len(samples) // stft.hop_length))
    padded = np.zeros(stft.overlap + frames * stft.hop_length, np.float32)
    padded[stft.overlap : stft.overlap + len(samples)] = samples
    parts = []
    for first in range(0, frames, _CHUNK_FRAMES):
        start, count = first * stft.hop_length, min(_CHUNK_FRAMES, frames - first)
        parts.append(mel(stft.analyse(padded[start : start + stft.overlap + count * stft.hop_length])))
    rows = np.concatenate(parts)
    starts = np.unique(np.arange(columns) * frames // columns)
    return np.maximum.reduceat(rows, starts, axis=0)


def spectrogram_png(samples: Float, sample_rate: int) -> bytes:
    """(N,) samples -> a PNG of `BANDS` rows and at most `COLUMNS` columns."""
    rows = log_mel(samples, sample_rate)
    loudness = np.clip(1 + (rows - rows.max()) / _RANGE_NEPERS, 0, 1)
    return png(np.round(255 * loudness.T[::-1]).astype(np.uint8), _palette())


def _palette() -> NDArray[np.uint8]:
    """(256, 3) colours from quiet to loud."""
    known = np.array(_COLOURS, np.float64)
    places = np.linspace(0, len(known) - 1, 256)
    channels = [np.interp(places, np.arange(len(known)), known[:, i]) for i in range(3)]
    return np.round(np.stack(channels, -1)).astype(np.uint8)


def png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Pixels (rows, columns) as indices of a palette (256, 3) RGB -> a PNG file (W3C PNG, colour type 3)."""
    rows, columns = pixels.shape
    lines = np.zeros((rows, columns + 1), np.uint8)  # each line begins with its filter: none
    lines[:, 1:] = pixels
    head = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    body = _chunk(b"PLTE", palette.tobytes()) + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + body + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
