"""`/challenge`: a challenger against the champion."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.serving.caller import address
from quorate.serving.documents.challenge import ChallengeDocument
from quorate.serving.errors import ErrorDocument
from quorate.serving.service import Service

_NONE: dict[int | str, dict[str, Any]] = {404: {"model": ErrorDocument, "description": "No challenge yet."}}


def routes(service: Service) -> APIRouter:
    """The challenge of the settings, which runs in a process of its own."""
    router = APIRouter(tags=["bundles"], responses=_NONE)

    @router.get("/challenge", response_model=ChallengeDocument)
    async def challenge(request: Request) -> JSONResponse:
        """Verdict, e-values and differences with their confidence sequences, as of the newest bar."""
        return JSONResponse(await service.reading.run(address(request), lambda: service.challenge.status().to_json()))

    return router
