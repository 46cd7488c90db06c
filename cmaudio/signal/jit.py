"""Compiled functions: numba compiles them once per machine, and loads them from its cache afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])
_njit: Any = numba.njit


def compiled(function: F) -> F:
    """Compile a function when it is first called, or load it from the cache."""
    try:
        result: F = _njit(cache=True)(function)
    except RuntimeError:  # numba found no writable directory for its cache
        result = _njit(function)
    return result


def inlined(function: F) -> F:
    """A part of compiled functions; it is compiled only with them, which takes a quarter of the time."""
    result: F = _njit(inline="always")(function)
    return result
