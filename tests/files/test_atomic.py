"""Files that are complete or absent, whatever happens while they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file


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


def test_failed_replacement_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match="cannot be written"), atomic_file(tmp_path / "a.txt") as part:
        part.unlink()
    assert names(tmp_path) == []
