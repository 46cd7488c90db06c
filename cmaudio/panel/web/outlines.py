"""The route for outlines of sound files, which the page draws behind their names."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from fastapi import APIRouter, HTTPException

from cmaudio.files.names import sound_path
from cmaudio.panel.web.sockets import served_file

PARTS = 64
_MAX_FRAMES = 2**26  # longer files are not read


@lru_cache(maxsize=256)
def outline(path: Path, modified_ns: int) -> list[int]:
    """Peaks of equal parts of a sound file, in percent of full scale; empty for none, and for very long ones.

    Args:
        path: the file.
        modified_ns: when it was written, so that a changed file is read again.
    """
    try:
        with soundfile.SoundFile(sound_path(path)) as file:
            if file.frames > _MAX_FRAMES:
                return []
            blocks = file.blocks(max(1, -(-file.frames // PARTS)), dtype="float32")
            return [min(100, round(100 * float(np.abs(block).max(initial=0)))) for block in blocks]
    except (soundfile.SoundFileError, OSError):
        return []


def outline_routes(files: Path) -> APIRouter:
    """`GET /outlines/NAME`, a JSON list; files are read one at a time."""
    router, reading = APIRouter(), asyncio.Lock()

    @router.get("/outlines/{name}")
    async def peaks(name: str) -> list[int]:
        path = served_file(files, name)
        if path is None:
            raise HTTPException(404, "there is no such sound file")
        async with reading:
            return await asyncio.to_thread(outline, path, path.stat().st_mtime_ns)

    return router
