"""Files that are complete or absent, whatever happens while they are written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file, forget, part_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_complete_file_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_file(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_exception_propagates_and_leaves_the_old_file(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)) as caught, atomic_file(path) as part:  # noqa: PT012
        part.write_text("half")
        raise error
    assert caught.value is error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_signal_while_the_temporary_file_is_created_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Path.open

    def interrupted(path: Path, mode: str) -> NoReturn:
        create(path, mode).close()
        raise SystemExit(143)

    monkeypatch.setattr(Path, "open", interrupted)
    with pytest.raises(SystemExit), atomic_file(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_failed_replacement_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="cannot be written"), atomic_file(tmp_path / "a.txt") as part:
        part.unlink()
    assert names(tmp_path) == []


GONE, RUNNING = 2**22 + 1, os.getppid()  # no process can have the first number


@pytest.mark.parametrize(
    ("process", "target", "stays"),
    [(GONE, "a.txt", False), (RUNNING, "a.txt", True), (GONE, "other.txt", True), (os.getpid(), "a.txt", False)],
    ids=["gone", "running", "gone, another target", "ours"],
)
def test_only_what_a_killed_process_left_for_the_same_target_is_cleared(
    tmp_path: Path, process: int, target: str, stays: bool
) -> None:
    part = part_file(tmp_path / target)
    forget(part)
    old = part.with_name(part.name.replace(f"-{os.getpid()}-", f"-{process}-"))
    old.write_text("half")
    with atomic_file(tmp_path / "a.txt") as new:
        new.write_text("whole")
    assert names(tmp_path) == sorted(["a.txt", *([old.name] if stays else [])])


def test_a_file_that_is_being_written_is_never_cleared(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a.txt") as first, atomic_file(tmp_path / "a.txt") as second:
        assert first.exists()
        assert second.exists()


@pytest.mark.parametrize("name", [".0123456789ab.part", ".cmaudio-x.part", "song.part", ".cmaudio-1-2-3-4.part"])
def test_files_of_others_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("not ours")
    with atomic_file(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == sorted(["a.txt", name])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_the_next_run_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    code = "import sys, os, signal; from cmaudio.files.atomic import atomic_file\n"
    code += "with atomic_file(sys.argv[1]): os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.txt")], check=False)
    assert len(names(tmp_path)) == 1
    with atomic_file(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == ["a.txt"]
