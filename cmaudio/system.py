"""What the operating system is asked for while a sound card waits: priority, and to take freed memory back."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from contextlib import suppress

_REAL_TIME_PRIORITY = 1  # the least there is: sound servers and their clients stay above
_NICENESS = -11  # what desktop sound servers give themselves


def hurry_this_thread() -> None:
    """Have the calling thread run before ordinary ones, as far as the system grants it: Linux, for now.

    Real-time priority is granted to root and to users with an rtprio limit, whom JACK needs as well. Threads and
    processes that this thread starts do not inherit it.
    """
    if sys.platform == "linux":
        try:
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(_REAL_TIME_PRIORITY))
        except OSError:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)  # of this thread alone


def give_back_freed_memory() -> None:
    """Return what loading freed to the system (45 MB with the embedded instrument); a JACK client locks the rest."""
    with suppress(OSError, AttributeError, TypeError):  # glibc alone has this
        ctypes.CDLL(None).malloc_trim(0)
