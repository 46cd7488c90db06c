"""File names: as text, derived from names, and unused ones.

Python keeps bytes of a name that are not UTF-8 as lone surrogates, which no text file, page or message can hold.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import is_there

_RESERVED = frozenset(["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))])


def is_text(name: str) -> bool:
    """Whether every byte of the name is part of UTF-8."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def as_text(name: str) -> str:
    """The name with "?" for bytes that are not UTF-8."""
    return name.encode("utf-8", "replace").decode()


def sound_path(path: Path) -> str | bytes:
    """A path as libsndfile takes it, whatever its bytes: soundfile refuses text that is not UTF-8."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)


def file_stem(name: str) -> str:
    """A file name for a name: letters and digits in lower case, anything else as dashes.

    A name without letters and digits gets one made from its bytes, so that "!!!" and "???" differ.
    """
    stem = re.sub(r"[^\w]+", "-", name.strip().lower()).strip("-")
    if not stem.strip("_"):
        return f"unnamed-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{stem}-" if stem in _RESERVED else stem


def unused_path(path: Path, *others: str) -> Path:
    """The path, numbered if a file of that name exists.

    Args:
        path: the wanted file.
        others: extensions of files that will be written beside it, such as ".mid", and must not exist either.
    """
    found, count = path, 1
    while any(is_there(each) or each.is_symlink() for each in (found, *map(found.with_suffix, others))):
        count += 1
        found = path.with_stem(f"{path.stem}-{count}")
    return found


def check_unused(*files: Path) -> None:
    """Raises CmaudioError for a file of a recording that already exists."""
    for file in filter(is_there, files):
        raise CmaudioError(f"{file} exists already, and recordings never overwrite files; use another name")
