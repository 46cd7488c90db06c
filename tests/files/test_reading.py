"""Files that a user names: what is not a readable regular file of a sensible size is refused in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import is_file, read_file, read_text

LIMIT = 2**20


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def large(folder: Path) -> Path:
    (folder / "large").write_bytes(bytes(LIMIT + 1))
    return folder / "large"


REFUSED: list[tuple[str, Callable[[Path], str | Path], str]] = [
    ("a folder", lambda folder: folder, "it is a folder"),
    ("a pipe that nobody writes to", pipe, "it is a pipe"),
    ("a device without end", lambda folder: "/dev/zero", "it is a device"),
    ("no file", lambda folder: folder / "none", "No such file"),
    ("a name that is too long", lambda folder: folder / ("x" * 300), "File name too long"),
    ("a NUL in the name", lambda folder: "a\0b", "null byte"),
    ("the home of nobody", lambda folder: "~nobody-of-this-name/a", "home"),
    ("a large file", large, "larger than 1 MiB"),
]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize(("make", "told"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_read_is_named(make: Callable[[Path], str | Path], told: str, tmp_path: Path) -> None:
    with pytest.raises(CmaudioError, match=rf"^list .*{told}"):
        read_file(make(tmp_path), "list", LIMIT)


def test_text_may_have_a_byte_order_mark_and_must_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa")
    assert read_text(tmp_path / "a", "list", LIMIT) == "a"
    (tmp_path / "a").write_bytes(b"a\xff")
    with pytest.raises(CmaudioError, match=r"list .* is not UTF-8 text \(invalid start byte at byte 1\)"):
        read_text(tmp_path / "a", "list", LIMIT)


@pytest.mark.parametrize("name", ["none", "x" * 300, "a\0b"])
def test_no_file_has_a_name_that_is_not_possible(tmp_path: Path, name: str) -> None:
    assert not is_file(tmp_path / name)
    assert is_file(Path(__file__))
