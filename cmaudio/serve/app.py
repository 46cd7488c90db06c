"""The application: routes, and all errors in one form."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from cmaudio.serve.failure import Failure
from cmaudio.serve.guard import Guard
from cmaudio.serve.keys import Keys
from cmaudio.serve.log import log
from cmaudio.serve.service import Service
from cmaudio.serve.sockets import socket_routes
from cmaudio.serve.speech_api import speech_routes


def make_app(service: Service, keys: Keys | None = None) -> ASGIApp:
    """The application of a service, for clients with these keys, or for everybody on this machine."""
    app = FastAPI(title="cmaudio", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(speech_routes(service))
    app.include_router(socket_routes(service))
    app.include_router(_operation_routes(service))

    @app.exception_handler(Failure)
    async def refuse(request: Request, failure: Failure) -> Response:
        request.scope["details"]["refused"] = failure.code
        return failure.response()

    @app.exception_handler(HTTPException)
    async def not_there(request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
        message = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return Failure(error.status_code, message, code).response()

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return Failure(400, str(error)[:500], "invalid_request").response()

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log("fault", logging.ERROR, error)
        return Failure(500, "the server failed; its log says why", "internal_error").response()

    return Guard(app, keys, service.limits, service.metrics)


def _operation_routes(service: Service) -> APIRouter:
    """For monitoring: `GET /health`, `GET /ready` and `GET /metrics`."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        return {"status": "ok"}

    @routes.get("/ready")
    async def ready() -> Response:
        status = service.status
        room = {name: service.capacity.streams(name) for name in service.models.by_name}
        content = {"status": status, "streams": len(service.batcher.streams), "capacity": room}
        return JSONResponse(content, 200 if status == "ready" else 503)

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=service.metrics.content_type)

    return routes
