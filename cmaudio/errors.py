"""The one error meant for users: it names the value, what is allowed, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_MOST_PROBLEMS, _MOST_LETTERS, _MOST_NEAR = 4, 60, 3


class CmaudioError(Exception):
    """Invalid input, or a failing file or device, with what the user can do about it."""


class DeviceError(CmaudioError):
    """There is no sound card, or it cannot be opened."""


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """The message for a name that is not in `known`: it suggests names that contain it, then similar spellings.

    Args:
        what: the kind of thing that is named, e.g. "timbre".
        name: the name that the user gave.
        known: all existing names.
    """
    near = nearest(name, known)
    listed = f"; the nearest are {', '.join(map(repr, near))}, of {len(known)}" if near else "; there are none"
    return f"unknown {what} {name[:_MOST_LETTERS]!r}{listed}"


def nearest(name: str, known: Collection[str]) -> list[str]:
    """At most three of `known`: those that contain the name first, then similar spellings."""
    wanted = name.strip().lower()
    holding = [each for each in known if wanted and wanted in each.lower()]
    alike = difflib.get_close_matches(wanted[:_MOST_LETTERS], known, n=_MOST_NEAR, cutoff=0.0)
    return list(dict.fromkeys([*holding, *alike]))[:_MOST_NEAR]


def explain(error: ValidationError, hidden: Container[object] = (), known: Sequence[str] = (), skip: int = 0) -> str:
    """What is wrong with a file or message: each invalid field, its value, and what is allowed.

    Args:
        error: the validation error.
        hidden: parts of a field's location that mean nothing to the user, such as a union tag.
        known: names of the existing fields, listed for an unknown one.
        skip: number of leading parts of the location to leave out, if more follow.
    """
    problems = []
    for problem in error.errors(include_url=False, include_context=False)[:_MOST_PROBLEMS]:
        place = problem["loc"][skip:] or problem["loc"]
        where = ".".join(str(part) for part in place if part not in hidden) or "the whole"
        there_are = f"; known are {', '.join(known)}" if known and problem["type"] == "extra_forbidden" else ""
        problems.append(f"{where}: {problem['msg']} (given: {str(problem['input'])[:_MOST_LETTERS]!r}){there_are}")
    return "; ".join(problems)
