"""Sound of unknown length: WAV files that are full are continued in others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from cmaudio.errors import CmaudioError
from cmaudio.files import audio_file
from cmaudio.files.audio_parts import AudioFileParts

SAMPLE_RATE = 48_000
LIMIT_FRAMES = 1000


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_file, "_WAV_LIMIT_BYTES", LIMIT_FRAMES * 3)


def noise(frames: int, channels: int = 1) -> np.ndarray:
    samples = np.random.default_rng(frames).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)
    return samples[:, 0] if channels == 1 else samples


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("block", [1, 64, 999, 1000, 1001, 3500])
def test_all_samples_are_in_the_files_in_order(tmp_path: Path, block: int, channels: int) -> None:
    sound, told = noise(3500, channels), list[str]()
    with AudioFileParts(tmp_path / "a.wav", SAMPLE_RATE, channels, told.append) as files:
        for start in range(0, len(sound), block):
            files.write(sound[start : start + block])
        assert not any(path.exists() for path in files.paths)
    assert all(soundfile.info(path).frames <= LIMIT_FRAMES // channels for path in files.paths)
    assert [path.name for path in files.paths] == [
        "a.wav",
        *(f"a-{n}.wav" for n in range(2, 5 if channels == 1 else 8)),
    ]
    np.testing.assert_allclose(np.concatenate([soundfile.read(path)[0] for path in files.paths]), sound, atol=1e-6)
    assert told[0] == "a.wav is full (4 GiB); the sound continues in a-2.wav"
    assert len(told) == len(files.paths) - 1


def test_further_files_overwrite_nothing(tmp_path: Path) -> None:
    for name in ("a.wav", "a-2.wav"):
        (tmp_path / name).write_text("older")
    with AudioFileParts(tmp_path / "a.wav", SAMPLE_RATE, 1) as files:
        files.write(noise(1500))
    assert [path.name for path in files.paths] == ["a.wav", "a-2-2.wav"]
    assert (tmp_path / "a-2.wav").read_text() == "older"


def test_what_fits_is_one_file(tmp_path: Path) -> None:
    for name, frames in (("a.wav", LIMIT_FRAMES), ("a.flac", 10 * LIMIT_FRAMES), ("a.ogg", 10 * LIMIT_FRAMES)):
        with AudioFileParts(tmp_path / name, SAMPLE_RATE, 1) as files:
            files.write(noise(frames))
        assert [path.name for path in files.paths] == [name]


def test_an_error_leaves_none_of_the_files(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="told"), AudioFileParts(tmp_path / "a.wav", SAMPLE_RATE, 1) as files:  # noqa: PT012
        files.write(noise(2500))
        raise CmaudioError("told")
    assert list(tmp_path.iterdir()) == []
