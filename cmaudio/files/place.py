"""Places of a corpus or a run: on a local disk, or in object storage."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import expanded
from cmaudio.files.remote import RemotePath

Place = Path | RemotePath
_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LOST_SLASH = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+:/[^/]", re.IGNORECASE)  # what a Path makes of a URL


def as_place(name: str | Path | RemotePath) -> Place:
    """The place of a path or a URL; `file://` is a local path. Raises CmaudioError for anything else."""
    if isinstance(name, RemotePath):
        return name
    if isinstance(name, str) and _URL.match(name):
        protocol, _, rest = name.partition("://")
        if protocol.lower() == "file":
            return Path(unquote(urlsplit(name).path))
        if not rest.strip("/"):
            raise CmaudioError(f"{name} names no place in a storage; give a URL such as s3://bucket/folder")
        return RemotePath(f"{protocol.lower()}://{rest}")
    if isinstance(name, Path) and _LOST_SLASH.match(name.as_posix()):
        raise CmaudioError(f"{name} is a URL in a Path, which loses a slash; give it as text")
    return expanded(name)


def files_in(folder: Place) -> set[str]:
    """The names of all files below a folder, at any depth; none if there is no folder."""
    if isinstance(folder, RemotePath):
        return set(folder.files())
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def whole_file(place: Place) -> Iterator[Path]:
    """A temporary local file that is moved to a place atomically when the with-body ends without an exception.

    Raises CmaudioError if it cannot be written; an existing file is then kept.
    """
    if isinstance(place, Path):
        with atomic_file(place) as part:
            yield part
        return
    with tempfile.TemporaryDirectory(prefix="cmaudio-") as folder:
        part = Path(folder) / (place.name or "file")
        part.touch()
        yield part
        place.upload(part)


def move_to(file: Path, place: Place) -> None:
    """Move a complete local file to its place; a local place must be on the same disk."""
    if isinstance(place, Path):
        file.replace(place)
    else:
        place.upload(file)
        file.unlink()


@contextlib.contextmanager
def local_files(folder: Place, names: list[str]) -> Iterator[Path]:
    """A local folder with these files of a folder, while the body runs.

    Raises FileNotFoundError for a missing file.
    """
    if isinstance(folder, Path):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="cmaudio-") as temporary:
        for name in names:
            (folder / name).download(Path(temporary) / name)
        yield Path(temporary)


def check_reach(folder: Place, shares_memory: bool) -> None:
    """Raises CmaudioError for a folder in this process's memory to which other processes would have to write."""
    if isinstance(folder, RemotePath) and folder.protocol == "memory" and not shares_memory:
        raise CmaudioError(f"{folder} lies in the memory of one process: use --workers 1, or another storage")
