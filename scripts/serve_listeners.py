"""Listeners for `measure_serve.py`: they ask a server for sound, and notice gaps and refusals."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import connect

TEXTS = (
    "The train to the coast leaves at half past nine, from platform four.",
    "Could you tell me where the nearest library is? I have to return three books today.",
    "It rained all night, but in the morning the sky was clear, and the streets were almost dry.",
)
BUFFER_SECONDS = 0.1
POLYPHONY, NOTE_SECONDS = 4, 0.5


@dataclass
class Heard:
    """What the listeners of one run noticed: seconds to first sounds, gaps, refusals, and seconds of sound."""

    first: list[float] = field(default_factory=list)
    gaps: int = 0
    refused: int = 0
    seconds: float = 0.0

    def play(self, arrived: float, began: float, before: float, length: float) -> None:
        """Sound of `length` seconds arrived; `before` seconds came since the first sound at `began`."""
        self.gaps += arrived > began + BUFFER_SECONDS + before
        self.seconds += length


async def listen(port: int, heard: Heard, until: float, seed: int) -> None:
    """Ask for one text after the other."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, 3))
    while time.monotonic() < until:
        body = json.dumps({"model": "english", "input": chance.choice(TEXTS), "response_format": "pcm", "seed": seed})
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = time.monotonic()
        head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.split(b"\r\n")[0]:
            heard.refused += 1
            await asyncio.sleep(1)
        else:
            await _hear(reader, heard, asked)
        writer.close()


async def _hear(reader: asyncio.StreamReader, heard: Heard, asked: float) -> None:
    """Take a sound as it comes, and wait until it has been played."""
    began = before = 0.0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        now = time.monotonic()
        if not began:
            began = now
            heard.first.append(now - asked)
        heard.play(now, began, before, size / 48_000)
        before += size / 48_000
    await asyncio.sleep(max(0.0, began + BUFFER_SECONDS + before - time.monotonic()))


async def play(port: int, heard: Heard, until: float, seed: int) -> None:
    """Hold a web socket, and play two notes a second."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, 3))
    asked = time.monotonic()
    async with connect(f"ws://127.0.0.1:{port}/v1/audio/stream", open_timeout=30) as socket:
        start = {"type": "start", "model": "instrument", "polyphony": POLYPHONY, "lead_ms": 150}
        await socket.send(json.dumps(start))
        if json.loads(await socket.recv())["type"] != "started":
            heard.refused += 1
            return
        began = before = 0.0
        number = 0
        while (now := time.monotonic()) < until:
            if began and number <= (now - began) / NOTE_SECONDS:
                number += 1
                note = {"type": "note_on", "id": number, "pitch": chance.randrange(48, 72), "velocity": 90}
                await socket.send(json.dumps(note))
                if number > 1:
                    await socket.send(json.dumps({"type": "note_off", "id": number - 1}))
            data = await socket.recv()
            if isinstance(data, bytes):
                now = time.monotonic()
                if not began:
                    began = now
                    heard.first.append(now - asked)
                heard.play(now, began, before, len(data) / 192_000)
                before += len(data) / 192_000


async def crowd(model: str, port: int, heard: Heard, streams: int, seconds: float) -> None:
    """All listeners."""
    one = listen if model == "english" else play
    until = time.monotonic() + seconds
    await asyncio.gather(*(one(port, heard, until, seed) for seed in range(streams)))
