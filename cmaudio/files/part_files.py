"""Names of temporary files that identify target and process, so that those of killed processes can be removed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
import sys
from functools import cache
from pathlib import Path

_NAME = re.compile(r"(?P<beginning>\.cmaudio-[0-9a-f]{10}-[0-9a-f]{10}-)(?P<process>\d+)-[0-9a-f]{12}\.part")
_made: set[str] = set()  # by this process: its number may have been another's before


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
