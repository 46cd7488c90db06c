"""`/v1/audio/stream`: a web socket that receives text or notes and sends audio, both incrementally."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from cmaudio.errors import CmaudioError
from cmaudio.serve.failure import Failure
from cmaudio.serve.messages import Start, parse_message
from cmaudio.serve.service import Service
from cmaudio.serve.sessions import Session, session_of

_START_SECONDS = 10.0
_REFUSED, _BUSY = 1008, 1013


def socket_routes(service: Service) -> APIRouter:
    """The web socket."""
    routes = APIRouter()

    @routes.websocket("/v1/audio/stream")
    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        try:
            with service.limits.stream(socket.scope["client_name"], time.monotonic()):
                await _converse(service, socket)
        except Failure as failure:
            socket.scope["details"]["refused"] = failure.code
            await _refuse(socket, failure)
        except WebSocketDisconnect:
            pass

    return routes


async def _converse(service: Service, socket: WebSocket) -> None:
    try:
        async with asyncio.timeout(_START_SECONDS):
            start = parse_message(await _received(socket))
    except TimeoutError:
        raise Failure(408, f"no message of type 'start' came within {_START_SECONDS:g} s", "timeout") from None
    if not isinstance(start, Start):
        raise Failure(400, f"the first message is of type 'start', not {start.type!r}", "invalid_message")
    session = session_of(service, start)
    try:
        await service.start(session.stream, session.outlet, session.begin)
        await socket.send_json(_description(session, start))
        listening = asyncio.create_task(_listen(service, socket, session))
        sending = asyncio.create_task(_send(service, socket, session))
        try:
            await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
            for task in (sending, listening):
                if task.done():
                    task.result()
        finally:
            for task in (sending, listening):
                task.cancel()
    except CmaudioError as error:
        raise Failure(400, str(error), "invalid_request") from error
    finally:
        session.close()
        service.drop(session.stream)
        socket.scope["details"].update(session.stream.summary, model=session.stream.model_name)


def _description(session: Session, start: Start) -> dict[str, Any]:
    engine = session.stream.engine
    description = {"type": "started", "model": session.stream.model_name, "format": start.format}
    return description | {"sample_rate": engine.sample_rate, "channels": engine.channels}


async def _listen(service: Service, socket: WebSocket, session: Session) -> None:
    """Handle messages; an invalid one is answered with an error, and the audio continues."""
    while True:
        try:
            session.act(parse_message(await _received(socket)))
            service.batcher.wake(session.stream)
        except Failure as failure:
            await socket.send_json({"type": "error", **failure.content})
        except (CmaudioError, TypeError) as error:
            await socket.send_json({"type": "error", **Failure(400, str(error), "invalid_message").content})


async def _send(service: Service, socket: WebSocket, session: Session) -> None:
    """Send audio, preceded by the messages that belong to it, until it is over."""
    more = True
    while more:
        data = await session.outlet.take()
        more = bool(data)
        try:
            async with asyncio.timeout(service.settings.stall_seconds):
                for news in session.news():
                    await socket.send_json(news)
                if data:
                    await socket.send_bytes(data)
        except TimeoutError:
            raise Failure(408, "the client read no audio for too long", "timeout") from None
    await socket.send_json({"type": "done", "seconds": round(session.stream.made_seconds, 3)})
    await socket.close()


async def _received(socket: WebSocket) -> str | None:
    """The next text frame; None for any other kind."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1006))
    return message.get("text")


async def _refuse(socket: WebSocket, failure: Failure) -> None:
    with suppress(RuntimeError, WebSocketDisconnect, OSError):  # the client has disconnected
        extra = {} if failure.retry_seconds is None else {"retry_after": failure.retry_seconds}
        await socket.send_json({"type": "error", **failure.content, **extra})
        await socket.close(_BUSY if failure.status in (429, 503) else _REFUSED, failure.message[:100])
