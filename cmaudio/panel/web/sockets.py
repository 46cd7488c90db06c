"""The routes beside the page: the web sockets of commands and state and of sound, and the folder of sound files."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse

from cmaudio.errors import CmaudioError
from cmaudio.panel.commands import MAX_BYTES, parse_command
from cmaudio.panel.web.hub import Hub

_SERVED = {".wav": "audio/wav", ".flac": "audio/flac", ".mid": "audio/midi"}
_ID_LIMIT = 64


def routes(hub: Hub, files: Path) -> APIRouter:
    """`/live` (commands and state, JSON), `/listen` (int16 samples), `/files/NAME`."""
    router = APIRouter()

    @router.websocket("/live")
    async def live(socket: WebSocket, client: str) -> None:
        await socket.accept()
        if not 0 < len(client) <= _ID_LIMIT:
            return await socket.close(1008, "a client's name has 1 to 64 letters")
        await hub.introduced.wait()
        await socket.send_text(json.dumps(hub.introduction))
        follower = hub.follow()
        try:
            await _first_of(_tell(socket, follower), _obey(socket, hub, client))
        finally:
            hub.followers.discard(follower)
            hub.send(client, "gone")
        return None

    @router.websocket("/listen")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        await hub.introduced.wait()
        await socket.send_text(json.dumps({"sample_rate": hub.introduction["sample_rate"]}))
        packets = hub.listen()
        try:
            await _first_of(_stream(socket, packets), _drain(socket))
        finally:
            hub.stop_listening(packets)

    @router.get("/files/{name}")
    async def file(name: str) -> FileResponse:
        path = files / name
        if path.suffix not in _SERVED or path.parent != files or path.is_symlink() or not path.is_file():
            raise HTTPException(404, "there is no such sound")
        return FileResponse(path, media_type=_SERVED[path.suffix], headers={"Cache-Control": "no-cache"})

    return router


async def _first_of(*jobs: Any) -> None:
    """Run side by side until one ends; a page that went away is no error."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task


async def _tell(socket: WebSocket, follower: Any) -> None:
    while True:
        await socket.send_text(json.dumps({"kind": "state"} | await follower.take(), separators=(",", ":")))


async def _obey(socket: WebSocket, hub: Hub, client: str) -> None:
    while True:
        text = await socket.receive_text()
        try:
            hub.link.send(as_command(text, client))
        except CmaudioError as error:
            await socket.send_text(json.dumps({"kind": "refused", "text": str(error)}))


def as_command(text: str, client: str) -> dict[str, Any]:
    """What a page sent, in the name of its client. Raises CmaudioError for what is no command."""
    if len(text) > MAX_BYTES:
        raise CmaudioError(f"a command of {len(text)} letters is too long; {MAX_BYTES} are allowed")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CmaudioError(f"not understood: no JSON ({error})") from error
    if not isinstance(found, dict):
        raise CmaudioError("not understood: a command is a JSON object")
    return parse_command(json.dumps(found | {"client": client})).model_dump()


async def _stream(socket: WebSocket, packets: asyncio.Queue[bytes]) -> None:
    while True:
        await socket.send_bytes(await packets.get())


async def _drain(socket: WebSocket) -> None:
    """Nothing is expected; it ends when the page goes away."""
    while True:
        await socket.receive()
