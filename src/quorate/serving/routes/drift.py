"""`/drift`: the newest check of the bundle in use for drift."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import EvaluationError
from quorate.serving.caller import address
from quorate.serving.documents.drift import Drift
from quorate.serving.errors import ErrorDocument, error_response
from quorate.serving.newest_check import newest_check
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Read from the file of `quorate drift`: the service computes nothing of it."""
    router = APIRouter(tags=["bundles"])

    @router.get(
        "/drift",
        response_model=Drift,
        responses={
            404: {"model": ErrorDocument, "description": "The bundle in use was never checked."},
            503: {"model": ErrorDocument, "description": "The check cannot be read."},
        },
    )
    async def drift(request: Request) -> JSONResponse:
        """What `quorate drift` found of the bundle in use when it ran last, and how long ago that was."""

        def work() -> JSONResponse:
            found = newest_check(service.champion, service.settings, service.clock())
            if found is not None:
                return JSONResponse(found)
            never = EvaluationError(
                f"show the drift of the bundle {service.champion.predictor.newest.id}",
                found="no check yet",
                expected="one by `quorate drift`",
                remedy="Run it now, and then every day: see docs/drift.md.",
            )
            return error_response(never, HTTPStatus.NOT_FOUND)

        return await service.work.run(address(request), work)

    return router
