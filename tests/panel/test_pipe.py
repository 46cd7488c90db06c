"""The connection between the instrument and the panel's server."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable

import pytest

from cmaudio.panel.pipe import Pipe, PipeListener, connect

PATIENCE = 20.0  # s, for what happens at once


def _accepting(listener: PipeListener) -> tuple[threading.Thread, list[object]]:
    """A thread that waits for a connection, and what it has got."""
    got: list[object] = []
    thread = threading.Thread(target=lambda: got.append(listener.accept()))
    thread.start()
    return thread, got


def _stranger(listener: PipeListener) -> None:
    """A program that connects and says nothing that is known."""
    with socket.create_connection(("127.0.0.1", listener.port), PATIENCE) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")


def _nobody(listener: PipeListener) -> None:
    """No program connects."""


@pytest.mark.parametrize("before", [_nobody, _stranger])
def test_a_closed_listener_lets_its_waiting_thread_go(before: Callable[[PipeListener], None]) -> None:
    listener = PipeListener()
    thread, got = _accepting(listener)
    before(listener)
    listener.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert got == [None]


def test_a_server_that_knows_the_key_is_accepted() -> None:
    listener = PipeListener()
    thread, got = _accepting(listener)
    pipe = connect(listener.port, listener.key)
    thread.join(PATIENCE)
    assert got[0] is not None
    pipe.close()
    listener.close()


def test_a_message_that_fails_does_not_end_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: reported.append(error[0]))
    listener, received, done = PipeListener(), list[bytes](), threading.Event()
    thread, got = _accepting(listener)
    far = connect(listener.port, listener.key)
    thread.join(PATIENCE)
    near = got[0]
    assert isinstance(near, Pipe)

    def take(data: bytes) -> None:
        received.append(data)
        if data == b"bad":
            raise TypeError("not of this kind")
        done.set()

    near.start(take)
    far.start(lambda data: None)
    far.send_bytes(b"bad")
    far.send_bytes(b"good")
    assert done.wait(PATIENCE)
    assert received == [b"bad", b"good"]
    assert reported == [TypeError]
    far.close()
    near.close()
    listener.close()
