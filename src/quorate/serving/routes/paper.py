"""`/paper`: the paper account, its equity and its trades."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.serving.caller import address
from quorate.serving.documents.paper import EquityDocument, InsideDocument, PaperDocument, TradeDocument
from quorate.serving.errors import ErrorDocument
from quorate.serving.service import Service

#: Of every route that reads the journal.
NO_ACCOUNT: dict[int | str, dict[str, Any]] = {404: {"model": ErrorDocument, "description": "No such account yet."}}


def routes(service: Service) -> APIRouter:
    """The account that the service shows."""
    router = APIRouter(prefix="/paper", tags=["account"], responses=NO_ACCOUNT)
    view = service.account.view

    @router.get("", response_model=PaperDocument)
    async def paper(request: Request) -> JSONResponse:
        """Equity, positions, guards, ladder and success criteria as of the last completed step."""
        return JSONResponse(await service.reading.run(address(request), lambda: view.status().to_json()))

    @router.get("/equity", response_model=EquityDocument)
    async def equity(
        request: Request,
        points: Annotated[int, Query(ge=2, le=5_000, description="Shown bars, at most; the newest is one.")] = 500,
    ) -> JSONResponse:
        """Equity and drawdown since the beginning, beside buy and hold of the account's markets."""

        def work() -> dict[str, Any]:
            return service.account.equity().sampled(points).to_json()

        return JSONResponse(await service.reading.run(address(request), work))

    @router.get("/trades", response_model=list[TradeDocument])
    async def trades(
        request: Request,
        last: Annotated[int, Query(ge=1, le=200, description="Number of trades.")] = 50,
        before: Annotated[int | None, Query(ge=0, lt=2**63, description="Only those with a smaller number.")] = None,
    ) -> JSONResponse:
        """Closed trades with the votes they were entered on, the newest first."""

        def work() -> list[dict[str, Any]]:
            return [trade.to_json() for trade in view.trades(last, before)]

        return JSONResponse(await service.reading.run(address(request), work))

    @router.get("/session", response_model=InsideDocument | None)
    async def session() -> JSONResponse:
        """The session inside this process; null where the account runs elsewhere."""
        found = service.session
        if found is None:
            return JSONResponse(None)
        return JSONResponse({"state": found.state, "error": None if found.error is None else str(found.error)})

    return router
