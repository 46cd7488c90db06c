"""What waits to be executed: as it came, and a panic soon, whatever came before it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cmaudio.osc.inbox import Inbox
from cmaudio.osc.packets import encode

PANIC = encode("/cmaudio/panic")


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening, socket.socket(type=socket.SOCK_DGRAM) as client:
        listening.bind(("127.0.0.1", 0))
        client.connect(listening.getsockname())
        yield listening, client


def arrived(inbox: Inbox) -> list[bytes]:
    found = []
    while (item := inbox.next()) is not None:
        found.append(item[0])
    return found


def read(inbox: Inbox, client: socket.socket, *datagrams: bytes) -> None:
    for datagram in datagrams:
        client.send(datagram)
        before = len(inbox), inbox.dropped
        while (len(inbox), inbox.dropped) == before:
            inbox.read(1.0)


def note(number: int) -> bytes:
    return encode("/cmaudio/note", number % 128, 90.0)


CASES = {
    "in order": (10, [], 10, 0),
    "a panic after a few": (50, [PANIC], 51, 0),
    "a panic after a flood": (51, [PANIC], 1, 51),
    "what follows a panic": (60, [PANIC, note(1), note(2)], 3, 60),
    "a panic inside a bundle": (60, [b"#bundle\0" + PANIC], 61, 0),
    "the oldest of too many": (4100, [], 4000, 100),
    "too many bytes": (10, [b"x" * 8000] * 1200, 1048, 162),
}


@pytest.mark.parametrize(("notes", "then", "left", "dropped"), CASES.values(), ids=CASES)
def test_what_waits(
    sockets: tuple[socket.socket, socket.socket], notes: int, then: list[bytes], left: int, dropped: int
) -> None:
    listening, client = sockets
    inbox = Inbox(listening)
    sent = [note(number) for number in range(notes)] + then
    read(inbox, client, *sent)
    assert inbox.dropped == dropped
    assert arrived(inbox) == sent[-left:]
    assert len(inbox) == 0


def test_nothing_arrives(sockets: tuple[socket.socket, socket.socket]) -> None:
    inbox = Inbox(sockets[0])
    inbox.read(0.001)
    assert inbox.next() is None
