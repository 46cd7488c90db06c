"""`cmaudio demo`: listing, MIDI files, and playing without a sound card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.demos import DEMOS
from cmaudio.demos.piece import ScoreDemo
from cmaudio.errors import CmaudioError, DeviceError
from cmaudio.output.devices import SoundCards
from cmaudio.score.midi_file import read_midi


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "list"]])
def test_all_pieces_are_listed(arguments: list[str]) -> None:
    printed = CliRunner().invoke(app, arguments).output
    assert all(name in printed for name in DEMOS)


def test_the_list_as_json() -> None:
    rows = json.loads(CliRunner().invoke(app, ["demo", "list", "--json"]).output)
    assert [row["name"] for row in rows] == list(DEMOS)


@pytest.mark.parametrize("ending", [".mid", ".MIDI"])
def test_a_score_is_written_as_a_midi_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"song{ending}"
    assert CliRunner().invoke(app, ["demo", "render", "pocket", "-o", str(path)]).exit_code == 0
    assert read_midi(path).percussion


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo", "play", "pockett"], "near: pocket"),
        (["demo", "render", "lamp", "-o", "lamp.mid"], "has no notes"),
        (["demo", "render", "pocket", "-o", "pocket.xyz"], "xyz"),
    ],
)
def test_mistakes_are_told(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, CmaudioError)
    assert said in str(result.exception)


def test_without_a_sound_card_a_piece_is_rendered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*_arguments: Any, **_settings: Any) -> None:
        raise DeviceError("there is no output device")

    rendered: list[tuple[str, Path]] = []

    def render(piece: ScoreDemo, path: Path, seed: int) -> None:
        rendered.append((piece.name, path))

    monkeypatch.setattr("cmaudio.cli.demo.open", fail)
    monkeypatch.setattr("cmaudio.cli.without_device.any_output", lambda: False)
    monkeypatch.setattr("cmaudio.cli.demo._render", render)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shore.wav").touch()
    result = CliRunner().invoke(app, ["demo", "play", "Shore"])
    assert result.exit_code == 0, result.output
    assert rendered == [("shore", Path("shore-2.wav"))]


def test_a_piece_is_played_on_the_device_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened(Exception):
        pass

    asked: dict[str, Any] = {}

    def opens(_model: str, **settings: Any) -> None:
        asked.update(settings)
        raise Opened

    monkeypatch.setattr("cmaudio.cli.demo.open", opens)
    options = ["--device", "3", "--host-api", "wasapi", "--exclusive", "--pair", "2"]
    assert isinstance(CliRunner().invoke(app, ["demo", "play", "pocket", *options]).exception, Opened)
    assert (asked["device"], asked["pair"], asked["open_stream"]) == (3, 2, SoundCards("wasapi", exclusive=True))
