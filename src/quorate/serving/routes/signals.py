"""`/signals`: decisions at the newest closed bar, and what contributed to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse

from quorate.core.errors import ArgumentError
from quorate.serving.caller import address
from quorate.serving.documents.explanations import ExplanationDocument
from quorate.serving.documents.signals import SignalDocument
from quorate.serving.errors import ErrorDocument
from quorate.serving.moments import Moment, moment_ms
from quorate.serving.service import Service
from quorate.workflows.inputs.selection import split_names

#: Header of an answer: the bundle that its figures come from.
BUNDLE_HEADER = "Quorate-Bundle"

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"headers": {BUNDLE_HEADER: {"description": "Id of the bundle that decided.", "schema": {"type": "string"}}}},
    404: {"model": ErrorDocument, "description": "A market that is not served."},
    421: {"model": ErrorDocument, "description": "A market of another shard, which is named; or another host."},
    409: {"model": ErrorDocument, "description": "A bar that cannot be predicted, such as one of the training span."},
}


class _SignalsResponse(JSONResponse):
    """Signals of many markets: pydantic writes their thousands of numbers in a fifth of the time of `json`."""

    def render(self, content: Any) -> bytes:
        return _ANY.dump_json(content)


_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def routes(service: Service) -> APIRouter:
    """Signals of one market and of many, and explanations."""
    router = APIRouter(prefix="/signals", tags=["signals"])

    @router.get("", response_model=list[SignalDocument], responses=_ANSWERS)
    async def many(
        request: Request,
        symbols: Annotated[
            str | None,
            Query(
                max_length=20_000,
                pattern=r"[^,\s]",  # at least one name
                description="Markets separated by commas; all that can be predicted if left out.",
            ),
        ] = None,
    ) -> JSONResponse:
        """The decision at the newest closed bar of many markets, in one batch by one bundle.

        Markets whose newest bar lies inside the bundle's training span are left out, unless they are named: then they
        are an error.
        """
        wanted = None if symbols is None else split_names(symbols)
        if wanted == ():
            raise ArgumentError("choose the markets", found="no name in `symbols`", expected="markets, with commas")

        def work() -> JSONResponse:
            found = service.predict(wanted)
            return _SignalsResponse(found.signals.to_json(), headers={BUNDLE_HEADER: found.bundle})

        return await service.work.run(address(request), work)

    # Before the route of a market, which takes every path.
    @router.get("/{symbol:path}/explanation", response_model=ExplanationDocument, responses=_ANSWERS)
    async def explanation(
        request: Request,
        symbol: str,
        since: Annotated[
            Moment | None,
            Query(
                description="Explain what changed since the newest bar that had opened by then, instead of the "
                "difference from earlier bars; UTC without a zone."
            ),
        ] = None,
    ) -> JSONResponse:
        """What each group of features contributed to the decision at the newest closed bar of a market."""

        def work() -> JSONResponse:
            found = service.explanations.read(symbol, None if since is None else moment_ms(since))
            return JSONResponse(found.to_json(), headers={BUNDLE_HEADER: found.bundle})

        return await service.work.run(address(request), work)

    @router.get("/{symbol:path}", response_model=SignalDocument, responses=_ANSWERS)
    async def one(request: Request, symbol: str) -> JSONResponse:
        """The decision at the newest closed bar of a market, such as BTC/USDT:USDT."""
        found = await service.work.run(address(request), lambda: service.predict((symbol,)))
        return JSONResponse(found.signals[0].to_json(), headers={BUNDLE_HEADER: found.bundle})

    return router
