"""Reads files named by the user: only regular ones of limited size, and every failure is a `CmaudioError`."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.files.remote import RemotePath

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_MAX_JSON_BYTES = 256 * 2**20


def read_file(path: str | Path | RemotePath, what: str, max_bytes: int) -> bytes:
    """The content of a file.

    Args:
        path: "~" stands for the home directory; or an object in object storage.
        what: the kind of file for messages, e.g. "configuration".
        max_bytes: its maximum size; no more than that is read.

    Raises:
        CmaudioError: there is no such file, it cannot be read, is not a regular file (reading a pipe or a device may
            never end), or is larger.
    """
    try:
        data = _beginning(path, what, max_bytes + 1)
    except OSError as error:
        raise _unreadable(path, what, error) from error
    if len(data) > max_bytes:
        raise CmaudioError(f"{what} {path} is larger than {_size(max_bytes)}, the limit; is it another file?")
    return data


def _beginning(path: str | Path | RemotePath, what: str, count: int) -> bytes:
    """At most `count` bytes of a file; for a larger object in object storage, only zeros."""
    if isinstance(path, RemotePath):
        return bytes(count) if path.size() >= count else path.read_bytes()
    with regular_file(path, what).open("rb") as handle:
        return handle.read(count)


def regular_file(path: str | Path, what: str) -> Path:
    """The path of a file that can be read to its end, "~" expanded; see `read_file` for arguments and errors."""
    try:
        file = as_path(path).expanduser()
        kind = stat.S_IFMT(file.stat().st_mode)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreadable(path, what, error) from error
    if kind != stat.S_IFREG:
        raise CmaudioError(f"{what} {path} cannot be read: it is {_KINDS.get(kind, 'no file')}; name a file")
    return file


def _unreadable(path: str | Path | RemotePath, what: str, error: Exception) -> CmaudioError:
    return CmaudioError(f"{what} {path} cannot be read ({reason(error)}); check the name and the folder")


def read_text(path: str | Path | RemotePath, what: str, max_bytes: int) -> str:
    """The content of a UTF-8 text file, with or without a byte order mark; see `read_file`."""
    data = read_file(path, what, max_bytes)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CmaudioError(f"{what} {path} is not UTF-8 text ({error.reason} at byte {error.start})") from error


def read_json(path: Path | RemotePath, what: str, remedy: str) -> dict[str, Any]:
    """The object in a JSON file that cmaudio wrote. Raises CmaudioError with the remedy if it is damaged."""
    try:
        value = json.loads(read_text(path, what, _MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise CmaudioError(f"{what} {path} is damaged ({error}); {remedy}") from error
    if not isinstance(value, dict):
        raise CmaudioError(f"{what} {path} is damaged (no object inside); {remedy}")
    return value


def is_file(path: Path | RemotePath) -> bool:
    """Whether there is such a file; False also for a name that no file can have."""
    return path.is_file() if isinstance(path, RemotePath) else _is(path, Path.is_file)


def is_folder(path: Path | RemotePath) -> bool:
    """Whether there is such a folder; False also for a name that no folder can have."""
    return path.is_dir() if isinstance(path, RemotePath) else _is(path, Path.is_dir)


def is_there(path: Path) -> bool:
    """Whether something has this name; False also for an impossible name."""
    return _is(path, Path.exists)


def _is(path: Path, test: Callable[[Path], bool]) -> bool:
    try:
        return test(path)
    except (OSError, ValueError):  # longer than the file system allows, a NUL inside, or an unreadable folder
        return False


def as_path(path: str | Path) -> Path:
    """The path of a file. Raises CmaudioError for anything that is not a path."""
    if not isinstance(path, str | os.PathLike):
        raise CmaudioError(f"a file is named by text or a Path, not {type(path).__name__}")
    return Path(path)


def expanded(path: str | Path) -> Path:
    """The path with "~" expanded; unchanged if there is no such home."""
    try:
        return as_path(path).expanduser()
    except RuntimeError:
        return Path(path)


def reason(error: Exception) -> str:
    """Why a file operation failed, without the path that the message names already."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 2**20 else f"{count >> 10} KiB"
