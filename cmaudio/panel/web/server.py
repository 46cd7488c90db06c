"""The page's server, a process of its own: `python -m cmaudio.panel.web.server`, started by `cmaudio.panel.host`.

It is told where the engine is, and the key to it, in one line of JSON on its standard input. It ends with the engine.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from cmaudio.panel.link import Link, connect

STATIC = Path(__file__).parent / "static"
_PATIENCE_SECONDS = 3.0
_PING_SECONDS = 5.0  # a tablet that went out of reach must not hold its notes for long


def listening_socket(host: str, port: int) -> socket.socket:
    """Raises OSError where the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share the port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def serve(told: dict[str, Any], link: Link, bound: socket.socket) -> None:
    """Serve the page until the engine goes away."""
    import uvicorn
    from fastapi import FastAPI
    from nicegui import app as pages
    from nicegui import ui

    from cmaudio.panel.web.guard import Guard
    from cmaudio.panel.web.hub import Hub
    from cmaudio.panel.web.page import Page
    from cmaudio.panel.web.sockets import routes

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    hub = Hub(link)
    app.include_router(routes(hub, Path(told["files"])))
    pages.add_static_files("/panel", STATIC, max_cache_age=0)

    @ui.page("/", title="cmaudio")
    async def index() -> None:
        await hub.introduced.wait()
        Page(hub).build()

    ui.run_with(app, dark=True, tailwind=False, show_welcome_message=False, favicon=STATIC / "favicon.svg")
    server = uvicorn.Server(
        uvicorn.Config(
            Guard(app, told["host"], told["token"]),
            log_level="error",
            access_log=False,
            lifespan="on",
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        link.start(lambda data: _post(loop, hub.take, data), lambda: _end(server))
        link.send({"kind": "ready"})

    pages.on_startup(begin)
    server.run(sockets=[bound])


def _post(loop: asyncio.AbstractEventLoop, take: Any, data: bytes) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(take, data)


def _end(server: Any) -> None:
    """The engine is gone: so is this server, in good order if it can be."""
    server.should_exit = True
    last = threading.Timer(_PATIENCE_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()


def main() -> None:
    """Entry point."""
    told = json.loads(sys.stdin.readline())
    link = connect(told["link_port"], base64.b64decode(told["link_key"]))
    try:
        bound = listening_socket(told["host"], told["port"])
    except OSError as error:
        link.start(lambda data: None)
        where = f"{told['host']} port {told['port']}"
        remedy = "give another with --port, or close what uses it" if told["port"] else "give another --host"
        link.send({"kind": "failed", "text": f"the panel cannot be at {where} ({error.strerror}): {remedy}"})
        link.flush_and_close()
        return
    serve(told, link, bound)


if __name__ == "__main__":
    main()
