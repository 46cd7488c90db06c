"""Reads the body of a request, which may be too large, too slow or truncated."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

from cmaudio.serve.failure import Failure

MOST_BODY_BYTES = 2**18
_BODY_SECONDS = 10.0


async def read_body(request: Request, most_bytes: int = MOST_BODY_BYTES, seconds: float = _BODY_SECONDS) -> bytes:
    """The body. Raises Failure if it is too large, too slow or too short."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > most_bytes:
        raise _too_large(most_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, most_bytes)
    except TimeoutError:
        raise Failure(408, f"the body did not arrive within {seconds:g} s; send it at once", "timeout") from None
    except ClientDisconnect:
        raise Failure(400, "the connection was closed before the body was complete", "incomplete_body") from None


async def _read(request: Request, most_bytes: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise _too_large(most_bytes)
    return bytes(body)


def _too_large(most_bytes: int) -> Failure:
    return Failure(413, f"a request has {most_bytes} bytes at most; send the text in parts", "request_too_large")
