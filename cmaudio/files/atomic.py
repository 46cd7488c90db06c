"""Atomic file writes: a temporary file replaces the target when it is complete."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import as_path, reason

_NAME = re.compile(r"(?P<beginning>\.cmaudio-[0-9a-f]{10}-[0-9a-f]{10}-)(?P<process>\d+)-[0-9a-f]{12}\.part")
_made: set[str] = set()  # by this process: its number may have been another's before


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """An empty temporary file beside `path`, which replaces `path` when the with-body ends without an exception.

    It is flushed to the disk first. On any exception, including KeyboardInterrupt, the temporary file is removed, an
    existing file at `path` is kept, and the exception propagates. A symbolic link at `path` is followed.
    Temporary files that killed processes left for the same target are removed.

    Raises:
        CmaudioError: `path` is a directory, its folder is missing or not writable, or the replacement fails.
    """
    try:
        target = as_path(path).expanduser().resolve()
        if target.is_dir():
            raise CmaudioError(f"{path}: is a directory. Give the name of a file, such as {Path(path) / 'out.wav'}.")
        if not target.parent.is_dir():
            raise CmaudioError(f"{path}: there is no folder {target.parent}. Create it, or write somewhere else.")
        clear_abandoned(target)
        temporary = part_file(target)
    except (OSError, ValueError, RuntimeError) as error:
        raise _unwritable(path, error) from error
    try:
        _create(temporary, path)
        yield temporary
        _replace(temporary, target, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        forget(temporary)


def _create(temporary: Path, path: str | Path) -> None:
    try:
        temporary.open("xb").close()
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: str | Path, error: Exception) -> CmaudioError:
    return CmaudioError(f"{path}: cannot be written ({error}). Choose a folder that you may write to.")


def write_file(path: str | Path, content: bytes) -> Path:
    """Write a file atomically, replacing one of the same name. Returns its path, "~" expanded.

    Raises CmaudioError if it cannot be written.
    """
    target = as_path(path).expanduser()
    try:
        with atomic_file(target) as part:
            part.write_bytes(content)
    except OSError as error:
        raise CmaudioError(f"{target} cannot be written ({reason(error)}); name another file") from error
    return target


def _replace(temporary: Path, target: Path, path: str | Path) -> None:
    try:
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(target)
    except OSError as error:
        raise CmaudioError(f"{path}: cannot be written ({error}). Free some space or write somewhere else.") from error


def part_file(target: Path) -> Path:
    """A path for a temporary file beside `target`; it does not exist yet."""
    name = f"{_beginning(target)}{os.getpid()}-{secrets.token_hex(6)}.part"
    _made.add(name)
    return target.with_name(name)


def forget(part: Path) -> None:
    """Called when a temporary file is gone."""
    _made.discard(part.name)


def clear_abandoned(target: Path) -> None:
    """Remove the temporary files for `target` whose process has ended. Undeletable ones stay."""
    for path in _abandoned(target.parent).pop(_beginning(target), ()):
        with contextlib.suppress(OSError):
            path.unlink()


@cache
def _abandoned(folder: Path) -> dict[str, list[Path]]:
    """The abandoned files of a folder, scanned once: a corpus has thousands of files in one folder."""
    found: dict[str, list[Path]] = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            name = _NAME.fullmatch(entry.name)
            if name and entry.name not in _made and not _runs(int(name["process"])):
                found.setdefault(name["beginning"], []).append(folder / entry.name)
    return found


def _beginning(target: Path) -> str:
    """Hashed, since the target's name may be as long as names can be. Processes of other machines are not ours."""
    return f".cmaudio-{_short(socket.gethostname())}-{_short(target.name)}-"


def _short(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:10]


def _runs(process: int) -> bool:
    """Whether a process with this number that may own a temporary file is running; True if that is unknown."""
    if process == os.getpid():
        return False
    if sys.platform == "win32":
        return True  # on Windows, signal 0 is Ctrl-C
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # another user's
    return True
