"""The connection between the instrument's process and the page's server, a pipe: JSON over loopback TCP, never pickle.

Both ends are alike: one thread reads, one writes, and no sender ever waits for the other side. Messages to the server
are JSON objects. Messages from it are a line that names the sender (a client; empty for the server itself) and
then JSON, so that it can pass on a page's command without parsing it.
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

from cmaudio.callbacks import call_guarded

MAX_MESSAGE_BYTES = 2**20
_MAX_WAITING = 2048  # messages
_DROP_ABOVE, _CROWDED_ABOVE = 64, 1024


def stamped(client: str, body: str) -> bytes:
    """A message from the server's side; `client` is empty for its own messages."""
    return f"{client}\n{body}".encode()


def unstamped(data: bytes) -> tuple[str, bytes]:
    """Client and body of a stamped message."""
    client, _, body = data.partition(b"\n")
    return client.decode(), body


class Pipe:
    """One end of the connection. Messages arrive on a separate thread."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self._outbox: queue.Queue[bytes | None] = queue.Queue(_MAX_WAITING)
        self.closed = threading.Event()

    def start(self, on_message: Callable[[bytes], None], on_end: Callable[[], None] = lambda: None) -> None:
        """Start reading and writing.

        Args:
            on_message: called with the bytes of each message.
            on_end: called once when the connection ends.
        """
        threading.Thread(target=self._write, name="cmaudio-pipe-out", daemon=True).start()
        threading.Thread(target=self._read, args=(on_message, on_end), name="cmaudio-pipe-in", daemon=True).start()

    @property
    def crowded(self) -> bool:
        """Whether commands should be held back since too much is queued; urgent messages still have room."""
        return self._outbox.qsize() > _CROWDED_ABOVE

    def send(self, message: Mapping[str, Any], droppable: bool = False) -> None:
        """Send a JSON object; see `send_bytes`."""
        self.send_bytes(json.dumps(message, separators=(",", ":")).encode(), droppable)

    def send_bytes(self, data: bytes, droppable: bool = False) -> None:
        """Queue a message; a `droppable` one is dropped when the other side is behind.

        If the other side no longer takes anything, the pipe is closed.
        """
        if self.closed.is_set() or (droppable and self._outbox.qsize() > _DROP_ABOVE):
            return
        try:
            self._outbox.put_nowait(data)
        except queue.Full:
            self.close()

    def close(self) -> None:
        """Close the connection, which the other side notices."""
        self.closed.set()
        with suppress(queue.Full):
            self._outbox.put_nowait(None)
        with (
            suppress(OSError, ValueError),
            socket.fromfd(self._connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as wire,
        ):
            wire.shutdown(socket.SHUT_RDWR)  # a mere close has no effect while a thread reads

    def flush_and_close(self, limit_s: float = 1.0) -> None:
        """Close the connection once everything waiting is sent, or after `limit_s`."""
        sent = threading.Thread(target=self._outbox.join, name="cmaudio-pipe-flush", daemon=True)
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
                data = self._connection.recv_bytes(MAX_MESSAGE_BYTES)
                call_guarded(on_message, data)
        except (EOFError, OSError, TypeError):  # TypeError: the connection was closed under a read
            pass
        finally:
            self.close()
            on_end()


class PipeListener:
    """Waits for the server on a loopback port, on the instrument's side; `key` authenticates the server."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=self.key)
        self.port = int(self._listener.address[1])
        self._closed = False

    def accept(self) -> Pipe | None:
        """The next connection that knows the key; None once the listener is closed."""
        while not self._closed:
            try:
                return Pipe(self._listener.accept())
            except (AuthenticationError, EOFError, ConnectionError):
                continue  # some other program on this machine
            except OSError:
                break
        return None

    def close(self) -> None:
        """Accept no more connections; a waiting `accept` returns."""
        self._closed = True
        with suppress(OSError):  # closing a socket does not wake the thread that waits on it, a connection does
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        with suppress(OSError):
            self._listener.close()


def connect(port: int, key: bytes) -> Pipe:
    """Connect from the server's side."""
    return Pipe(Client(("127.0.0.1", port), authkey=key))
