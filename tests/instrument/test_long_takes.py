"""Takes that outgrow a WAV file, and disks that fill up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.instrument import wav_parts
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float


def played(recorder: Recorder, seconds: float) -> Float:
    """What a note sounds like, read in blocks."""
    recorder.engine.note_on(57, timbre="violin")
    blocks = round(seconds * recorder.sample_rate / 2400)
    return np.concatenate([recorder.read(2400) for _ in range(blocks)])


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_full_wav_file_is_continued_in_another(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(wav_parts, "MAX_BYTES", 100_001)
    (tmp_path / "take-3.wav").write_text("not ours")
    recorder, told = Recorder(Engine(model)), list[str]()
    take = Take(recorder, tmp_path / f"take{suffix}", told.append)
    sound = played(recorder, 1.5)
    take.stop()
    ours = sorted(path for path in tmp_path.glob("take*.wav") if path.name != "take-3.wav")
    assert (tmp_path / "take-3.wav").read_text() == "not ours"
    if suffix == ".flac":
        assert ours == []
        recorded = soundfile.read(take.path)[0]
    else:
        assert len(ours) > 3
        assert all(soundfile.info(path).frames * 3 * recorder.channels <= 100_001 for path in ours)
        assert len(told) == len(ours) - 1
        assert told[0] == "take.wav is full (4 GiB); the recording continues in take-2.wav"
        in_order = [tmp_path / "take.wav", *(tmp_path / text.rpartition(" ")[2] for text in told)]
        recorded = np.concatenate([soundfile.read(path)[0] for path in in_order])
    assert recorded.shape[0] == recorder.made_samples == len(sound.reshape(-1, recorder.channels))
    assert np.abs(recorded.ravel() - sound.ravel()).max() < 1e-6


def test_a_disk_that_fills_while_flac_is_made_keeps_the_wav(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise AssertionError  # what soundfile raises where fewer samples were taken

    recorder, told = Recorder(Engine(model)), list[str]()
    take = Take(recorder, tmp_path / "take.flac", told.append)
    played(recorder, 0.5)
    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(CmaudioError, match="cannot be written"):
        take.stop()
    assert "the recording ended" in told[0]
    assert soundfile.info(tmp_path / "take.wav").frames == recorder.made_samples
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.mid", "take.wav"]


def test_an_empty_flac_take_says_that_nothing_was_recorded(model: Model, tmp_path: Path) -> None:
    take = Take(Recorder(Engine(model)), tmp_path / "take.flac")
    with pytest.raises(CmaudioError, match=r"nothing was recorded, and FLAC has no empty files; take\.wav is there"):
        take.stop()
    assert soundfile.info(tmp_path / "take.wav").frames == 0
    take.finish()  # has been told


def test_a_failure_that_nobody_asked_for_is_raised_when_the_instrument_closes(model: Model, tmp_path: Path) -> None:
    take = Take(Recorder(Engine(model)), tmp_path / "take.flac")
    with pytest.raises(CmaudioError, match="nothing was recorded"):
        take.finish()


def test_a_take_that_nobody_stops_is_finished_when_the_script_ends(tmp_path: Path) -> None:
    code = """
import sys
import subprocess
import sys
from pathlib import Path
from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.instrument.take import Take
recorder = Recorder(Engine("instrument"))
for name in ("a.flac", "b.wav"):
    Take(recorder, Path(sys.argv[1]) / name)
recorder.read(10_000)
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "a.mid", "b.mid", "b.wav"]
    assert [soundfile.info(tmp_path / name).frames for name in ("a.flac", "b.wav")] == [10_000, 10_000]


def test_a_listener_that_fails_does_not_end_the_take(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: reported.append(str(error[1])))
    monkeypatch.setattr(wav_parts, "MAX_BYTES", 100_001)

    def listener(text: str) -> None:
        raise ValueError(text)

    recorder = Recorder(Engine(model))
    take = Take(recorder, tmp_path / "take.wav", listener)
    played(recorder, 1.5)
    take.stop()
    frames = sum(soundfile.info(path).frames for path in tmp_path.glob("take*.wav"))
    assert frames == recorder.made_samples
    assert "take.wav is full" in reported[0]
