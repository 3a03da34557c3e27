"""`/retrain`: the retraining of the served folder of bundles."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.lifecycle.retrain import retraining_status
from quorate.serving.caller import address
from quorate.serving.documents.retraining import Retraining
from quorate.serving.errors import ErrorDocument
from quorate.serving.service import Service


def routes(service: Service) -> APIRouter:
    """Read from the records of the runs, whichever process makes them."""
    router = APIRouter(tags=["bundles"])

    @router.get(
        "/retrain",
        response_model=Retraining,
        responses={404: {"model": ErrorDocument, "description": "A service of one bundle, which is never replaced."}},
    )
    async def retrain(request: Request) -> JSONResponse:
        """The runs so far, whether one is at work, and the next one, as of `quorate retrain --status --json`."""

        def work() -> JSONResponse:
            store = service.champion.require_store("show the retraining")
            settings = service.settings if service.settings.serve.retrain else None
            return JSONResponse(retraining_status(store.folder, settings=settings).to_json())

        return await service.work.run(address(request), work)

    return router
