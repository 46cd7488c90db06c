"""Optional dependencies of commands, and how to install them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cmaudio.errors import CmaudioError


@contextmanager
def requires_extra(extra: str) -> Iterator[None]:
    """Raises CmaudioError with the `pip install` command if an import in the body fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"this command needs {error.name}, which is not installed: pip install 'cmaudio[{extra}]'"
        ) from error
