"""The speech routes of OpenAI's API, and the bodies of their requests, which may be too large, slow or truncated."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect

from cmaudio.errors import unknown
from cmaudio.serve.encoding import MEDIA_TYPES
from cmaudio.serve.failure import Failure
from cmaudio.serve.service import Service
from cmaudio.serve.sound_response import SoundResponse
from cmaudio.serve.speech import Reading
from cmaudio.serve.speech_request import SpeechRequest, parse_speech_request
from cmaudio.serve.voices import ChosenVoice

_MOST_BODY_BYTES = 2**18
_BODY_SECONDS = 10.0


def speech_routes(service: Service) -> APIRouter:
    """`POST /v1/audio/speech`, `GET /v1/models` and `GET /v1/audio/voices`."""
    routes = APIRouter(prefix="/v1")

    @routes.post("/audio/speech")
    async def speech(request: Request) -> Any:
        speech_request = parse_speech_request(await _body(request), service.settings.most_letters)
        voice = service.models.voice(speech_request.model, speech_request.voice_name)
        details = request.scope["details"]
        details |= {
            "model": speech_request.model,
            "letters": len(speech_request.input),
            "format": speech_request.response_format,
        }
        counted = service.limits.stream(request.scope["client_name"], time.monotonic())
        with ExitStack() as until_begun:
            until_begun.enter_context(counted)
            stream, outlet, first = await service.speak(
                voice, _reading(speech_request, voice), speech_request.response_format
            )
            until_closed = until_begun.pop_all()

        def close() -> None:
            until_closed.close()
            service.drop(stream)
            details.update(stream.summary)

        return SoundResponse(
            first,
            outlet,
            MEDIA_TYPES[speech_request.response_format],
            _headers(speech_request, voice),
            events=speech_request.stream_format == "sse",
            stall_seconds=service.settings.stall_seconds,
            on_close=close,
        )

    @routes.get("/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": service.models.listed()}

    @routes.get("/models/{name}")
    async def model(name: str) -> dict[str, Any]:
        for each in service.models.listed():
            if each["id"] == name:
                return each
        raise Failure(404, unknown("model", name, service.models.by_name), "model_not_found", "model")

    @routes.get("/audio/voices")
    async def voices() -> dict[str, Any]:
        return {"voices": service.models.voices()}

    return routes


def _reading(speech_request: SpeechRequest, voice: ChosenVoice) -> Reading:
    return Reading(
        speech_request.input,
        timbre=voice.timbre,
        seed=speech_request.seed,
        steps=voice.steps,
        ssml=speech_request.is_ssml,
        style={"rate": speech_request.speed},
    )


def _headers(speech_request: SpeechRequest, voice: ChosenVoice) -> dict[str, str]:
    notices = []
    if speech_request.instructions:
        notices.append("instructions are not followed; use speed, or SSML in input")
    if voice.replaced:
        notices.append(
            f"voice {speech_request.voice_name} is not one of this model; its own speaks: see /v1/audio/voices"
        )
    headers = {"x-sample-rate": str(voice.loaded.model.manifest.sample_rate), "x-channels": "1"}
    return headers | ({"x-notice": "; ".join(notices)} if notices else {})


async def _body(request: Request) -> bytes:
    """The body of a request. Raises Failure if it is too large, too slow or too short."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > _MOST_BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _read(request)
    except TimeoutError:
        raise Failure(408, f"the body did not arrive within {_BODY_SECONDS:g} s; send it at once", "timeout") from None
    except ClientDisconnect:
        raise Failure(400, "the connection was closed before the body was complete", "incomplete_body") from None


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY_BYTES:
            raise _too_large()
    return bytes(body)


def _too_large() -> Failure:
    return Failure(413, f"a request has {_MOST_BODY_BYTES} bytes at most; send the text in parts", "request_too_large")
