"""`/models`: the members of the bundle in use."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from quorate.serving.documents.models import Models, models_document
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """The members of the bundle in use."""
    router = APIRouter(tags=["bundles"])

    @router.get("/models", response_model=Models)
    async def models() -> JSONResponse:
        """The members of the bundle in use: whether each is loaded and votes, its weight, and held-out figures."""
        return JSONResponse(models_document(service.champion.predictor, service.clock()))

    return router
