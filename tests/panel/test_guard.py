"""Who may use the server: names and origins on the loopback interface, tokens elsewhere."""

from __future__ import annotations

import pytest

pytest.importorskip("starlette")

from fixtures.panel import is_refused, status

from cmaudio.panel.web.guard import COOKIE, Guard

HERE = "127.0.0.1:8765"
ROUTES = ("/", "/panel/main.js", "/files/any.wav", "/_nicegui_ws/socket.io/?EIO=4&transport=polling", "/no/such")
SOCKETS = ("/live?client=me", "/listen", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket")


def guard(host: str, token: str | None) -> Guard:
    async def app(scope: object, receive: object, send: object) -> None: ...

    return Guard(app, host, token)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"host": HERE}, ""),
        ({"host": "localhost:8765"}, ""),
        ({"host": "[::1]:8765"}, ""),
        ({"host": HERE, "origin": f"http://{HERE}"}, ""),
        ({"host": "evil.example"}, "not the panel's address"),
        ({"host": "[::1"}, "not the panel's address"),
        ({}, "not the panel's address"),
        ({"host": HERE, "origin": "http://evil.example"}, "own page"),
        ({"host": HERE, "origin": "http://127.0.0.1:9999"}, "own page"),
        ({"host": HERE, "origin": "null"}, "own page"),
        ({"host": HERE, "origin": ""}, "own page"),
        ({"host": HERE, "origin": "http://[::1"}, "own page"),
        ({"host": HERE, "origin": "http://[not-an-address]:80"}, "own page"),
        ({"host": HERE, "origin": "http://\uff0e\u2100/"}, "own page"),
    ],
)
def test_on_the_loopback_interface_names_and_origins_must_be_the_panels(headers: dict[str, str], reason: str) -> None:
    found = guard("127.0.0.1", None).refusal(headers, "")
    assert reason in found
    assert bool(reason) == bool(found)


@pytest.mark.parametrize(
    ("given", "cookie", "allowed"),
    [
        ("s3cret", "", True),
        ("", f"{COOKIE}=s3cret", True),
        ("wrong", f"{COOKIE}=s3cret", True),
        ("", "", False),
        ("s3cre", "", False),
        ("é\ud800", "", False),
        ("", f"{COOKIE}=wrong", False),
        ("", "\x00;;=;", False),
    ],
)
def test_elsewhere_the_token_is_required(given: str, cookie: str, allowed: bool) -> None:
    refusal = guard("0.0.0.0", "s3cret").refusal({"host": "studio.local:8765", "cookie": cookie}, given)
    assert ("token" in refusal) != allowed


def test_without_the_token_nothing_is_served(guarded: object) -> None:
    for headers in ({}, {"Cookie": f"{COOKIE}=wrong"}):
        assert {status(guarded, path, **headers) for path in ROUTES} == {403}
        assert all(is_refused(guarded, path, **headers) for path in SOCKETS)
    assert status(guarded, "/?token=s3cre") == 403
    assert is_refused(guarded, "/live?client=me&token=%C3%A9")


def test_with_the_token_everything_is_served(guarded: object) -> None:
    assert status(guarded, "/panel/main.js", Cookie=f"{COOKIE}=s3cret") == 200
    assert status(guarded, "/panel/main.js?token=s3cret") == 200
    assert status(guarded, "/", Cookie=f"{COOKIE}=s3cret") == 200


def test_a_foreign_or_malformed_origin_is_refused(guarded: object) -> None:
    for origin in ("http://evil.example", "http://[::1"):
        assert status(guarded, "/panel/main.js?token=s3cret", Origin=origin) == 403
        assert is_refused(guarded, "/live?client=me&token=s3cret", Origin=origin)
