"""Examples from files: what can be used is used and told, what cannot be is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures.examples import RATE, hiss, thud, written

from cmaudio.errors import CmaudioError
from cmaudio.learning.reading import read_examples


def read(*paths: Path) -> tuple[list[np.ndarray], str]:
    notices: list[str] = []
    sounds = read_examples(paths, RATE, notices.append)
    return [sound.samples for sound in sounds], "\n".join(notices)


def test_a_file_becomes_one_channel_at_the_rate_of_the_model(tmp_path: Path) -> None:
    both = np.stack([thud(), thud()], 1)
    (samples,), notices = read(written(tmp_path / "door.wav", both, 24_000))
    assert len(samples) == 2 * len(both)
    assert notices == ""


@pytest.mark.parametrize(
    ("samples", "rate", "subtype", "told"),
    [
        (thud(), RATE, "PCM_U8", "8 bits"),
        (thud(), 96_000, "PCM_24", "96000 Hz"),
        (np.stack([thud(seed) for seed in range(6)], 1), RATE, "PCM_16", "mean of its 6 channels"),
        (np.stack([thud(), -thud()], 1), RATE, "PCM_16", "cancel"),
        (np.clip(20 * thud(), -1, 1), RATE, "PCM_16", "clipped"),
        (hiss(seconds=70.0), RATE, "PCM_16", "first 60 of 70 s"),
    ],
)
def test_what_was_used_is_told(tmp_path: Path, samples: np.ndarray, rate: int, subtype: str, told: str) -> None:
    found, notices = read(written(tmp_path / "door.wav", samples, rate, subtype))
    assert told in notices
    assert np.abs(found[0]).max() > 0.01
    assert len(found[0]) <= 60 * RATE


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros(0, np.float32), "empty"),
        (thud()[:100], "shorter than 20 ms"),
        (np.zeros(RATE, np.float32), "silent"),
        (np.full(RATE, 0.5, np.float32), "silent"),
        (np.full(RATE, np.nan, np.float32), "NaN"),
    ],
)
def test_what_cannot_be_used_is_an_error_alone_and_left_out_among_others(
    tmp_path: Path, samples: np.ndarray, told: str
) -> None:
    bad = written(tmp_path / "bad" / "a.wav", samples, subtype="FLOAT")
    with pytest.raises(CmaudioError, match=told):
        read(bad)
    sounds, notices = read(bad, written(tmp_path / "good.wav", thud()))
    assert len(sounds) == 1
    assert "left out" in notices


def test_of_many_channels_less_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.learning.reading._MOST_SAMPLES", 6 * RATE)
    (samples,), notices = read(written(tmp_path / "many.wav", np.stack([hiss()] * 6, 1)))
    assert "first 1 of 4 s" in notices
    assert len(samples) == RATE


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all" * 100])
def test_other_files_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.wav").write_bytes(content)
    with pytest.raises(CmaudioError, match=r"text\.wav"):
        read(tmp_path / "text.wav")


@pytest.mark.parametrize(("path", "told"), [("nothing.wav", "nothing.wav"), ("", "is empty")])
def test_missing_files_and_empty_folders_are_named(tmp_path: Path, path: str, told: str) -> None:
    with pytest.raises(CmaudioError, match=told):
        read(tmp_path / path)


def test_a_folder_gives_all_its_sounds(tmp_path: Path) -> None:
    for i in range(3):
        written(tmp_path / "kick" / f"{i}.wav", thud(i))
    assert len(read(tmp_path / "kick")[0]) == 3
