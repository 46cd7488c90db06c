"""Impulse responses from files: what is accepted, what is told, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.effects.impulse_response import LONGEST_SECONDS, read_impulse_response
from cmaudio.errors import CmaudioError

RATE = 48_000


def clap(seconds: float, channels: int = 2, rate: int = RATE) -> np.ndarray:
    samples = np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    return 0.1 * samples * np.exp(-4 * np.arange(len(samples)) / len(samples))[:, None]


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_is_scaled_to_keep_the_level(tmp_path: Path, channels: int) -> None:
    read = read_impulse_response(write(tmp_path / "a.wav", clap(0.5, channels)), RATE)
    assert read.dtype == np.float32
    assert read.shape[1] == channels
    assert np.square(read, dtype=np.float64).sum() == pytest.approx(min(2, channels), rel=1e-4)


def test_silence_at_the_end_is_left_out(tmp_path: Path) -> None:
    samples = np.concatenate([clap(0.1), np.zeros((RATE, 2))])
    assert len(read_impulse_response(write(tmp_path / "a.wav", samples), RATE)) <= 0.1 * RATE


def test_another_rate_is_resampled_and_told(tmp_path: Path) -> None:
    notices: list[str] = []
    file = write(tmp_path / "a.wav", clap(0.5, rate=44_100), 44_100)
    read = read_impulse_response(file, RATE, notices.append)
    assert len(read) == pytest.approx(0.5 * RATE, rel=0.01)
    assert len(notices) == 1
    assert "resampled from 44100 to 48000 Hz" in notices[0]


def test_minutes_are_cut_and_told(tmp_path: Path) -> None:
    notices: list[str] = []
    read = read_impulse_response(write(tmp_path / "a.wav", clap(150, 1, 8000), 8000), 8000, notices.append)
    assert len(read) <= LONGEST_SECONDS * 8000
    assert np.abs(read[-1]) < 0.01 * np.abs(read).max()
    assert "only the first 20 of 150 s" in notices[0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((0, 2)), "is empty"),
        (np.zeros((4800, 2)), "is silent"),
        (clap(0.1, 32), "1, 2 or 4 channels, not 32"),
        (clap(0.1, 3), "1, 2 or 4 channels, not 3"),
        (np.full((100, 1), np.nan), "NaN or infinity"),
    ],
    ids=["empty", "silent", "32 channels", "3 channels", "NaN"],
)
def test_useless_files_are_refused(tmp_path: Path, samples: np.ndarray, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        read_impulse_response(write(tmp_path / "a.wav", samples), RATE)


@pytest.mark.parametrize("content", [None, b"", b"not a sound"], ids=["missing", "no bytes", "text"])
def test_files_that_are_no_sound_are_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "a.wav"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CmaudioError, match=r"a\.wav: the impulse response cannot be read"):
        read_impulse_response(file, RATE)
