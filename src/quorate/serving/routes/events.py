"""`/events`: what happens, as server-sent events."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from quorate.core.errors import JournalError
from quorate.serving.caller import address
from quorate.serving.live.events import KINDS, EventKind, LiveEvent
from quorate.serving.live.stream import EventStream
from quorate.serving.service import Service
from quorate.workflows.inputs.selection import split_names

# Kinds that can be asked for, and the form of a list of them.
_ASKED = KINDS[:-2]
_KINDS = f"(({'|'.join(_ASKED)})(,({'|'.join(_ASKED)}))*)?"

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events until the client or the service closes the connection.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'event: bar\ndata: {"account":"paper","number":812,"time":"2026-05-01T12:00:00Z",'
                '"equity_usd":1012.5,"cash_usd":1000.0,"positions":["BTC/USDT:USDT"]}\nid: 812\n\n',
            }
        },
    }
}


def routes(service: Service) -> APIRouter:
    """The stream of events."""
    router = APIRouter(prefix="/events", tags=["account"])

    @router.get("", response_class=Response, responses=_STREAM)
    async def events(
        request: Request,
        kinds: Annotated[
            str, Query(pattern=f"^{_KINDS}$", description=f"Only these, separated by commas: {', '.join(_ASKED)}.")
        ] = "",
        after: Annotated[
            int | None, Query(ge=0, lt=2**63, description="Send the events after this number of a record first.")
        ] = None,
        last_event_id: Annotated[
            int | None, Header(ge=0, lt=2**63, description="The same, as browsers send it when they come back.")
        ] = None,
    ) -> Response:
        """New candles, bars, signals, fills, closed trades, moves of guards and ladder, figures, and new champions.

        An event of the journal has the number of its record as its id. A client that reads too slowly gets a last event
        `dropped`; one that missed too much gets `skipped` in place of it.
        """
        wanted, limits = _wanted(kinds), service.settings.serve
        number = after if last_event_id is None else last_event_id
        service.admission.open_stream(request)
        subscription = service.events.subscribe(wanted)
        missed: list[LiveEvent] = []

        def read(number: int) -> list[LiveEvent]:
            try:
                return service.account.missed(number, wanted, limits.events)
            except JournalError:
                return []  # there is nothing to send again now; events follow once it can be read

        try:
            if number is not None:
                missed = await service.reading.run(address(request), partial(read, number))
        except BaseException:
            subscription.end()
            raise
        return EventStream(subscription, missed, heartbeat_s=limits.heartbeat_s, stall_s=limits.stall_s)

    return router


def _wanted(kinds: str) -> tuple[EventKind, ...]:
    """The kinds that a stream sends; empty for all."""
    names = split_names(kinds)
    # Both say that events are missing, which every client has to know.
    return (*names, "skipped", "dropped") if names else ()  # type: ignore[arg-type]
