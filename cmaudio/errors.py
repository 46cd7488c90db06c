"""The one error a user is meant to read: it names the value, what is allowed, and the remedy."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST_PROBLEMS, _MOST_LETTERS = 4, 60


class CmaudioError(Exception):
    """A mistake in what cmaudio was given, or trouble outside it (file, device), told so that the user can mend it."""


def explain(error: ValidationError, hidden: Container[object] = (), known: Sequence[str] = (), skip: int = 0) -> str:
    """What is wrong with a file or message: each field, the value that it was given, and what is allowed.

    Args:
        hidden: parts of a field's place that say nothing to the user, such as the kind of an alternative.
        skip: so many parts at the beginning, where more follow.
        known: names of the fields there are, for one that is not.
    """
    problems = []
    for problem in error.errors(include_url=False, include_context=False)[:_MOST_PROBLEMS]:
        place = problem["loc"][skip:] or problem["loc"]
        where = ".".join(str(part) for part in place if part not in hidden) or "the whole"
        there_are = f"; known are {', '.join(known)}" if known and problem["type"] == "extra_forbidden" else ""
        problems.append(f"{where}: {problem['msg']} (given: {str(problem['input'])[:_MOST_LETTERS]!r}){there_are}")
    return "; ".join(problems)
