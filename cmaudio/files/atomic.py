"""Atomic file writes: a temporary file replaces the target when it is complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.part_files import clear_abandoned, forget, part_file
from cmaudio.files.reading import as_path, reason


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
        temporary.open("xb").close()
    except (OSError, ValueError, RuntimeError) as error:
        raise CmaudioError(f"{path}: cannot be written ({error}). Choose a folder that you may write to.") from error
    try:
        yield temporary
        _replace(temporary, target, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        forget(temporary)


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
