"""`/journal`: search in the records of the account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.serving.caller import address
from quorate.serving.documents.journal import JournalPage
from quorate.serving.routes.paper import NO_ACCOUNT
from quorate.serving.service import Service
from quorate.trading.journal import Entry, entry_json
from quorate.trading.paper.log_lines import line

_MOST_TEXT = 200


def routes(service: Service) -> APIRouter:
    """The journal of the account."""
    router = APIRouter(prefix="/journal", tags=["account"], responses=NO_ACCOUNT)
    view = service.account.view

    @router.get("", response_model=JournalPage)
    async def journal(
        request: Request,
        last: Annotated[int, Query(ge=1, le=500, description="Number of records.")] = 50,
        before: Annotated[int | None, Query(ge=0, lt=2**63, description="Only those with a smaller number.")] = None,
        after: Annotated[int, Query(ge=0, lt=2**63, description="Only those with a larger number.")] = 0,
        kinds: Annotated[
            str, Query(max_length=_MOST_TEXT, description="Kinds separated by commas, such as filled,closed.")
        ] = "",
        symbol: Annotated[str | None, Query(max_length=_MOST_TEXT, description="Only those of this market.")] = None,
        text: Annotated[
            str | None, Query(max_length=_MOST_TEXT, description="Only those whose stored body has this text.")
        ] = None,
        start: Annotated[
            str | None, Query(alias="from", max_length=40, description="Of bars that open at or after it, UTC.")
        ] = None,
        end: Annotated[
            str | None, Query(alias="to", max_length=40, description="Of bars that open before it, UTC.")
        ] = None,
    ) -> JSONResponse:
        """Records that fit all conditions, the newest first."""

        def work() -> dict[str, Any]:
            # One more than is shown says whether there is a page after this one.
            found = view.records(
                last + 1,
                after=after,
                before=before,
                kinds=kinds,
                symbol=symbol or None,
                text=text or None,
                start=start or None,
                end=end or None,
            )
            shown = found[:last]
            return {
                "records": [_record(entry) for entry in shown],
                "before": shown[-1].seq if len(found) > last else None,
            }

        return JSONResponse(await service.reading.run(address(request), work))

    return router


def _record(entry: Entry) -> dict[str, Any]:
    return {**entry_json.to_json(entry), "text": line(entry.record)}
