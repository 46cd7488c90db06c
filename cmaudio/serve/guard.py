"""Access control and rate limits: run before anything else sees a request; each response is logged.

Without keys only this machine is served: the connection must come from it, the Host header must name the loopback
interface, and an Origin header must be its own, so that no page in a browser can use the server under its own domain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cmaudio.serve.failure import Failure
from cmaudio.serve.keys import Keys
from cmaudio.serve.limits import Limits
from cmaudio.serve.log import log
from cmaudio.serve.metrics import Metrics

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_UNIX_SOCKET = "unix socket"
_OPEN = ("/health", "/ready")  # for monitoring
_ROUTES = ("/v1/audio/speech", "/v1/audio/stream", "/v1/audio/voices", "/v1/models", "/metrics", *_OPEN)


class Guard:
    """ASGI middleware; it leaves the client's name in the scope, under "client_name".

    Args:
        app: the application to guard.
        keys: of the clients; None admits everybody.
        limits: of each client.
        metrics: counts the responses.
    """

    def __init__(self, app: ASGIApp, keys: Keys | None, limits: Limits, metrics: Metrics) -> None:
        self._app, self._keys, self._limits, self._metrics = app, keys, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # sent by some servers at start and end
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500
        details: dict[str, Any] = {}
        scope["details"] = details  # for the log, filled in by the route

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close" and status == 500:
                status = 403
            await send(message)

        try:
            await self._serve(scope, receive, watched, details)
        except Exception as error:
            log("fault", logging.ERROR, error)
        finally:
            route = next((r for r in _ROUTES if scope["path"].startswith(r)), "other")
            self._metrics.answered(route, status)
            if route not in _OPEN:
                seconds = round(time.monotonic() - started, 3)
                log("request", route=route, status=status, seconds=seconds, **details)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, details: dict[str, Any]) -> None:
        try:
            if scope["path"] not in _OPEN:
                name = scope["client_name"] = details["client"] = self._admit(scope)
                self._limits.request(name, time.monotonic())
        except Failure as failure:
            details["refused"] = failure.code
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": failure.message[:120]})
            else:
                await failure.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> str:
        """The name of the client. Raises Failure for one that may not use the server."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self._keys is not None:
            return self._named(self._keys, headers)
        client = str((scope.get("client") or (_UNIX_SOCKET,))[0])
        if client not in (*LOOPBACK, _UNIX_SOCKET):
            raise Failure(403, "only this machine is served: other machines need a key, and the server keys", "no_keys")
        host = headers.get("host", "")
        if _hostname(f"//{host}") not in LOOPBACK:
            raise Failure(403, f"{host[:100]!r} is not this server: ask for 127.0.0.1 or localhost", "wrong_host")
        origin = headers.get("origin")
        if origin is not None and _hostname(origin) not in LOOPBACK:
            raise Failure(403, "pages of other sites may not use this server", "wrong_origin")
        return client

    @staticmethod
    def _named(keys: Keys, headers: Mapping[str, str]) -> str:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        name = keys.client(key.strip()) if scheme.lower() == "bearer" else None
        if name is None:
            raise Failure(401, "the API key is missing or wrong: send 'Authorization: Bearer KEY'", "invalid_api_key")
        return name


def _hostname(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
