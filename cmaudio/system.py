"""Requests to the operating system while audio is running: thread priority, and returning freed memory."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_REAL_TIME_PRIORITY = 1  # the lowest: sound servers and their clients stay above
_NICENESS = -11  # what desktop sound servers use for themselves


def raise_thread_priority() -> None:
    """Raise the priority of the calling thread, as far as the system allows; only on Linux so far.

    Real-time priority is granted to root and to users with an rtprio limit, which JACK needs too. Threads and
    processes that this thread starts do not inherit it.
    """
    if sys.platform == "linux":
        try:
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(_REAL_TIME_PRIORITY))
        except OSError:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)  # of this thread alone


def trim_freed_memory() -> None:
    """Return memory freed after loading (45 MB with the embedded instrument); a JACK client locks the rest."""
    with suppress(OSError, AttributeError, TypeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)
