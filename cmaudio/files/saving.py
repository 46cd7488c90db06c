"""Atomic writing of a whole file."""

from __future__ import annotations

from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import as_path, reason


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
