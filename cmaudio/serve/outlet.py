"""Passes bytes from the thread that makes a stream to the coroutine that sends them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from cmaudio.serve.encoding import Encoder
from cmaudio.signal.dsp import Float

FULL_BYTES = 2**21  # 40 s of uncompressed audio; further backlog is in the client's socket buffers


class Outlet:
    """A sink whose bytes are taken by a coroutine of one event loop.

    Args:
        encoder: makes the bytes.
        on_room: called when there is room again.

    Attributes:
        error: that ended the stream early, None without one.
    """

    def __init__(self, encoder: Encoder, on_room: Callable[[], object] = lambda: None) -> None:
        self._encoder, self.on_room = encoder, on_room
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._ended = False
        self.error: Exception | None = None

    # -- the thread that makes the stream ----------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        return len(self._waiting) >= FULL_BYTES

    def write(self, samples: Float) -> None:
        self._put(self._encoder.encode(samples))

    def finish(self) -> None:
        self._put(self._encoder.finish(), ended=True)

    def fail(self, error: Exception) -> None:
        self.error = error
        self._put(b"", ended=True)

    def _put(self, data: bytes, ended: bool = False) -> None:
        with self._lock:
            self._waiting += data
            self._ended = self._ended or ended
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._changed.set)

    # -- the coroutine that sends it ---------------------------------------------------------------------------------

    async def take(self) -> bytes:
        """All available bytes, as soon as there are some; empty once it is over.

        Raises the error that ended the stream early, after everything that was made before.
        """
        while True:
            self._changed.clear()
            with self._lock:
                taken, ended = bytes(self._waiting), self._ended
                self._waiting.clear()
            if taken:
                self.on_room()
                return taken
            if ended:
                if self.error is not None:
                    raise self.error
                return b""
            await self._changed.wait()
