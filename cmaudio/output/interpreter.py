"""Interpreter settings for real-time work: the first player to open applies them, the last to close restores them."""

from __future__ import annotations

import gc
import sys
import threading

# Synthesis releases the interpreter lock many times per block; a busy thread must not keep it from getting it back.
SWITCH_INTERVAL_S = 0.00005

_lock = threading.Lock()
_users = 0
_interval_before_s = sys.getswitchinterval()


def enter_real_time() -> None:
    """Shorten the switch interval; balance each call with one of `leave_real_time`."""
    global _users, _interval_before_s
    with _lock:
        if _users == 0:
            _interval_before_s = sys.getswitchinterval()
            sys.setswitchinterval(SWITCH_INTERVAL_S)
        _users += 1


def freeze_garbage() -> None:
    """Collect garbage, and exempt surviving objects from later collections, which then take negligible time."""
    gc.collect()
    gc.freeze()


def leave_real_time() -> None:
    """Undo `enter_real_time` and `freeze_garbage`, unless another player is still open."""
    global _users
    with _lock:
        _users -= 1
        if _users == 0:
            sys.setswitchinterval(_interval_before_s)
            gc.unfreeze()
