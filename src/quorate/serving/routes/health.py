"""`/health/live` and `/health/ready`."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from quorate.core.clock import iso_ms
from quorate.core.errors import QuorateError
from quorate.serving.documents.health import Live, Ready
from quorate.serving.errors import error_response
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Whether the process answers, and whether it predicts."""
    router = APIRouter(prefix="/health", tags=["health"])
    probe = _Probe(service)

    @router.get("/live", response_model=Live)
    async def live() -> JSONResponse:
        """The process answers requests. Nothing is predicted."""
        return JSONResponse({"status": "ok"})

    @router.get("/ready", response_model=Ready)
    async def ready() -> JSONResponse:
        """The service predicts: one real prediction is made. 503 where it fails.

        `refused` names a new champion that could not be used; the bundle before it stays in use then.
        """
        try:
            return JSONResponse(await probe.run())
        except QuorateError as error:
            return error_response(error, HTTPStatus.SERVICE_UNAVAILABLE)

    return router


class _Probe:
    """The prediction of `/health/ready`: outside the queue of requests, and one at a time for all that ask."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._running: asyncio.Task[dict[str, Any]] | None = None

    async def run(self) -> dict[str, Any]:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(asyncio.to_thread(self._document))
        return await asyncio.shield(self._running)

    def _document(self) -> dict[str, Any]:
        service = self._service
        found, seconds = service.probe()
        signal, refused = found.signals[0].signal, service.champion.refused
        newest = {symbol: service.candles.newest(symbol) for symbol in service.candles.symbols}
        return {
            "status": "ready" if refused is None else "degraded",
            "bundle": found.bundle,
            "mode": found.signals.mode,
            "members": dict(found.signals.status),
            "prediction": {
                "symbol": signal.symbol,
                "time": None if signal.time is None else iso_ms(signal.time),
                "action": signal.action.name,
                "seconds": round(seconds, 6),
            },
            "refused": None
            if refused is None
            else {"bundle": refused.bundle, "time": iso_ms(refused.time), "reason": refused.reason},
            "markets": {
                "served": len(newest),
                "shard": str(service.candles.shard),
                "without_candles": [symbol for symbol, time in newest.items() if time is None],
                "newest": iso_ms(max(time for time in newest.values() if time is not None)),
            },
        }
