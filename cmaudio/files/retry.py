"""Retries of failed transfers to object storage, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cmaudio.errors import CmaudioError

Result = TypeVar("Result")
# Another attempt would fail in the same way.
_LASTING = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ValueError,
    TypeError,
    ImportError,
    NotImplementedError,
    CmaudioError,
)
_LASTING_NAMES = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "NoAuthTokenError")
_LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True)
class RetryPolicy:
    """How long, and how often, to retry.

    Args:
        seconds: after which no further attempt is made.
        first_pause: seconds before the second attempt; each pause is twice the previous one, at most 10 s.
        clock: in seconds.
        sleep: waits for seconds.
    """

    seconds: float = 60.0
    first_pause: float = 0.5
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


def retried(action: Callable[[], Result], policy: RetryPolicy) -> Result:
    """The result of the action, which is retried while it fails with a temporary error.

    Raises its last error.
    """
    until, pause = policy.clock() + policy.seconds, policy.first_pause
    while True:
        try:
            return action()
        except _LASTING:
            raise
        except Exception as error:
            if type(error).__name__ in _LASTING_NAMES or policy.clock() + pause > until:
                raise
        policy.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
