"""The server process: listens, serves until it is stopped, and lets running streams finish first."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cmaudio.errors import CmaudioError
from cmaudio.serve.app import make_app
from cmaudio.serve.guard import LOOPBACK
from cmaudio.serve.keys import Keys
from cmaudio.serve.log import log
from cmaudio.serve.service import Service

_BACKLOG = 1024
_SOCKET_BYTES = 2**17  # of audio queued in each connection; the system would let it grow to some MiB
_KEEP_ALIVE_SECONDS = 15
_PING_SECONDS = 20.0
_LOOK_SECONDS = 0.05
_HEADER_SECONDS = 10.0
_MOST_SOCKET_BYTES, _MOST_SOCKET_MESSAGES = 2**16, 16


@dataclass(frozen=True)
class Address:
    """Where to serve; port 0 takes a free one. `certificate` and `key` are files in PEM, for TLS."""

    host: str = "127.0.0.1"
    port: int = 8880
    certificate: Path | None = None
    key: Path | None = None


def check_access(address: Address, keys: Keys | None) -> None:
    """Raises CmaudioError if other machines could use the server without a key."""
    if address.host not in LOOPBACK and keys is None:
        raise CmaudioError(
            f"other machines can reach {address.host}: give --keys FILE, with a line for each client from "
            "`cmaudio serve --new-key NAME`"
        )


def listening_socket(address: Address) -> socket.socket:
    """A listening socket. Raises CmaudioError if the port is taken or the address is not local."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        bound = socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CmaudioError(
            f"{address.host} port {address.port} cannot be served ({error.strerror}): choose another --host or --port, "
            "or close the program that uses it"
        ) from error
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
    return bound


class _PatientProtocol(H11Protocol):
    """Closes connections whose first request does not start within some time."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(_HEADER_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def _give_up(self) -> None:
        cycle: object = self.cycle  # None before the first request
        if cycle is None:
            self.transport.close()


class Server(uvicorn.Server):
    """A server that on SIGTERM or SIGINT refuses new streams, and ends when running ones have finished.

    A second signal ends it immediately.

    Args:
        config: of uvicorn.
        service: the service.
        drain_seconds: maximum time to wait.
        wyoming: a listening socket for the Wyoming protocol.
    """

    def __init__(
        self, config: uvicorn.Config, service: Service, drain_seconds: float, wyoming: socket.socket | None = None
    ) -> None:
        super().__init__(config)
        self._wyoming = wyoming
        self._service, self._drain_seconds = service, drain_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._wyoming is not None:
            from cmaudio.serve.wyoming import serve_wyoming

            await serve_wyoming(self._service, self._wyoming)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.draining:
            self.should_exit = self.force_exit = True
            return
        self._service.draining = True
        threading.Thread(target=self._drain, name="cmaudio-drain", daemon=True).start()

    def _drain(self) -> None:
        log("draining", streams=self._service.active)
        until = time.monotonic() + self._drain_seconds
        while (self._service.active or self._unsent) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        log("ending", streams=self._service.active)
        self.should_exit = True

    @property
    def _unsent(self) -> int:
        """Buffered bytes that clients have not read yet, such as those who read at the pace of playback."""
        return sum(each.transport.get_write_buffer_size() for each in tuple(self.server_state.connections))


def make_server(
    service: Service,
    keys: Keys | None = None,
    address: Address | None = None,
    drain_seconds: float = 30.0,
    wyoming: socket.socket | None = None,
) -> Server:
    """A server of the service; `run(sockets=[...])` serves, also over Wyoming if it is given a socket for it.

    Raises CmaudioError for unusable TLS files.
    """
    where = address or Address()
    config = uvicorn.Config(
        make_app(service, keys),
        http=_PatientProtocol,
        log_level=logging.CRITICAL,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        server_header=False,
        ws_max_size=_MOST_SOCKET_BYTES,
        ws_max_queue=_MOST_SOCKET_MESSAGES,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,
        ssl_certfile=where.certificate,
        ssl_keyfile=where.key,
    )
    try:
        config.load()
    except OSError as error:  # includes ssl.SSLError
        raise CmaudioError(
            f"{where.certificate} and {where.key} cannot be used ({error.strerror or error}): give a certificate and "
            "its key in PEM"
        ) from error
    return Server(config, service, drain_seconds, wyoming)


def serve_on(server: Server, bound: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    _allow_many_files()
    server.run(sockets=[bound])


def _allow_many_files() -> None:
    """Each connection needs a file; raise the limit as far as the system allows."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
