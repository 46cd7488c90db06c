"""The speech routes of OpenAI's API."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

from fastapi import APIRouter, Request

from cmaudio.errors import unknown
from cmaudio.serve.body import read_body
from cmaudio.serve.encoding import MEDIA_TYPES
from cmaudio.serve.failure import Failure
from cmaudio.serve.service import Service
from cmaudio.serve.sound_response import SoundResponse
from cmaudio.serve.speech import Reading
from cmaudio.serve.speech_request import SpeechRequest, parse_speech_request
from cmaudio.serve.voices import ChosenVoice


def speech_routes(service: Service) -> APIRouter:
    """`POST /v1/audio/speech`, `GET /v1/models` and `GET /v1/audio/voices`."""
    routes = APIRouter(prefix="/v1")

    @routes.post("/audio/speech")
    async def speech(request: Request) -> Any:
        speech_request = parse_speech_request(await read_body(request), service.settings.most_letters)
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
