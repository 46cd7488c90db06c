"""Takes from an input that exists only in memory: where they begin and end, their level, and what is told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from fixtures.fake_input import RATE, FakeInput
from fixtures.jack import JackServer
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.input.listening import Listening, RecordedSound, listen
from cmaudio.input.stream import Inputs
from cmaudio.signal.dsp import Float
from cmaudio.signal.loudness import loudness_lufs

SHORT = Listening(silence=0.3, wait=2.0, longest=5.0)


def tone(seconds: float = 0.5, level_db: float = -12.0, hz: float = 440.0) -> Float:
    times = np.arange(round(seconds * RATE)) / RATE
    return np.asarray(10 ** (level_db / 20) * np.sin(2 * np.pi * hz * times), np.float32)


def silence(seconds: float, noise_db: float = -80.0) -> Float:
    return np.random.default_rng(0).uniform(-1, 1, round(seconds * RATE)).astype(np.float32) * 10 ** (noise_db / 20)


def take(*parts: Float, how: Listening = SHORT, told: list[str] | None = None, **settings: Any) -> RecordedSound:
    source = FakeInput(np.concatenate(parts), **settings)
    heard = listen(None, how, open_input=source, on_notice=(told if told is not None else []).append)
    assert source.closed
    return heard


@pytest.mark.parametrize("before", [0.0, 0.013, 0.7])
@pytest.mark.parametrize("after", [0.0, 1.0])
def test_a_take_is_trimmed_to_what_sounds(before: float, after: float) -> None:
    told: list[str] = []
    heard = take(silence(before), tone(), silence(after), told=told)
    assert len(heard.sound) / RATE == pytest.approx(0.5 + 0.1, abs=0.02)
    assert heard.ended
    assert told == []
    onset = np.flatnonzero(np.abs(heard.sound) > 0.1)[0] / RATE
    assert onset == pytest.approx(min(before, 0.01), abs=0.006), "a little is kept before the attack"
    assert abs(heard.sound[0]) < 1e-6, "faded in"
    assert abs(heard.sound[-1]) < 1e-6, "faded out"


@pytest.mark.parametrize(("level_db", "hz"), [(-40, 440), (-12, 100), (-1, 3000)])
def test_a_take_is_levelled_by_peak_or_loudness_or_not_at_all(level_db: float, hz: float) -> None:
    sound = tone(1.0, level_db, hz)
    peaked = take(silence(0.2), sound)
    assert 20 * np.log10(np.abs(peaked.sound).max()) == pytest.approx(-1, abs=0.05)
    assert peaked.gain_db == pytest.approx(-1 - level_db, abs=0.1)
    assert peaked.peak_db == pytest.approx(level_db, abs=0.1)
    loud = take(silence(0.2), sound, how=replace(SHORT, level="loudness"))
    assert loudness_lufs(loud.sound, RATE) == pytest.approx(-18, abs=0.1)
    assert loud.loudness_lufs == pytest.approx(-18, abs=0.1)
    kept = take(silence(0.2), sound, how=replace(SHORT, level="none"))
    assert 20 * np.log10(np.abs(kept.sound).max()) == pytest.approx(level_db, abs=0.1)
    assert kept.gain_db == 0


def test_loudness_never_exceeds_the_peak() -> None:
    click = np.zeros(RATE // 2, np.float32)
    click[:40] = 0.9
    heard = take(silence(0.1), click, how=replace(SHORT, level="loudness"))
    assert np.abs(heard.sound).max() <= 10 ** (-1 / 20) + 1e-4
    assert heard.loudness_lufs < -18


def test_an_offset_of_the_input_is_removed() -> None:
    heard = take(silence(0.2) + 0.002, tone() + 0.002, silence(0.5) + 0.002, how=replace(SHORT, level="none"))
    assert abs(np.mean(heard.sound)) < 1e-3
    assert len(heard.sound) / RATE == pytest.approx(0.6, abs=0.02)


def test_two_channels_stay_two() -> None:
    both = np.stack([tone(), 0.5 * tone()], 1)
    heard = listen(None, replace(SHORT, channels=2), open_input=FakeInput(both))
    assert heard.sound.shape[1] == 2
    assert np.abs(heard.sound[:, 0]).max() == pytest.approx(2 * np.abs(heard.sound[:, 1]).max(), rel=0.01)


def test_a_short_pause_does_not_end_a_take() -> None:
    heard = take(tone(), silence(0.2), tone(), silence(1))
    assert len(heard.sound) / RATE == pytest.approx(1.3, abs=0.02)


@pytest.mark.parametrize(
    ("sound", "gaps", "said"),
    [
        (np.clip(4 * tone(0.5, -6), -1, 1), (), "samples clip: lower the gain"),
        (tone(), (3, 6), "the input lost samples 2 times"),
        (tone(9), (), "it still sounded after 5 s"),
    ],
    ids=["clipping", "overflow", "endless"],
)
def test_what_is_wrong_with_a_take_is_told(sound: Float, gaps: tuple[int, ...], said: str) -> None:
    told: list[str] = []
    heard = take(sound, told=told, gaps=gaps)
    assert len(told) == 1, told
    assert said in told[0]
    assert len(heard.sound) <= 5.2 * RATE


def test_a_sine_at_full_scale_does_not_clip() -> None:
    assert take(tone(0.5, -0.02)).clipped == 0


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (silence(3, -60), r"nothing above -45 dB came from Fake microphone within 2 s, the loudest was -60 dB"),
        (np.zeros(3 * RATE, np.float32), "digitally silent for 2 s"),
        (np.full(3 * RATE, np.nan, np.float32), "digitally silent for 2 s"),
    ],
    ids=["quiet", "muted", "not a number"],
)
def test_silence_is_an_error_with_the_remedy(sound: Float, said: str) -> None:
    with pytest.raises(CmaudioError, match=said):
        take(sound)


def test_an_input_that_vanishes_leaves_no_file(tmp_path: Path) -> None:
    file, source = tmp_path / "door.wav", FakeInput(tone(), vanishes=True)
    with pytest.raises(CmaudioError, match="Fake microphone has stopped"):
        listen(file, SHORT, open_input=source)
    assert source.closed
    assert list(tmp_path.iterdir()) == []


def test_an_input_that_sends_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.input.listening._DEAD_SECONDS", -1.0)
    source = FakeInput(tone())
    source.read = lambda timeout: None  # type: ignore[method-assign]
    with pytest.raises(CmaudioError, match="Fake microphone sends nothing"):
        listen(None, SHORT, open_input=source)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_take_is_written_once(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"door{suffix}"
    heard = listen(file, SHORT, open_input=FakeInput(tone()))
    written, rate = soundfile.read(file, dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(written, heard.sound, atol=1e-6)
    with pytest.raises(CmaudioError, match="exists already"):
        listen(file, SHORT, open_input=FakeInput(tone()))
    for wrong in ("door.mp3", "door"):
        with pytest.raises(CmaudioError, match=r"must be \.wav or \.flac"):
            listen(tmp_path / wrong, SHORT, open_input=FakeInput(tone()))


@pytest.mark.parametrize(
    "settings",
    [{"channels": 0}, {"threshold_db": 3}, {"silence": 0}, {"longest": 1e4}, {"wait": float("nan")}, {"level": "loud"}],
)
def test_a_setting_out_of_range_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(CmaudioError, match=next(iter(settings))):
        Listening(**settings)


class OneMicrophone:
    """As much of sounddevice as opening an input takes."""

    PortAudioError = OSError

    def __init__(self, inputs: int = 1) -> None:
        self._inputs, self.opened = inputs, list[dict[str, Any]]()

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "Fake API", "default_input_device": 0}]

    def query_devices(self, kind: str | None = None) -> Any:
        device = {"index": 0, "name": "Microphone", "hostapi": 0, "max_output_channels": 0,
                  "max_input_channels": self._inputs, "default_samplerate": 44_100.0}  # fmt: skip
        return [device] if kind is None else device

    def check_input_settings(self, *_device: Any, samplerate: int) -> None:
        if samplerate != 44_100:
            raise OSError("invalid sample rate")

    def InputStream(self, *, callback: Any, **settings: Any) -> Any:
        self.opened.append(settings)

        def start() -> None:
            callback(
                np.full((64, settings["channels"]), 0.25, np.float32), 64, None, SimpleNamespace(input_overflow=True)
            )

        return SimpleNamespace(start=start, active=False, close=lambda ignore_errors: None)


def test_a_device_is_opened_at_its_own_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    sd = OneMicrophone()
    monkeypatch.setattr("cmaudio.output.portaudio.sounddevice", lambda: sd)
    stream = Inputs()("micro", 1, 48_000)
    assert (stream.sample_rate, stream.device_name) == (44_100, "Microphone, Fake API")
    block = stream.read(1)
    assert block is not None
    assert block.gap
    assert block.samples.shape == (64, 1)
    with pytest.raises(CmaudioError, match="has stopped"):
        stream.read(0)
    stream.close()
    with pytest.raises(CmaudioError, match="Microphone, Fake API has 1 inputs, not 2"):
        Inputs()(None, 2, 48_000)
    monkeypatch.setattr("cmaudio.output.portaudio.sounddevice", lambda: OneMicrophone(0))
    with pytest.raises(CmaudioError, match="there is no input device"):
        Inputs()(None, 1, 48_000)


def test_the_command_writes_a_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmaudio.cli.sample.Inputs", lambda host_api: FakeInput(tone()))
    file = tmp_path / "door.wav"
    result = CliRunner().invoke(app, ["sample", str(file), "--silence", "0.3", "--level", "loudness"])
    assert result.exit_code == 0, result.output
    shown = " ".join(result.output.split())
    assert "waiting for sound above -45 dB recording" in shown
    assert "0.60 s, peak of the input -12.0 dB" in shown
    assert "-18.0 LUFS" in shown
    assert file.exists()


def test_a_jack_server_without_sound_ends_with_the_time_that_was_waited(
    jack_server: JackServer, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "cmaudio.cli", "sample", str(tmp_path / "door.wav"), "--wait", "0.5"]
    result = subprocess.run(
        command, env=jack_server.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "digitally silent for 0.5 s" in " ".join(result.stderr.split()), result.stderr
    assert list(tmp_path.iterdir()) == []
