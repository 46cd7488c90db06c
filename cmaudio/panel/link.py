"""The wire between the engine's process and the page's server: JSON objects over a loopback connection, never pickle.

Both ends are the same: one thread reads, one writes, and whoever sends never waits for the other side.
"""

from __future__ import annotations

import json
import queue
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

Message = Mapping[str, Any]
MAX_MESSAGE_BYTES = 2**20
_WAITING = 2048  # messages that may wait for a slow other side
_DROPPED_ABOVE = 64


class Link:
    """One end of it. Messages arrive on a thread of its own."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._outbox: queue.Queue[bytes | None] = queue.Queue(_WAITING)
        self.closed = threading.Event()

    def start(self, on_message: Callable[[bytes], None], on_end: Callable[[], None] = lambda: None) -> None:
        """Begin to read and write: `on_message` gets the bytes of each message, `on_end` is called once at the end."""
        threading.Thread(target=self._write, name="cmaudio-link-out", daemon=True).start()
        threading.Thread(target=self._read, args=(on_message, on_end), name="cmaudio-link-in", daemon=True).start()

    def send(self, message: Message, droppable: bool = False) -> None:
        """Hand a message over; a `droppable` one is left out where the other side is behind.

        An other side that takes nothing at all any more is given up.
        """
        if self.closed.is_set() or (droppable and self._outbox.qsize() > _DROPPED_ABOVE):
            return
        try:
            self._outbox.put_nowait(json.dumps(message, separators=(",", ":")).encode())
        except queue.Full:
            self.close()

    def close(self) -> None:
        """End it; the other side is told by the connection's end."""
        self.closed.set()
        with suppress(queue.Full):
            self._outbox.put_nowait(None)
        with (
            suppress(OSError, ValueError),
            socket.fromfd(self._connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire,
        ):
            wire.shutdown(socket.SHUT_RDWR)  # a thread that is reading would keep a mere close from taking effect

    def flush_and_close(self, limit_s: float = 1.0) -> None:
        """End it when what was sent is on its way."""
        sent = threading.Thread(target=self._outbox.join, name="cmaudio-link-flush", daemon=True)
        sent.start()
        sent.join(limit_s)
        self.close()

    def _write(self) -> None:
        while (data := self._outbox.get()) is not None:
            try:
                self._connection.send_bytes(data)
            except (OSError, ValueError):
                break
            finally:
                self._outbox.task_done()
        self.close()

    def _read(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        try:
            while True:
                on_message(self._connection.recv_bytes(MAX_MESSAGE_BYTES))
        except (EOFError, OSError, TypeError):  # a connection closed under a read raises the last
            pass
        finally:
            self.close()
            on_end()


class LinkListener:
    """The engine's side, waiting for the server: a loopback port and the key that opens it."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=self.key)
        self.port = int(self._listener.address[1])
        self._closed = False

    def accept(self) -> Link | None:
        """The next that knows the key; None once the door is closed."""
        while not self._closed:
            try:
                return Link(self._listener.accept())
            except (AuthenticationError, EOFError, ConnectionError):
                continue  # a stranger on the same machine
            except OSError:
                break
        return None

    def close(self) -> None:
        """Let nobody in any more."""
        self._closed = True
        with suppress(OSError):
            self._listener.close()


def connect(port: int, key: bytes) -> Link:
    """The server's side."""
    return Link(Client(("127.0.0.1", port), authkey=key))
