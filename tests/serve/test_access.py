"""Who is served, what the server says of itself, and how it ends."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import uvicorn
from fixtures.serving import Running, running
from fixtures.waiting import wait_for
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.serve.guard import Guard
from cmaudio.serve.keys import add_key, read_keys
from cmaudio.serve.limits import Limits
from cmaudio.serve.log import log_to_stderr
from cmaudio.serve.metrics import Metrics
from cmaudio.serve.server import Server
from cmaudio.serve.service import Service, ServiceSettings

SECRET = "The secret text of a client."
ASKED = {"model": "english", "input": SECRET, "response_format": "pcm"}
LONG = "This is a sentence of some length, which is said again and again. " * 5
SOCKET_BYTES = 2**16
WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    """A server for one client, and its key."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    key = add_key(path, "ada")
    with running(ServiceSettings(streams_per_client=1), read_keys(path)) as server:
        yield server, key


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic KEY", "Bearer KEYx", "Bearer \xff"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/audio/voices", "/metrics", "/nothing"])
def test_without_a_key_nothing_is_served(guarded: tuple[Running, str], header: str, path: str) -> None:
    server, key = guarded
    given = header.replace("KEY", key).encode("latin-1")
    answer = httpx.get(f"{server.url}{path}", headers=[(b"authorization", given)])
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_with_a_key_all_is_served(guarded: tuple[Running, str]) -> None:
    server, key = guarded
    headers = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 200
    assert httpx.post(f"{server.url}/v1/audio/speech", headers=headers, json=ASKED, timeout=60).status_code == 200


def test_a_client_has_its_streams_and_no_more(guarded: tuple[Running, str]) -> None:
    server, key = guarded
    headers = {"authorization": f"Bearer {key}"}
    with httpx.stream(
        "POST", f"{server.url}/v1/audio/speech", headers=headers, json=ASKED | {"input": 12 * LONG}, timeout=60
    ) as first:
        assert first.status_code == 200, first.read()
        parts = first.iter_bytes()  # kept, since it closes the connection when it goes
        next(parts)
        second = httpx.post(f"{server.url}/v1/audio/speech", headers=headers, json=ASKED, timeout=60)
    assert second.status_code == 429
    assert second.json()["error"]["code"] == "too_many_streams"


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"host": "[::"}])
def test_pages_of_other_sites_are_refused(english: Running, headers: dict[str, str]) -> None:
    assert httpx.get(f"{english.url}/v1/models", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("client", "status"), [(("10.0.0.5", 4), 403), (("127.0.0.1", 4), 200), (("::1", 4), 200), (None, 200)]
)
def test_without_keys_only_this_machine_is_served(client: tuple[str, int] | None, status: int) -> None:
    guard = Guard(JSONResponse({}), None, Limits(), Metrics(lambda: 0, lambda: 0))
    transport = httpx.ASGITransport(guard, client=client)  # type: ignore[arg-type]

    async def ask() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            return (await asking.get("/v1/models")).status_code

    assert asyncio.run(ask()) == status


def test_health_and_readiness_need_no_key(guarded: tuple[Running, str]) -> None:
    server, _ = guarded
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{server.url}/ready").json()
    assert ready["status"] == "ready"
    assert ready["capacity"]["english"] >= 1


def test_metrics_count_answers_and_sound(english: Running) -> None:
    assert httpx.post(f"{english.url}/v1/audio/speech", json=ASKED, timeout=60).status_code == 200
    assert httpx.post(f"{english.url}/v1/audio/speech", json={}).status_code == 400
    text = httpx.get(f"{english.url}/metrics").text
    for line in (
        'cmaudio_requests_total{route="/v1/audio/speech",status="400"} ',
        "cmaudio_first_audio_seconds_count ",
    ):
        assert line in text
    sound = next(line for line in text.splitlines() if line.startswith("cmaudio_audio_seconds_total{"))
    assert float(sound.split()[-1]) > 1


