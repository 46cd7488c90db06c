"""`cmaudio learn`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.examples import thud, written
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model


def test_files_and_folders_become_timbres_of_a_new_model_file(tmp_path: Path) -> None:
    door = written(tmp_path / "my door.wav", thud())
    kick = written(tmp_path / "kick" / "1.wav", thud(1)).parent
    output = tmp_path / "mine.cmaudio"
    result = CliRunner().invoke(app, ["learn", str(door), str(kick), "-o", str(output), "--licence", "CC0-1.0"])
    assert result.exit_code == 0, result.output
    assert [timbre.name for timbre in load_model(output).manifest.timbres[-2:]] == ["my door", "kick"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["door.wav", "-o", "mine.zip"], "ends in .cmaudio"),
        (["door.wav", "door.wav", "-o", "mine.cmaudio", "--name", "x"], "--name"),
        (["door.wav", "-o", "mine.cmaudio", "--model", "english"], "no prior"),
        (["silent.wav", "-o", "mine.cmaudio"], "silent"),
        (["door.wav", "-o", "mine.cmaudio", "--minutes", "-1"], "minutes"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(tmp_path: Path, arguments: list[str], told: str) -> None:
    written(tmp_path / "door.wav", thud())
    written(tmp_path / "silent.wav", 0 * thud())
    given = [str(tmp_path / a) if a.endswith((".wav", ".zip", ".cmaudio")) else a for a in arguments]
    result = CliRunner().invoke(app, ["learn", *given])
    assert isinstance(result.exception, CmaudioError)
    assert told in str(result.exception)
    assert not (tmp_path / "mine.cmaudio").exists()


_LEARN = """
import sys
import subprocess
import sys
from pathlib import Path
from cmaudio.cli import learn
from cmaudio.learning.learn import learn_timbre

def told(*args, **kwargs):
    kwargs["on_progress"] = lambda share, text: print("searching", flush=True)
    return learn_timbre(*args, **kwargs)

learn.learn_timbre = told
learn.learn([Path(sys.argv[1])], output=Path(sys.argv[2]), minutes=10.0)
"""


def test_one_that_is_killed_leaves_files_as_they_were(tmp_path: Path) -> None:
    door, output = written(tmp_path / "door.wav", thud()), tmp_path / "mine.cmaudio"
    output.write_bytes(b"what was there before")
    command = [sys.executable, "-c", _LEARN, str(door), str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "searching\n"
        process.kill()
    assert process.returncode != 0
    assert output.read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["door.wav", "mine.cmaudio"]
