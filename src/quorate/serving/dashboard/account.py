"""The page "Account": equity and drawdown beside buy and hold, positions, trades, costs, criteria, ladder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from quorate.core.types import FloatArray
from quorate.serving.caller import address
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.account_rows import ShownAccount
from quorate.workflows.paper.figures import DecidedTrade, EquityPoints

PATH = f"{HOME}/account"

_TRADES = 25
# Points of a line; a screen has no more columns to draw them in.
_POINTS = 1_000


def add_account(router: APIRouter, pages: Pages) -> None:
    """Add the page and the data of its plots."""
    service = pages.service

    @router.get(PATH)
    async def account(request: Request) -> Response:
        shown = await service.reading.run(address(request), lambda: ShownAccount.read(service))
        query = request.query_params.get("before", "")
        before = int(query) if query.isdecimal() and len(query) < 18 else None
        trades: list[DecidedTrade] = []
        if shown.document is not None:
            trades = await service.reading.run(
                address(request), lambda: service.account.view.trades(_TRADES + 1, before)
            )
        return pages.render(
            request,
            "account.html",
            account=shown,
            trades=[trade.to_json() for trade in trades[:_TRADES]],
            older=trades[_TRADES - 1].number if len(trades) > _TRADES else None,
            before=before,
        )

    @router.get(f"{PATH}/plots")
    async def plots(request: Request) -> Response:
        found = await service.reading.run(address(request), lambda: service.account.equity().sampled(_POINTS))
        return JSONResponse(plots_of(found))


def plots_of(found: EquityPoints) -> dict[str, Any]:
    """What the page draws: two plots over the same times, in s."""
    time = (found.time // 1_000).tolist()
    equity = [{"label": "Equity", "colour": "accent", "values": found.equity_usd.tolist()}]
    if found.hold_usd is not None:
        hold = {"label": "Buy and hold", "colour": "hold", "dashed": True, "values": _known(found.hold_usd)}
        equity.append(hold)
    drawdown = {"label": "Drawdown", "colour": "sell", "fill": True, "values": (-np.abs(found.drawdown)).tolist()}
    return {
        "equity": {"time": time, "unit": "usd", "level": found.start_usd, "series": equity},
        "drawdown": {"time": time, "unit": "share", "series": [drawdown]},
    }


def _known(values: FloatArray) -> list[float | None]:
    """Values as JSON has them: null where they are not known yet."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
