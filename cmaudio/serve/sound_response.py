"""A response whose audio is sent as it is made, plain or as server-sent events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cmaudio.serve.failure import Failure
from cmaudio.serve.outlet import Outlet


class SoundResponse(Response):
    """An ASGI response. It ends with the audio, when the client disconnects, or when it reads nothing for a while.

    Audio that ends early leaves the response without its terminating chunk, so that clients do not take it as complete.

    Args:
        first: bytes that are already available.
        outlet: supplies the others.
        media_type: of the bytes.
        headers: others.
        events: send server-sent events of OpenAI's kinds.
        stall_seconds: after which a client that reads nothing is disconnected.
        on_close: always called at the end.
    """

    def __init__(
        self,
        first: bytes,
        outlet: Outlet,
        media_type: str,
        headers: Mapping[str, str],
        *,
        events: bool,
        stall_seconds: float,
        on_close: Callable[[], object],
    ) -> None:
        super().__init__()
        self._first, self._outlet, self._events = first, outlet, events
        kind = "text/event-stream" if events else media_type
        named = {"content-type": kind, "cache-control": "no-store", "x-accel-buffering": "no", **headers}
        self._sent_headers = [
            (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in named.items()
        ]
        self._stall_seconds, self._on_close = stall_seconds, on_close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            self._on_close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._sent_headers})
        data, total = self._first, 0
        while data:
            total += len(data)
            if not await self._pass_on(send, self._framed(data)):
                return
            try:
                data = await self._outlet.take()
            except Exception as error:
                if self._events:
                    failure = Failure(500, str(error), "incomplete")
                    await self._pass_on(send, _event({"type": "error", **failure.content}), last=True)
                return
        usage = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}  # tokens are not counted here
        end = _event({"type": "speech.audio.done", "usage": usage}) if self._events else b""
        await self._pass_on(send, end, last=True)

    def _framed(self, data: bytes) -> bytes:
        if not self._events:
            return data
        return _event({"type": "speech.audio.delta", "audio": base64.b64encode(data).decode()})

    async def _pass_on(self, send: Send, data: bytes, last: bool = False) -> bool:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await send({"type": "http.response.body", "body": data, "more_body": not last})
        except (TimeoutError, OSError):
            return False
        return True


def _event(content: Mapping[str, object]) -> bytes:
    return f"data: {json.dumps(content)}\n\n".encode()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
