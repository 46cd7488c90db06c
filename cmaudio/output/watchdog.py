"""Watching the device: a thread that notices when it vanishes, and opens it again when it is back."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.output.outlet import LOOK_EVERY_S, Outlet

_RETRY_EVERY_S = 1.0


def watch(outlet: Outlet, wait_for_stop: Callable[[float], bool]) -> None:
    """Keep `outlet` open until `wait_for_stop(seconds)`, which waits so long at most, returns True."""
    while not wait_for_stop(LOOK_EVERY_S):
        if outlet.let_go_if_dead():
            while not wait_for_stop(_RETRY_EVERY_S):
                if outlet.reopen():
                    break
