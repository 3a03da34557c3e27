"""`/journal`: search in the records of the account."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.serving.caller import address
from quorate.serving.documents.journal import JournalPage
from quorate.serving.moments import Moment, moment_ms
from quorate.serving.routes.paper import NO_ACCOUNT
from quorate.serving.service import Service
from quorate.trading.journal import RECORDS, Entry, entry_json
from quorate.trading.paper.log_lines import line

# In the schema, so that clients know what is refused: names of kinds, and texts that a database can look for.
_KINDS = f"(({'|'.join(RECORDS)})(,({'|'.join(RECORDS)}))*)?"
_TEXT = r"^[^\x00]*$"


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
            str, Query(pattern=f"^{_KINDS}$", description="Kinds separated by commas, such as filled,closed.")
        ] = "",
        symbol: Annotated[
            str | None, Query(max_length=200, pattern=_TEXT, description="Only those of this market.")
        ] = None,
        text: Annotated[
            str | None,
            Query(max_length=200, pattern=_TEXT, description="Only those whose stored body has this text."),
        ] = None,
        start: Annotated[
            Moment | None, Query(alias="from", description="Of bars that open at or after it; UTC without a zone.")
        ] = None,
        end: Annotated[
            Moment | None, Query(alias="to", description="Of bars that open before it; UTC without a zone.")
        ] = None,
    ) -> JSONResponse:
        """Records that fit all conditions, the newest first."""

        def work() -> dict[str, Any]:
            first, last_bar = (None if moment is None else moment_ms(moment) for moment in (start, end))
            if first is not None and last_bar is not None and first >= last_bar:
                return {"records": [], "before": None}
            # One more than is shown says whether there is a page after this one.
            found = view.records(
                last + 1,
                after=after,
                before=before,
                kinds=kinds,
                symbol=symbol or None,
                text=text or None,
                start=first,
                end=last_bar,
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
