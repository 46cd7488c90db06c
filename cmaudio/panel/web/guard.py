"""Access control of the server: runs before anything else sees a request, including web sockets and static files.

On the loopback interface the Host header must name it, so that no web page can reach the panel under its own domain
(DNS rebinding); elsewhere a token is required. An Origin header must match the panel's page.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from cmaudio.panel.reach import LOOPBACK

COOKIE = "cmaudio-panel"


class Guard:
    """ASGI middleware; a valid token in the address is kept in a cookie.

    Args:
        app: the application to guard.
        host: the address it is served at.
        token: that clients must present; None for no token.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app, self._token = app, token
        self._names = {*LOOPBACK, host} if host in LOOPBACK else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        reason = self.refusal(headers, given)
        if reason:
            if scope["type"] == "websocket":
                return await send({"type": "websocket.close", "code": 1008, "reason": reason})  # before accepting it
            return await PlainTextResponse(reason, 403)(scope, receive, send)
        if self._token is not None and given and scope["type"] == "http" and scope["path"] == "/":
            response = RedirectResponse("/", 303)  # keeps the token out of the address bar, the history and logs
            response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return await response(scope, receive, send)
        return await self._app(scope, receive, send)

    def refusal(self, headers: Mapping[str, str], given: str) -> str:
        """Why a request is refused, empty if it is not.

        Args:
            headers: by lower-case name.
            given: the token in the address.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._names is not None and _name(host) not in self._names:
            return f"{host[:100]!r} is not the panel's address: open it as 127.0.0.1 or localhost"
        if origin is not None and _netloc(origin) != host:
            return "only the panel's own page may use it"
        if self._token is not None and not any(self._is_token(each) for each in (given, _cookie(headers))):
            return "the token is missing or wrong: open the complete address that `cmaudio panel` printed"
        return ""

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), (self._token or "").encode())


def _name(host: str) -> str:
    """Host of a Host header, without the port; empty if it is malformed."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str | None:
    """Host and port of an Origin header; None if it is malformed."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _cookie(headers: Mapping[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
