"""Clients that vanish, stall, send garbage, or come by the hundred: a clear answer, and the others are unharmed."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest
from fixtures.serving import Running, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.serve.service import ServiceSettings

LONG = "This is a sentence of some length, which is said again and again. " * 30
ASKED = {"model": "english", "input": "Hello.", "response_format": "pcm"}
WAIT_SECONDS = 60
STALL_SECONDS = 0.5
CROWD = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(ServiceSettings(lead_seconds=1000, requests_per_minute=100_000)) as made:
        yield made


def until_idle(server: Running, but: int = 0) -> None:
    """Wait until no stream is left, or at most `but`, which others hear."""
    end = time.monotonic() + WAIT_SECONDS
    while server.service.active > but or len(server.service.batcher.streams) > but:
        assert time.monotonic() < end, "a stream goes on though nobody wants it"
        time.sleep(0.01)


def speaks(server: Running) -> bool:
    return len(httpx.post(f"{server.url}/v1/audio/speech", json=ASKED, timeout=WAIT_SECONDS).content) > 10_000


def connect(server: Running, receive_bytes: int | None = None) -> socket.socket:
    parts = urlsplit(server.url)
    found = socket.socket()
    if receive_bytes is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    found.connect((parts.hostname, parts.port))
    return found


def ask(connection: socket.socket, body: str) -> None:
    head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall((head + body).encode())


def test_a_client_that_vanishes_frees_its_stream(server: Running) -> None:
    connection = connect(server)
    ask(connection, f'{{"model": "english", "input": "{LONG}", "response_format": "pcm"}}')
    assert connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    until_idle(server)
    assert speaks(server)


@contextmanager
def stalling(server: Running) -> Iterator[None]:
    """A client that takes no more than the beginning of its sound, to which the server is less patient than to others:
    on a busy machine they may be late as well."""
    patient = server.service.settings
    server.service.settings = replace(patient, stall_seconds=STALL_SECONDS)
    with connect(server, receive_bytes=4096) as connection:
        ask(connection, f'{{"model": "english", "input": "{LONG}", "response_format": "pcm"}}')
        assert connection.recv(16)
        server.service.settings = patient
        yield


def test_a_client_that_takes_nothing_is_given_up(server: Running) -> None:
    with stalling(server):
        until_idle(server)
    assert speaks(server)


def test_ten_megabytes_of_text_are_refused_before_they_are_read(server: Running) -> None:
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=ASKED | {"input": "a" * 10_000_000})
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"

    def parts() -> Iterator[bytes]:
        for _ in range(40):
            yield b"a" * 2**18

    assert httpx.post(f"{server.url}/v1/audio/speech", content=parts()).status_code == 413
    assert speaks(server)


def vanish(server: Running) -> None:
    connection = connect(server)
    ask(connection, f'{{"model": "english", "input": "{LONG}", "response_format": "pcm"}}')
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stall(server: Running) -> None:
    with stalling(server):
        until_idle(server, but=1)


def send_half(server: Running) -> None:
    for part in (
        b"POST /v1/audio/speech HTTP/1.1\r\nHost: loc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{",
    ):
        with connect(server) as connection:
            connection.sendall(part)


def send_garbage(server: Running) -> None:
    with connect(server) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xff" * 1000)
        connection.recv(4096)


def send_ten_megabytes(server: Running) -> None:
    assert httpx.post(f"{server.url}/v1/audio/speech", json=ASKED | {"input": "a" * 10_000_000}).status_code == 413


def hear(server: Running) -> bytes:
    asked = ASKED | {"input": LONG[:400], "seed": 3}
    return httpx.post(f"{server.url}/v1/audio/speech", json=asked, timeout=WAIT_SECONDS).content


@pytest.fixture(scope="module")
def alone(server: Running) -> bytes:
    """What is heard while nobody else asks."""
    return hear(server)


@pytest.mark.parametrize("fault", [vanish, stall, send_half, send_garbage, send_ten_megabytes])
def test_others_hear_every_sample_meanwhile(server: Running, alone: bytes, fault: Callable[[Running], None]) -> None:
    with ThreadPoolExecutor(1) as listener:
        heard = listener.submit(hear, server)
        while not server.service.active and not heard.done():
            time.sleep(0.001)
        fault(server)
        assert heard.result() == alone
    until_idle(server)


def test_what_is_no_http_is_refused(server: Running) -> None:
    for garbage in (b"\x16\x03\x01\x00\xff\r\n\r\n", b"GET\r\n\r\n", b"\0" * 70_000):
        with connect(server) as connection:
            connection.settimeout(WAIT_SECONDS)
            connection.sendall(garbage)
            answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 4") or answer == b""
    assert speaks(server)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["model", "input", "voice", "speed", "response_format", "seed", "stream_format", "x"]),
                inner,
                max_size=6,
            )
        ),
    )
)
def test_any_json_gets_an_answer(server: Running, content: object) -> None:
    body = {**ASKED, **content} if isinstance(content, dict) else content
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=WAIT_SECONDS)
    assert answer.status_code in (200, 400, 404, 503)


async def one_of_a_crowd(server: Running) -> tuple[int, int, str | None]:
    """Status, bytes of sound and Retry-After of a request on a connection of its own."""
    parts, body = urlsplit(server.url), json.dumps(ASKED)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = f"POST /v1/audio/speech HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head + body).encode())
    told, _, sound = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    fields = dict(line.lower().split(": ", 1) for line in told.decode("latin-1").split("\r\n")[1:])
    return int(told.split()[1]), len(sound), fields.get("retry-after")


def test_of_a_crowd_at_once_each_is_served_whole_or_refused(server: Running) -> None:
    whole = len(httpx.post(f"{server.url}/v1/audio/speech", json=ASKED, timeout=WAIT_SECONDS).content)

    async def crowd() -> list[tuple[int, int, str | None]]:
        return list(await asyncio.gather(*(one_of_a_crowd(server) for _ in range(CROWD))))

    answers = asyncio.run(crowd())
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) <= {200, 429, 503}
    assert statuses[200] >= 1
    assert statuses[503] + statuses[429] >= 1
    assert all(size == whole for status, size, _ in answers if status == 200)
    assert all(retry is not None and int(retry) >= 1 for status, _, retry in answers if status != 200)
    until_idle(server)
