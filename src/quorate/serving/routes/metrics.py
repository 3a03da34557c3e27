"""`/metrics`, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """The metrics of a service and of its process."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def metrics(request: Request) -> Response:
        """The metrics in Prometheus' text format, or in OpenMetrics where the client asks for it."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(service.metrics.registry), media_type=kind)

    return router
