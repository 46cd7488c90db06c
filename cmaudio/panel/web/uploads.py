"""The route that receives sounds dropped on a page, writes them to the folder of takes, and learns from them."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from cmaudio.files.names import unused_path
from cmaudio.panel.learning import EXAMPLES, is_example
from cmaudio.panel.web.hub import Hub

MAX_BYTES = 64 * 2**20
_UNUSUAL = re.compile(r"[^\w ().-]")
_LONGEST_STEM = 60
_CLIENT = re.compile(r"[\w-]{1,64}", re.ASCII)


def upload_routes(hub: Hub, files: Path) -> APIRouter:
    """`POST /examples?client=CLIENT&name=NAME` with the bytes of a sound file, one at a time."""
    router, busy = APIRouter(), asyncio.Lock()

    @router.post("/examples", status_code=202)
    async def example(request: Request, client: str, name: str) -> Response:
        target = _target(files, name)
        if not _CLIENT.fullmatch(client):
            raise HTTPException(400, "a client's name has 1 to 64 letters, digits, - and _")
        if busy.locked():
            raise HTTPException(429, "another sound is being sent: try again")
        async with busy:
            await _receive(request, target)
        hub.send(client, "learn_sound", file=target.name)
        return Response(target.name, 202)

    return router


def _target(files: Path, name: str) -> Path:
    """A new file for a sound of this name."""
    path = Path(name.replace("\\", "/"))
    stem = _UNUSUAL.sub(" ", path.stem).strip(" .-")[:_LONGEST_STEM] or "sound"
    wanted = f"{stem}{path.suffix.lower()}"
    if not is_example(wanted):
        raise HTTPException(415, f"a sound file ends in {', '.join(EXAMPLES)}")
    return unused_path(files / wanted)


async def _receive(request: Request, target: Path) -> None:
    """Write the body to a file; nothing is left behind if it is too long or the client disconnects."""
    count = 0
    try:
        with target.open("xb") as file:
            async for chunk in request.stream():
                count += len(chunk)
                if count > MAX_BYTES:
                    raise HTTPException(413, f"a sound has at most {MAX_BYTES >> 20} MiB: cut it to a minute")
                file.write(chunk)
        if not count:
            raise HTTPException(400, "the file is empty")
    except BaseException as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise HTTPException(507, f"it cannot be written ({error.strerror})") from error
        raise
