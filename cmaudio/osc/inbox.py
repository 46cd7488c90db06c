"""Arrived datagrams, read at once so that the system's buffer does not fill up while messages are executed.

When its buffer is full, the system drops the newest datagrams, even a panic. Here the oldest are dropped, and a panic
drops a long queue before it.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from typing import Any

from cmaudio.osc.addresses import ROOT

BUFFER_BYTES = 2**20
_PANIC = f"{ROOT}/panic\0".encode()
_MOST = 4000
_MOST_BYTES = 2**23
_BEFORE_PANIC = 50  # datagrams that are still executed before a panic; they take some milliseconds
_AT_ONCE = 500  # read between two executions, so that a flood cannot keep the server from executing


class Inbox:
    """Reads a bound UDP socket.

    Attributes:
        dropped: datagrams that were dropped because too many waited.
    """

    def __init__(self, listening: socket.socket) -> None:
        self._socket = listening
        self._waiting: deque[tuple[bytes, Any]] = deque()
        self._bytes = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def read(self, wait: float) -> None:
        """Read arrived datagrams; if none waits here, wait up to `wait` seconds for the next one."""
        with suppress(OSError):  # a timeout; or, on Windows, an earlier reply that could not be delivered
            self._socket.settimeout(0.0 if self._waiting else wait)
            for _ in range(_AT_ONCE):
                self._add(*self._socket.recvfrom(2**16))
                self._socket.settimeout(0.0)

    def next(self) -> tuple[bytes, Any] | None:
        """The datagram that has waited longest and its sender; None if none waits."""
        if not self._waiting:
            return None
        datagram, peer = self._waiting.popleft()
        self._bytes -= len(datagram)
        return datagram, peer

    def _add(self, datagram: bytes, peer: Any) -> None:
        if datagram.startswith(_PANIC) and len(self._waiting) > _BEFORE_PANIC:
            self.dropped += len(self._waiting)
            self._waiting.clear()
            self._bytes = 0
        self._waiting.append((datagram, peer))
        self._bytes += len(datagram)
        while len(self._waiting) > _MOST or self._bytes > _MOST_BYTES:
            self.next()
            self.dropped += 1
