"""Notices of problems, delivered on their own thread so that a slow listener delays nothing else."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable

from cmaudio.callbacks import call_guarded

_REMEMBERED = 16


class Notices:
    """Delivers notices in order, and remembers the last ones. An error of the listener goes to `sys.excepthook`."""

    def __init__(self, on_notice: Callable[[str], None] | None) -> None:
        self._on_notice = on_notice
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self._undelivered: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def recent(self) -> tuple[str, ...]:
        """The last notices, oldest first."""
        return tuple(self._recent)

    def add(self, text: str) -> None:
        """Queue a notice; from any thread."""
        self._recent.append(text)
        self._undelivered.put(text)

    def start(self) -> None:
        """Start delivering."""
        self._thread = threading.Thread(target=self._deliver, name="cmaudio-notices", daemon=True)
        self._thread.start()

    def close(self, limit_s: float) -> None:
        """Deliver what is queued and end, waiting no longer than `limit_s`."""
        self._undelivered.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(limit_s)

    def _deliver(self) -> None:
        while (text := self._undelivered.get()) is not None:
            if self._on_notice is not None:
                call_guarded(self._on_notice, text)
