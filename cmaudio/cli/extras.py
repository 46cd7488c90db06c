"""Packages that only some commands need, and what to install where they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cmaudio.errors import CmaudioError


@contextmanager
def requires_extra(extra: str) -> Iterator[None]:
    """Raises CmaudioError with the `pip install` command where an import in the body finds a package missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"this command needs {error.name}, which is not installed: pip install 'cmaudio[{extra}]'"
        ) from error
