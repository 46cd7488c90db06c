"""Watching the device: a thread that detects when it is lost, and reopens it when it returns."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.output.outlet import LOOK_EVERY_S, Outlet

_RETRY_EVERY_S = 1.0


def watch(outlet: Outlet, wait_for_stop: Callable[[float], bool]) -> None:
    """Keep `outlet` open until `wait_for_stop(seconds)`, which waits at most that long, returns True."""
    while not wait_for_stop(LOOK_EVERY_S):
        if outlet.release_if_dead():
            while not wait_for_stop(_RETRY_EVERY_S):
                if outlet.reopen():
                    break
