"""The page's server, a separate process: `python -m cmaudio.panel.web.server`, started by `cmaudio.panel.host`.

Its standard input holds one line of JSON: where to serve, and where and with which key to reach the instrument's
process. It ends when that process does.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cmaudio.panel.pipe import Pipe, connect, stamped
from cmaudio.panel.server_messages import Failed, Ready

STATIC = Path(__file__).parent / "static"
_EXIT_SECONDS = 3.0
_RECONNECT_SECONDS = 10.0  # a page that was unreachable for at most this long continues; after that it reloads
_PING_SECONDS = 5.0  # an unreachable tablet must not hold its notes for long
# Buffer limits per socket in bytes and messages: with uvicorn's 16 MiB and 32, a few sockets fill memory.
_MAX_SOCKET_BYTES, _MAX_SOCKET_MESSAGES = 2**18, 4


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError if the port is taken or the address is not local."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows this would let two programs share the port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(128)
    except OSError:
        found.close()
        raise
    return found


def serve(settings: dict[str, Any], pipe: Pipe, bound: socket.socket) -> None:
    """Serve the page until the instrument's process ends."""
    from fastapi import FastAPI
    from nicegui import app as pages
    from nicegui import ui

    from cmaudio.panel.web.guard import Guard
    from cmaudio.panel.web.hub import Hub
    from cmaudio.panel.web.outlines import outline_routes
    from cmaudio.panel.web.page import Page, discard_unopened_pages
    from cmaudio.panel.web.sockets import routes
    from cmaudio.panel.web.uploads import upload_routes

    # It prints unknown addresses as requested, including terminal escapes from any web page.
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    hub = Hub(pipe)
    app.include_router(routes(hub, Path(settings["files"])))
    app.include_router(upload_routes(hub, Path(settings["files"])))
    app.include_router(outline_routes(Path(settings["files"])))
    pages.add_static_files("/panel", STATIC, max_cache_age=0)

    @ui.page("/", title="cmaudio")
    async def index() -> None:
        await hub.introduced.wait()
        discard_unopened_pages()
        Page(hub).build()

    ui.run_with(
        app,
        dark=True,
        tailwind=False,
        show_welcome_message=False,
        favicon=STATIC / "favicon.svg",
        reconnect_timeout=_RECONNECT_SECONDS,
    )
    server = _server(Guard(app, settings["host"], settings["token"]))

    async def begin() -> None:
        loop = asyncio.get_running_loop()
        pipe.start(lambda data: _post(loop, hub.receive, data), lambda: _end(server))
        pipe.send_bytes(stamped("", Ready().model_dump_json()))

    pages.on_startup(begin)
    server.run(sockets=[bound])


def _server(app: Any) -> Any:
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            lifespan="on",
            ws_ping_interval=_PING_SECONDS,
            ws_ping_timeout=_PING_SECONDS,
            ws_per_message_deflate=False,
            ws_max_size=_MAX_SOCKET_BYTES,
            ws_max_queue=_MAX_SOCKET_MESSAGES,
            timeout_graceful_shutdown=1,
        )
    )


def _post(loop: asyncio.AbstractEventLoop, receive: Callable[[bytes], None], data: bytes) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(receive, data)


def _end(server: Any) -> None:
    """Shut down gracefully, or by force after a while."""
    server.should_exit = True
    last = threading.Timer(_EXIT_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()


def main() -> None:
    """Entry point."""
    settings = json.loads(sys.stdin.readline())
    pipe = connect(settings["pipe_port"], base64.b64decode(settings["pipe_key"]))
    host, port = settings["host"], settings["port"]
    try:
        bound = listening_socket(host, port)
    except OSError as error:
        pipe.start(lambda data: None)
        remedy = "choose another with --port, or close the program that uses it" if port else "choose another --host"
        failed = Failed(text=f"the panel cannot be served at {host} port {port} ({error.strerror}): {remedy}")
        pipe.send_bytes(stamped("", failed.model_dump_json()))
        pipe.flush_and_close()
        return
    serve(settings, pipe, bound)


if __name__ == "__main__":
    main()
