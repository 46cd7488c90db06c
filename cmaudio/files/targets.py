"""Targets for a sound or a score: a file by its path, or a binary file opened by the caller."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import FORMATS
from cmaudio.files.reading import as_path

AudioTarget = str | Path | BinaryIO
"""The path of a sound file, or a binary file open for writing."""

_NAMES = tuple(suffix[1:] for suffix in FORMATS)


@contextlib.contextmanager
def audio_target(target: AudioTarget, sound_format: str | None = None) -> Iterator[Path]:
    """The path to write, atomically, in the with-body; an open file gets its content afterwards.

    If the body raises, nothing is written to an open file.

    Args:
        target: a path, or an open binary file.
        sound_format: "wav", "flac", "ogg", "opus" or "mp3"; for an open file by default by the extension of its name,
            else "wav". A path is named by its extension.

    Raises:
        CmaudioError: an unknown format, or another than the path's; a file that is not open in binary mode, or fails.
    """
    suffix = _suffix(sound_format)
    if isinstance(target, str | os.PathLike):
        path = as_path(target)
        if suffix and path.suffix.lower() != suffix:
            raise CmaudioError(f"{path}: the extension of a path sets its format; name a {suffix} file, or omit format")
        yield path
        return
    check_open(target)
    named = Path(name).suffix.lower() if isinstance(name := getattr(target, "name", None), str) else ""
    with tempfile.TemporaryDirectory(prefix="cmaudio-") as folder:
        path = Path(folder) / f"sound{suffix or (named if named in FORMATS else '.wav')}"
        yield path
        with path.open("rb") as whole:
            copy_to(target, whole)


def check_open(file: BinaryIO) -> None:
    """Raises CmaudioError for anything but a binary file open for writing."""
    if not hasattr(file, "write"):
        raise CmaudioError(f"a file is named by text or a Path, or open for writing, not {type(file).__name__}")
    try:
        file.write(b"")
    except (TypeError, ValueError, OSError) as error:
        raise CmaudioError(f"the file must be open for writing in binary mode, open(path, 'wb') ({error})") from error


def copy_to(file: BinaryIO, whole: BinaryIO) -> None:
    """Write one open file to another. Raises CmaudioError if it is full or closed."""
    try:
        shutil.copyfileobj(whole, file)
    except (OSError, ValueError) as error:
        raise CmaudioError(f"the open file cannot be written ({error}); open it again, or give a path") from error


def _suffix(sound_format: str | None) -> str:
    if sound_format is None:
        return ""
    plain = str(sound_format).lower().removeprefix(".")
    if plain not in _NAMES:
        raise CmaudioError(f"{str(sound_format)[:40]!r} is no sound format here; use one of: {', '.join(_NAMES)}")
    return f".{plain}"
