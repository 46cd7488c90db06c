"""The command as a user meets it: help, version, errors on one line, and what is left after termination."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cmaudio
from cmaudio.cli import bench, evaluate
from cmaudio.cli.app import app
from cmaudio.cli.main import TERMINATED, main

pytestmark = pytest.mark.filterwarnings("error::DeprecationWarning:cmaudio")


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every subcommand, as the words that call it."""
    found = []
    for name, command in getattr(group, "commands", {}).items():
        found += [(*path, name), *commands(command, (*path, name))]
    return found


COMMANDS = commands(get_command(app))


def fails(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The error, one line, of a command that fails."""
    monkeypatch.setattr(sys, "argv", ["cmaudio", *arguments])
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    return " ".join(capsys.readouterr().err.split())


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.split() == ["cmaudio", cmaudio.__version__]


def test_help_lists_all_sections_of_a_report() -> None:
    from cmaudio.bench import SECTIONS as BENCH
    from cmaudio.evaluation.run import SECTIONS as INSTRUMENT
    from cmaudio.evaluation.textures import TEXTURE_SECTIONS
    from cmaudio.evaluation.voice import VOICE_SECTIONS

    assert set(bench.SECTIONS.split(", ")) == set(BENCH)
    assert set(re.findall(r"\b[a-z_]+\b", evaluate.SECTIONS)) == {*INSTRUMENT, *TEXTURE_SECTIONS, *VOICE_SECTIONS}


@pytest.mark.parametrize("command", [(), *COMMANDS], ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_command_and_option_has_a_help_text(command: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(app, [*command, option])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    found = get_command(app)
    for name in command:
        found = found.commands[name]  # type: ignore[attr-defined]
    assert found.help
    assert all(getattr(parameter, "help", None) for parameter in found.params)


@pytest.mark.parametrize("name", ["[/x]", "[bold]x", "[/]", "\x1b[2J", "\x9b2J"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["say", "-o", "out.wav", "Hello.", "--speaker"],
        ["render", "--timbre"],
        ["render", "--preset"],
        ["render", "--model"],
        ["models", "inspect"],
        ["bench", "--only"],
        ["evaluate", "--only"],
    ],
    ids=" ".join,
)
def test_an_unknown_name_is_repeated_in_a_one_line_error(
    arguments: list[str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    error = fails([*arguments, name], monkeypatch, capsys)
    assert error.startswith("error: ")
    assert "\x1b[2J" not in error
    assert "\x9b" not in error
    if name.isprintable():
        assert name in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("named", "fails_with"), [(["music"], "music: FluidSynth is missing"), ([], None)])
def test_what_is_named_and_cannot_be_measured_is_an_error(
    named: list[str], fails_with: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import cmaudio.evaluation as evaluation

    lacking = {"sections": {"music": {"not_measured": "FluidSynth is missing: apt install fluidsynth"}}}
    monkeypatch.setattr(evaluation, "run_evaluation", lambda *_, **options: lacking)
    done = CliRunner().invoke(app, ["evaluate", "--json", *(word for name in named for word in ("--only", name))])
    if fails_with is None:
        assert json.loads(done.stdout) == lacking
    else:
        assert fails_with in str(done.exception)


def wait_for(found: Any, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while not found():
        assert process.poll() is None, "it ended by itself"
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a signal")
@pytest.mark.parametrize(
    "arguments",
    [["render", "long.mid", "-o", "out.wav"], ["say", "-o", "out.wav"], ["say", "-o", "out.flac"]],
    ids=" ".join,
)
def test_a_terminated_command_leaves_no_half_written_file(arguments: list[str], tmp_path: Path) -> None:
    write_long_score(tmp_path / "long.mid")
    before = set(tmp_path.iterdir())
    process = subprocess.Popen(
        [sys.executable, "-m", "cmaudio.cli", *arguments],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    try:
        process.stdin.write(b"A first sentence. " * 40)
        process.stdin.flush()
        wait_for(lambda: list(tmp_path.glob(".*.part")), process)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == TERMINATED, errors.decode()
    assert b"Traceback" not in errors
    assert set(tmp_path.iterdir()) == before


def test_a_render_without_a_name_overwrites_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out.wav").write_bytes(b"mine")
    write_short_score(tmp_path / "short.mid")
    result = CliRunner().invoke(app, ["render", "short.mid", "--tail", "0.1"])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out.wav").read_bytes() == b"mine"
    assert (tmp_path / "out-2.wav").stat().st_size > 1000


def write_short_score(path: Path) -> None:
    from cmaudio.score.events import NoteOff, NoteOn, Score
    from cmaudio.score.midi_file import write_midi

    write_midi(path, Score("short", [(0.0, NoteOn(0, 60, 90, 0)), (0.1, NoteOff(0, 60))], 0.2, [0]))


def write_long_score(path: Path) -> None:
    from cmaudio.score.events import NoteOff, NoteOn, Score
    from cmaudio.score.midi_file import write_midi

    notes = [(float(i), event) for i in range(600) for event in (NoteOn(0, 60, 90, 0),)]
    ends = [(i + 0.9, NoteOff(0, 60)) for i in range(600)]
    events: list[Any] = sorted([*notes, *ends], key=lambda pair: pair[0])
    write_midi(path, Score("long", events, 600.0, [0]))


def test_models_are_listed_as_json() -> None:
    listed = json.loads(CliRunner().invoke(app, ["models", "list", "--json"]).output)
    assert {"instrument", "textures", "english", "russian"} <= {row["name"] for row in listed}


def test_standard_input_that_is_no_text_is_told(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "cmaudio.cli", "say", "-o", str(tmp_path / "said.wav")],
        input=b"Good morning.\n\n\xff\xfe\xfa and so on.\n",
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8:strict"},
        timeout=120,
        check=False,
    )
    assert process.returncode == 1
    assert b"standard input cannot be read" in process.stderr
    assert b"Traceback" not in process.stderr
    assert not list(tmp_path.iterdir())
