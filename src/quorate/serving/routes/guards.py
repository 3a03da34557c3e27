"""`/guards` and `/ladder`: what limits the account, and requests of a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.serving.caller import address, caller
from quorate.serving.documents.guards import GuardsDocument, RequestBody, Requested
from quorate.serving.errors import ErrorDocument
from quorate.serving.routes.paper import NO_ACCOUNT
from quorate.serving.service import Service

_REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorDocument, "description": "The account does not allow it; nothing was recorded."}
}
_Guard = Annotated[str, Path(max_length=64, description="Its name, such as drawdown.")]
_SHOWN = ("account", "mode", "guards", "ladder", "drift", "requests", "moves")


def routes(service: Service) -> APIRouter:
    """Guards and ladder of the account."""
    router = APIRouter(tags=["account"], responses=NO_ACCOUNT)
    view = service.account.view

    @router.get("/guards", response_model=GuardsDocument)
    async def guards(request: Request) -> JSONResponse:
        """Guards, ladder, requests that wait for the next bar, and the newest moves."""

        def work() -> dict[str, Any]:
            found = view.status().document
            return {name: found[name] for name in _SHOWN}

        return JSONResponse(await service.reading.run(address(request), work))

    @router.post("/guards/{guard}/rearm", response_model=Requested, responses=_REFUSED)
    async def rearm(request: Request, guard: _Guard, body: RequestBody) -> JSONResponse:
        """Record the request to re-arm a guard that has halted the account; it applies from the next bar."""
        who = caller(request)

        def work() -> dict[str, Any]:
            return view.rearm(guard, who=who, note=body.note).to_json()

        return JSONResponse(await service.reading.run(address(request), work))

    @router.post("/ladder/promote", response_model=Requested, responses=_REFUSED)
    async def promote(request: Request, body: RequestBody) -> JSONResponse:
        """Record the confirmation of the ladder's next step; it applies from the next bar."""
        who = caller(request)

        def work() -> dict[str, Any]:
            return view.promote(who=who, note=body.note).to_json()

        return JSONResponse(await service.reading.run(address(request), work))

    return router
