"""File names as text.

Python keeps bytes of a name that are no UTF-8 as lone surrogates, which no text file, page or message can hold.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def is_text(name: str) -> bool:
    """Whether every byte of the name is part of UTF-8."""
    return not any("\ud800" <= c <= "\udfff" for c in name)


def as_text(name: str) -> str:
    """The name with "?" for what is no UTF-8."""
    return name.encode("utf-8", "replace").decode()


def sound_path(path: Path) -> str | bytes:
    """A path as libsndfile takes it, whatever its bytes: soundfile refuses text that is no UTF-8."""
    return str(path) if sys.platform == "win32" else os.fsencode(path)
