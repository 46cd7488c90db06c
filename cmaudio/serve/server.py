"""The server process: listens, serves until it is told to end."""

from __future__ import annotations

import socket
from dataclasses import dataclass

import uvicorn

from cmaudio.errors import CmaudioError
from cmaudio.serve.app import make_app
from cmaudio.serve.service import Service

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 15


@dataclass(frozen=True)
class Address:
    """Where to serve; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8880


def listening_socket(address: Address) -> socket.socket:
    """A listening socket. Raises CmaudioError if the port is taken or the address is not local."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CmaudioError(
            f"{address.host} port {address.port} cannot be served ({error.strerror}): choose another --host or --port, "
            "or close the program that uses it"
        ) from error


def make_server(service: Service) -> uvicorn.Server:
    """A server of the service; `run(sockets=[...])` serves."""
    config = uvicorn.Config(
        make_app(service),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        server_header=False,
    )
    return uvicorn.Server(config)


def serve_on(service: Service, bound: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    try:
        make_server(service).run(sockets=[bound])
    finally:
        service.close()
