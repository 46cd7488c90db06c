"""`cmaudio panel`: the last session is there again, unless another sound is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import TinyModel
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.files import folders
from cmaudio.panel.handler import CommandHandler
from cmaudio.synth import Synth

pytest.importorskip("nicegui", reason="the panel needs NiceGUI: pip install 'cmaudio[panel]'")


class FakeHost:
    """The command handler without a server. `Ctrl-C` comes at once, after `played` was done to the instrument."""

    played: dict[str, float] = {}  # noqa: RUF012  # of one test
    found: dict[str, float] = {}  # noqa: RUF012

    def __init__(self, synth: Synth, address: Any, files: Path, clock: Any, on_notice: Any, restart: str) -> None:
        self.handler = CommandHandler(synth, files, clock, lambda message: None)
        FakeHost.found = synth.controls.values()
        for name, value in FakeHost.played.items():
            synth.controls.set(name, value)

    def close(self) -> None:
        self.handler.close()


@pytest.fixture
def panel(tiny: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command with options until Ctrl-C; returns what it printed and the controls it began with."""

    def interrupt(synth: Synth, seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr("cmaudio.panel.host.Host", FakeHost)
    monkeypatch.setattr(Synth, "wait", interrupt)
    plain = ["panel", "--model", str(tiny.model.path), "--listen", "browser", "--no-browser", "--no-midi"]

    def run(*options: str, played: dict[str, float] | None = None) -> tuple[str, dict[str, float]]:
        FakeHost.played = played or {}
        result = CliRunner().invoke(app, [*plain, "--files", str(tmp_path / "takes"), *options], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output, FakeHost.found

    return run


@pytest.mark.parametrize(
    ("options", "brightness", "vibrato"),
    [([], 2.0, 0.5), (["--set", "brightness=-1"], -1.0, 0.5), (["--fresh"], 0.0, 0.0)],
    ids=["as it was", "another value", "fresh"],
)
def test_a_restarted_panel_sounds_as_it_did(panel: Any, options: list[str], brightness: float, vibrato: float) -> None:
    panel(played={"brightness": 2.0, "vibrato": 0.5})
    _, found = panel(*options)
    assert (found["brightness"], found["vibrato"]) == (brightness, vibrato)


def test_a_damaged_session_is_told_and_the_panel_starts(panel: Any, tmp_path: Path, capsys: Any) -> None:
    panel(played={"brightness": 2.0})
    (file,) = (tmp_path / "state").iterdir()
    file.write_text("{")
    output, found = panel()
    assert "set aside as" in (output + capsys.readouterr().err).replace("\n", " ")
    assert found["brightness"] == 0
    assert file.with_suffix(".damaged.json").read_text() == "{"
