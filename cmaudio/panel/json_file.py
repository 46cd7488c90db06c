"""The panel's own JSON files: written atomically, and set aside when damaged."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from cmaudio.errors import CmaudioError, explain
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import is_there, read_file, reason

_MAX_BYTES = 2**22
T = TypeVar("T")


def load_json(file: Path, adapter: TypeAdapter[T], what: str) -> T | None:
    """The content of a file; None if there is none.

    Args:
        file: its path.
        adapter: checks its content.
        what: its name in messages, such as "the last session".

    Raises:
        CmaudioError: the file is damaged; it was set aside under another name.
    """
    if not is_there(file):
        return None
    try:
        return adapter.validate_json(read_file(file, what, _MAX_BYTES))
    except (ValidationError, CmaudioError) as error:
        why = explain(error) if isinstance(error, ValidationError) else str(error)
        aside = file.with_suffix(".damaged.json")
        try:
            file.replace(aside)
        except OSError as problem:
            raise CmaudioError(f"{what} cannot be used ({why}), nor moved ({reason(problem)})") from error
        raise CmaudioError(f"{what}: damaged ({why}); the file was set aside as {aside}") from error


def save_json(file: Path, adapter: TypeAdapter[T], content: T, what: str) -> None:
    """Write a file, and its folder. Raises CmaudioError if that fails."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(file) as part:
            part.write_bytes(adapter.dump_json(content, indent=1) + b"\n")
    except OSError as error:
        raise CmaudioError(f"{what} cannot be written to {file} ({reason(error)}); free some space") from error