def test_the_log_holds_neither_texts_nor_keys(guarded: tuple[Running, str], caplog: pytest.LogCaptureFixture) -> None:
    server, key = guarded
    with caplog.at_level(logging.INFO, "cmaudio.serve"):
        headers = {"authorization": f"Bearer {key}"}
        httpx.post(f"{server.url}/v1/audio/speech?key={key}", headers=headers, json=ASKED, timeout=60)
        httpx.post(f"{server.url}/v1/audio/speech", headers=headers, json=ASKED | {"model": SECRET}, timeout=60)
        httpx.get(f"{server.url}/{key}", headers={"authorization": f"Bearer {key}x"})
    rows = [vars(record)["details"] for record in caplog.records]
    assert [row["client"] for row in rows if "client" in row] == ["ada", "ada"]
    assert rows[0]["letters"] == len(SECRET)
    assert [row.get("refused") for row in rows] == [None, "model_not_found", "invalid_api_key"]
    assert not any(part in json.dumps(rows) for part in (SECRET, key))


def test_log_lines_are_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from cmaudio.serve.log import log

    logger = logging.getLogger("cmaudio.serve")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", True)
    log_to_stderr()
    log("request", status=200)
    try:
        raise ValueError("x")
    except ValueError as error:
        log("fault", logging.ERROR, error)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["event"], first["level"], first["status"]) == ("request", "info", 200)
    assert "ValueError: x" in second["error"]


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_sigterm_lets_what_sounds_end_and_refuses_the_rest() -> None:
    command = [sys.executable, "-m", "cmaudio.cli", "serve", "--port", "0", "--workers", "1", "--lead", "1000"]
    command += ["--drain", str(WAIT_SECONDS)]
    # What this client does not take waits in the server: the stream lasts until it is taken.
    slow = httpx.HTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BYTES)])
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        url = server.stdout.readline().split(" at ")[1].split("/v1")[0]
        with (
            httpx.Client(transport=slow, timeout=WAIT_SECONDS) as client,
            client.stream("POST", f"{url}/v1/audio/speech", json=ASKED | {"input": LONG}) as response,
        ):
            parts = response.iter_bytes()
            got = len(next(parts))
            server.send_signal(signal.SIGTERM)
            assert "draining" in server.stderr.readline()
            assert httpx.get(f"{url}/ready").status_code == 503
            refused = httpx.post(f"{url}/v1/audio/speech", json=ASKED)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "draining")
            got += sum(len(part) for part in parts)  # raises if it is cut off
        rest = threading.Thread(target=server.stderr.read)
        rest.start()
        assert server.wait(WAIT_SECONDS) in (0, -signal.SIGTERM)
        rest.join()
    assert got > 24_000 * 2 * 10


class SlowConnection:
    """Of a client that takes what was sent to it little by little."""

    def __init__(self, *unsent: int) -> None:
        self.unsent = list(unsent)

    @property
    def transport(self) -> SlowConnection:
        return self

    def get_write_buffer_size(self) -> int:
        return self.unsent.pop(0)


def test_the_server_ends_when_clients_have_taken_the_last_sound() -> None:
    service = SimpleNamespace(draining=False, active=0)
    server = Server(uvicorn.Config(JSONResponse({})), cast("Service", service), WAIT_SECONDS)
    connection = SlowConnection(3, 2, 1, 0)
    server.server_state.connections.add(cast("Any", connection))
    server.handle_exit(signal.SIGTERM, None)
    wait_for(lambda: server.should_exit, WAIT_SECONDS)
    assert connection.unsent == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "--keys FILE"),
        (["--model", "klingon"], "klingon"),
        (["--model", "english", "--model", "english"], "two models are called 'english'"),
        (["--keys", "missing.txt"], "missing.txt"),
        (["--tls-certificate", "missing.pem", "--tls-key", "missing.pem"], "missing.pem"),
        (["--new-key", "a b"], "cannot name a client"),
    ],
)
def test_mistakes_at_the_start_are_told_and_leave_nothing_behind(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(threading.enumerate())
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--workers", "1", *arguments])
    assert says in str(result.exception)
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("cmaudio-serve")]


def test_a_new_key_is_printed_once(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    result = CliRunner().invoke(app, ["serve", "--keys", str(path), "--new-key", "ada"])
    assert read_keys(path).client(result.stdout.strip()) == "ada"


def test_the_lifespan_of_a_server_reaches_the_application() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing() -> Message:
        return {}

    async def ignore(message: Message) -> None:
        pass

    guard = Guard(inner, None, Limits(), Metrics(lambda: 0, lambda: 0))
    asyncio.run(guard({"type": "lifespan"}, nothing, ignore))
    assert seen == ["lifespan"]
