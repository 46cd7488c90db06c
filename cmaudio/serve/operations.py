"""The routes for monitoring."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from cmaudio.serve.service import Service


def operation_routes(service: Service) -> APIRouter:
    """`GET /health`, `GET /ready` and `GET /metrics`."""
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
