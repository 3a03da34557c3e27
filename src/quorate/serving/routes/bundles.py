"""`/bundles`: list and show them, and change the champion."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import BundleError
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.serving.caller import address, caller
from quorate.serving.documents.bundles import BundleEntry, BundleShown, ChampionChanged, Reason
from quorate.serving.errors import ErrorDocument, error_response
from quorate.serving.service import Service
from quorate.workflows.bundles import list_bundles, show_bundle

_Id = Annotated[str, Path(max_length=64, description="Id of a bundle, as listed by `/bundles`.")]

_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorDocument, "description": "No such bundle."},
    409: {"model": ErrorDocument, "description": "Refused; the champion is as before."},
}


def routes(service: Service) -> APIRouter:
    """The bundles of the served folder."""
    router = APIRouter(prefix="/bundles", tags=["bundles"])

    def store() -> BundleStore:
        return service.champion.require_store("read the bundles")

    async def run(request: Request, work: Callable[[], JSONResponse]) -> JSONResponse:
        return await service.work.run(address(request), work)

    @router.get("", response_model=list[BundleEntry], responses={409: _ERRORS[409]})
    async def bundles(request: Request) -> JSONResponse:
        """The bundles of the served folder by the time of their publication, the champion marked."""
        return await run(request, lambda: JSONResponse(list_bundles(store()).to_json()))

    # Before the path with an id, which would match as well: the methods that are allowed are those of the first match.
    @router.post("/rollback", response_model=ChampionChanged, responses={409: _ERRORS[409]})
    async def rollback(request: Request, body: Reason) -> JSONResponse:
        """Make the previous champion the champion again. It is loaded and proven first, then used at once."""
        by = caller(request)
        return await run(request, lambda: JSONResponse(service.champion.rollback(why=body.why, by=by).to_json()))

    @router.get("/{bundle_id}", response_model=BundleShown, responses=_ERRORS)
    async def bundle(request: Request, bundle_id: _Id) -> JSONResponse:
        """The manifest and the history of a bundle."""

        def work() -> JSONResponse:
            return _unknown(store(), bundle_id) or JSONResponse(show_bundle(store(), bundle_id).to_json())

        return await run(request, work)

    @router.post("/{bundle_id}/promote", response_model=ChampionChanged, responses=_ERRORS)
    async def promote(request: Request, bundle_id: _Id, body: Reason) -> JSONResponse:
        """Make a bundle the champion. It is loaded and proven first, then used at once."""
        by = caller(request)

        def work() -> JSONResponse:
            return _unknown(store(), bundle_id) or JSONResponse(
                service.champion.promote(bundle_id, why=body.why, by=by).to_json()
            )

        return await run(request, work)

    return router


def _unknown(store: BundleStore, bundle_id: str) -> JSONResponse | None:
    """The answer for an id that the folder does not have."""
    if bundle_id in store.ids():
        return None
    try:
        store.path(bundle_id)
    except BundleError as error:
        return error_response(error, HTTPStatus.NOT_FOUND)
    return None
