"""Errors within something that must go on: live they are reported, and what failed is left out; else they are raised.

The thread that makes the sound and all those that follow it guard each of their steps, since an exception would end
them. Rendering to a file has no listener and raises, so that no sound is missing from a file without an error.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from cmaudio.callbacks import ANY_ERROR, call_guarded
from cmaudio.errors import CmaudioError

T = TypeVar("T")
_CALM_SECONDS = 60.0  # an error is reported again once it has not occurred for this long
_MOST_KINDS = 64
_PACKAGE = Path(__file__).parent.name


class Faults:
    """Receives the errors of one instrument or loop, and reports each kind once.

    Two errors are of one kind if they have the same type, place in the code and consequence. A kind is reported again
    when it returns after a minute.

    Args:
        report: called with one line, on the thread that failed; None: errors are raised, until `listen` is called.
        now: the time in seconds.
    """

    def __init__(
        self, report: Callable[[str], object] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._report, self._now = report, now
        self._last_at: dict[tuple[type[BaseException], str, str], float] = {}  # by kind

    def listen(self, report: Callable[[str], object]) -> None:
        """Report errors from now on instead of raising them."""
        self._report = report

    def handle(self, error: BaseException, consequence: str) -> None:
        """Report an error, or raise it if nobody listens.

        Args:
            error: that was caught.
            consequence: what follows from it, e.g. "notes were dropped".
        """
        if self._report is None:
            raise error
        kind, now = (type(error), _place(error.__traceback__), consequence), self._now()
        is_known = now - self._last_at.get(kind, -_CALM_SECONDS) < _CALM_SECONDS
        if len(self._last_at) >= _MOST_KINDS and kind not in self._last_at:
            self._last_at.clear()
        self._last_at[kind] = now
        if not is_known:
            call_guarded(self._report, f"{consequence}: {described(error)}")

    def attempt(self, consequence: str, call: Callable[..., T], *arguments: object) -> T | None:
        """The result of `call(*arguments)`; None if it failed, which is handled."""
        try:
            return call(*arguments)
        except ANY_ERROR as error:
            self.handle(error, consequence)
            return None


def described(error: BaseException) -> str:
    """One line: an error for users as it is, any other with its type, its place in the code, and what to do."""
    if isinstance(error, CmaudioError):
        return str(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"{what} ({_place(error.__traceback__)}); if this happens again, report it with this line"


def as_warning(text: str) -> None:
    """Report a line as a warning, where there is nothing better."""
    warnings.warn(text, stacklevel=3)


def _place(trace: TracebackType | None) -> str:
    """File and line of the innermost frame of this package, or of any if there is none."""
    place = "unknown place"
    inside = False
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        ours = _PACKAGE in path.parts and path.name not in ("faults.py", "callbacks.py")
        if ours or not inside:
            place = f"{path.name}:{trace.tb_lineno}"
        inside = inside or ours
        trace = trace.tb_next
    return place
