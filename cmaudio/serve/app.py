"""The application: routes, and every error in one shape."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cmaudio.serve.failure import Failure
from cmaudio.serve.service import Service
from cmaudio.serve.speech_api import speech_routes

_log = logging.getLogger("cmaudio.serve")


def make_app(service: Service) -> FastAPI:
    """The application of a service."""
    app = FastAPI(title="cmaudio", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(speech_routes(service))

    @app.exception_handler(Failure)
    async def refuse(request: Request, failure: Failure) -> Response:
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
        _log.error("a request failed: %s %s", request.method, request.url.path, exc_info=error)
        return Failure(500, "the server failed; its log says why", "internal_error").response()

    return app
