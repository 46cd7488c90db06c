"""The watchdog: a thread that detects when the device is lost, and reopens it when it returns."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.faults import Faults
from cmaudio.output.outlet import LOOK_EVERY_S, Outlet

_FIRST_RETRY_S, _LAST_RETRY_S, _LATER = 0.5, 5.0, 1.5  # each retry scans all devices


def watch(outlet: Outlet, wait_for_stop: Callable[[float], bool], faults: Faults) -> None:
    """Keep `outlet` open until `wait_for_stop(seconds)`, which waits at most that long, returns True."""
    while not wait_for_stop(LOOK_EVERY_S):
        if faults.attempt("the device could not be checked", outlet.release_if_dead):
            pause_s = _FIRST_RETRY_S
            while not wait_for_stop(pause_s) and not faults.attempt("the device could not be opened", outlet.reopen):
                pause_s = min(_LATER * pause_s, _LAST_RETRY_S)
