"""The routes besides the page: web sockets for commands, state and sound, and the folder of sound files."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse

from cmaudio.panel.commands import MAX_COMMAND_BYTES
from cmaudio.panel.web.hub import Follower, Hub
from cmaudio.panel.web.pace import Pace, SocketCount

_SERVED = {
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mid": "audio/midi",
    ".py": "text/x-python",
    ".json": "application/json",
}
_CLIENT = re.compile(r"[\w-]{1,64}", re.ASCII)
_BURST, _PER_SECOND = 200, 500.0  # commands of one socket; a page sends at most one per frame
_ALL_BURST, _ALL_PER_SECOND = 1000, 2000.0  # commands of all sockets
_MAX_SOCKETS = 64
_TRY_LATER = 1013  # close code (RFC 6455)


def routes(hub: Hub, files: Path) -> APIRouter:
    """`/live` (commands and state, JSON), `/listen` (int16 samples, sides interleaved), `/files/NAME`."""
    router = APIRouter()
    sockets, pace = SocketCount(_MAX_SOCKETS), Pace(_ALL_PER_SECOND, _ALL_BURST)

    @router.websocket("/live")
    async def live(socket: WebSocket, client: str) -> None:
        await socket.accept()
        if _CLIENT.fullmatch(client):
            with sockets.one_more() as allowed:
                await (_follow(socket, hub, client, pace) if allowed else _refuse_connection(socket))
        else:
            await socket.close(1008, "a client's name has 1 to 64 letters, digits, - and _")

    @router.websocket("/listen")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        with sockets.one_more() as allowed:
            await (_listen(socket, hub) if allowed else _refuse_connection(socket))

    @router.get("/files/{name}")
    async def file(name: str) -> FileResponse:
        path = served_file(files, name)
        if path is None:
            raise HTTPException(404, "there is no such sound file")
        return FileResponse(path, media_type=_SERVED[path.suffix], headers={"Cache-Control": "no-cache"})

    return router


async def _follow(socket: WebSocket, hub: Hub, client: str, pace: Pace) -> None:
    await hub.introduced.wait()
    follower = hub.follow(client)
    try:
        await _first_of(_send_state(socket, hub, follower), _forward(socket, hub, follower, pace))
    finally:
        hub.unfollow(follower)


async def _listen(socket: WebSocket, hub: Hub) -> None:
    await hub.introduced.wait()
    packets = hub.listen()
    try:
        await _first_of(_send_sound(socket, hub, packets), _drain(socket))
    finally:
        hub.stop_listening(packets)


async def _refuse_connection(socket: WebSocket) -> None:
    await socket.close(_TRY_LATER, f"{_MAX_SOCKETS} connections are open; close some")


def served_file(folder: Path, name: str) -> Path | None:
    """A file of the folder of takes that pages may read; None for anything else."""
    path = folder / name
    try:
        served = path.suffix in _SERVED and not path.is_symlink() and path.is_file()
    except OSError:  # for example, a name that is too long
        return None
    return path if served and path.parent == folder else None


async def _first_of(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run concurrently until one ends; a disconnected page is not an error."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task


async def _send_state(socket: WebSocket, hub: Hub, follower: Follower) -> None:
    await socket.send_text(json.dumps(hub.introduction))
    while True:
        for message in await follower.take():
            await socket.send_text(json.dumps(message, separators=(",", ":")))


async def _forward(socket: WebSocket, hub: Hub, follower: Follower, shared: Pace) -> None:
    """Pass commands on unparsed: only their size and rate are checked here."""
    own = Pace(_PER_SECOND, _BURST)
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        await asyncio.sleep(max(own.delay_s(), shared.delay_s()))
        text = message.get("text")
        if text is None:
            hub.announce(_refused(follower, "not understood: a command is JSON text, not binary"))
        elif len(text) > MAX_COMMAND_BYTES:
            problem = f"a command of {len(text)} characters is too long; {MAX_COMMAND_BYTES} are allowed"
            hub.announce(_refused(follower, problem))
        else:
            await hub.forward(follower.client, text)


def _refused(follower: Follower, text: str) -> dict[str, Any]:
    return {"kind": "refused", "client": follower.client, "text": text}


async def _send_sound(socket: WebSocket, hub: Hub, packets: asyncio.Queue[bytes]) -> None:
    await socket.send_text(json.dumps({name: hub.introduction[name] for name in ("sample_rate", "channels")}))
    while True:
        await socket.send_bytes(await packets.get())


async def _drain(socket: WebSocket) -> None:
    """Wait until the page disconnects; whatever it sends is ignored."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
