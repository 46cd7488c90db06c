"""Clients for `measure_serve.py`: they request audio, play it in real time, and count interruptions and refusals."""

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
_STAGGER_SECONDS = 3.0  # the clients start at random times within this
_RETRY_SECONDS = 1.0
_SPEECH_BYTES_PER_SECOND, _STEREO_BYTES_PER_SECOND = 48_000, 192_000  # 16 bits at 24 kHz mono, and at 48 kHz stereo


@dataclass
class Results:
    """Totals of all clients.

    Attributes:
        first_seconds: from each request to its first audio.
        gaps: number of chunks that arrived after the client had run out of audio.
        refused: number of refused requests.
        audio_seconds: of all received audio.
    """

    first_seconds: list[float] = field(default_factory=list)
    gaps: int = 0
    refused: int = 0
    audio_seconds: float = 0.0


class Playback:
    """Plays one response: from `BUFFER_SECONDS` after its first chunk on, in real time.

    Args:
        results: receives the counts.
        requested: time of `time.monotonic` at which the audio was requested.
    """

    def __init__(self, results: Results, requested: float) -> None:
        self._results, self._requested = results, requested
        self._received_seconds = 0.0
        self.started: float | None = None

    def receive(self, seconds: float) -> None:
        """A chunk of this length has arrived now."""
        now = time.monotonic()
        if self.started is None:
            self.started = now
            self._results.first_seconds.append(now - self._requested)
        self._results.gaps += now > self.ends
        self._received_seconds += seconds
        self._results.audio_seconds += seconds

    @property
    def ends(self) -> float:
        """When the audio received so far has been played, as a time of `time.monotonic`; now, if there is none."""
        if self.started is None:
            return time.monotonic()
        return self.started + BUFFER_SECONDS + self._received_seconds


async def request_speech(port: int, results: Results, until: float, seed: int) -> None:
    """Request one text after another, playing each to its end."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, _STAGGER_SECONDS))
    while time.monotonic() < until:
        body = json.dumps({"model": "english", "input": chance.choice(TEXTS), "response_format": "pcm", "seed": seed})
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        playback = Playback(results, time.monotonic())
        head = f"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n{body}".encode())
        response = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in response.split(b"\r\n")[0]:
            results.refused += 1
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
                playback.receive(size / _SPEECH_BYTES_PER_SECOND)
            await asyncio.sleep(max(0.0, playback.ends - time.monotonic()))
        writer.close()


async def play_notes(port: int, results: Results, until: float, seed: int) -> None:
    """Hold a web socket open and play two notes per second."""
    chance = random.Random(seed)
    await asyncio.sleep(chance.uniform(0, _STAGGER_SECONDS))
    playback = Playback(results, time.monotonic())
    async with connect(f"ws://127.0.0.1:{port}/v1/audio/stream", open_timeout=30) as socket:
        start = {"type": "start", "model": "instrument", "polyphony": POLYPHONY, "lead_ms": 150}
        await socket.send(json.dumps(start))
        if json.loads(await socket.recv())["type"] != "started":
            results.refused += 1
            return
        number = 0
        while (now := time.monotonic()) < until:
            if playback.started is not None and number <= (now - playback.started) / NOTE_SECONDS:
                number += 1
                note = {"type": "note_on", "id": number, "pitch": chance.randrange(48, 72), "velocity": 90}
                await socket.send(json.dumps(note))
                if number > 1:
                    await socket.send(json.dumps({"type": "note_off", "id": number - 1}))
            data = await socket.recv()
            if isinstance(data, bytes):
                playback.receive(len(data) / _STEREO_BYTES_PER_SECOND)


async def run_clients(model: str, port: int, results: Results, clients: int, seconds: float) -> None:
    """Run this many clients of a model for this long."""
    client = request_speech if model == "english" else play_notes
    until = time.monotonic() + seconds
    await asyncio.gather(*(client(port, results, until, seed) for seed in range(clients)))
