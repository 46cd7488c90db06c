"""The server as a deployment of Ray Serve: `cmaudio serve --deployment FILE` writes the file that names `application`.

Each replica is a process that runs the application of `cmaudio serve`. Ray routes requests to replicas, forwards their
streams, scales their number with the requests, and stops them when their streams have ended.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from ray import serve
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cmaudio.errors import CmaudioError
from cmaudio.parallel.versions import differences, versions
from cmaudio.serve.app import make_app
from cmaudio.serve.deployment import NAME, DeploymentSettings, read_settings
from cmaudio.serve.keys import Keys
from cmaudio.serve.log import log_to_stderr
from cmaudio.serve.service import Service


class Replica:
    """The service in a replica process.

    Args:
        settings: of the server.
        expected: versions of the machine that deployed it.

    Raises:
        CmaudioError: the versions of this machine differ, or a model cannot be loaded.
    """

    app: ASGIApp
    """Of the one replica of this process."""

    def __init__(self, settings: DeploymentSettings, expected: dict[str, str]) -> None:
        if differs := differences(expected, versions(preparing=False)):
            raise CmaudioError(
                f"{socket.gethostname()} has {differs}: install the same versions on all machines of the cluster; "
                "until then it serves no requests"
            )
        log_to_stderr()
        self._service = Service(settings.service)
        keys = Keys(settings.keys) if settings.keys else None
        Replica.app = _Named(make_app(self._service, keys), serve.get_replica_context().replica_id.unique_id)

    def check_health(self) -> None:
        """Called by Ray, which replaces the replica if this raises."""
        if self._service.status == "failed":
            raise CmaudioError("a synthesis thread has died; see the log of the replica")

    def __del__(self) -> None:
        """Called by Ray when all streams have ended, or the shutdown timeout has passed."""
        if hasattr(self, "_service"):
            self._service.close()


class _Named:
    """ASGI middleware that names the replica in the header X-Replica."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app, self._header = app, (b"x-replica", name.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*message.get("headers", []), self._header]
            await send(message)

        await self._app(scope, receive, named)


def _app() -> ASGIApp:
    return Replica.app


def application(args: Mapping[str, Any]) -> Any:
    """The application of a deployment file.

    Args:
        args: see `DeploymentSettings`.

    Raises:
        CmaudioError: see `read_settings`.
    """
    return deployed(read_settings(args), versions(preparing=False))


def deployed(settings: DeploymentSettings, expected: dict[str, str]) -> Any:
    """The application of Ray Serve whose replicas are made with these arguments."""
    replica = serve.deployment(
        serve.ingress(_app)(Replica), name=NAME, ray_actor_options={"num_cpus": settings.workers}
    )
    return replica.bind(settings, expected)
