"""The one error a user is meant to read: it names the value, what is allowed, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST_PROBLEMS, _MOST_LETTERS, _MOST_NEAR = 4, 60, 3


class CmaudioError(Exception):
    """A mistake in what cmaudio was given, or trouble outside it (file, device), with what the user can do about it."""


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The message for a name that is none of `known`: it gives those that contain it, then those spelt most like it.

    Args:
        what: kind of thing that is named, e.g. "timbre".
        name: as the user gave it.
        known: all names there are.
    """
    wanted = name.strip().lower()
    holding = [each for each in known if wanted and wanted in each.lower()]
    alike = difflib.get_close_matches(wanted, known, n=_MOST_NEAR, cutoff=0.0)
    near = list(dict.fromkeys([*holding, *alike]))[:_MOST_NEAR]
    listed = f"; the nearest are {', '.join(map(repr, near))}, of {len(known)}" if near else "; there are none"
    return f"unknown {what} {name[:_MOST_LETTERS]!r}{listed}"


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
