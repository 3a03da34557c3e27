"""The page "Account": equity and drawdown beside baselines, positions, trades, costs, criteria, ladder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from quorate.core.types import FloatArray, IntArray
from quorate.serving.caller import address
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.account_rows import ShownAccount
from quorate.workflows.paper.figures import DecidedTrade, EquityPoints, day_results, market_results

if TYPE_CHECKING:
    from quorate.evaluation.baselines import AccountBaselines

PATH = f"{HOME}/account"

_TRADES = 25
# Newest days that are listed.
_DAYS = 14
# Baselines as lines, told apart by colour and by stroke.
_LINES: Mapping[str, Mapping[str, str]] = {
    "buy_and_hold": {"label": "Buy and hold", "colour": "teal", "dash": "dashed"},
    "momentum": {"label": "Momentum", "colour": "warn", "dash": "dotted"},
    "rules": {"label": "Rules", "colour": "violet", "dash": "dashdot"},
    "random_entries": {"label": "Random entries", "colour": "hold", "dash": "thin"},
}
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
        status = service.account.status
        result = None if status is None or shown.document is None else status.result
        baselines, failed = service.account.baselines, service.account.baselines_error
        return pages.render(
            request,
            "account.html",
            account=shown,
            markets=[] if result is None else market_results(result),
            days=[] if result is None else day_results(result, _DAYS),
            baselines=None if baselines is None else baselines.document,
            baselines_error="" if failed is None else str(failed),
            trades=[trade.to_json() for trade in trades[:_TRADES]],
            older=trades[_TRADES - 1].number if len(trades) > _TRADES else None,
            before=before,
        )

    @router.get(f"{PATH}/plots")
    async def plots(request: Request) -> Response:
        found = await service.reading.run(address(request), lambda: service.account.equity().sampled(_POINTS))
        return JSONResponse(plots_of(found, service.account.baselines))


def plots_of(found: EquityPoints, baselines: AccountBaselines | None) -> dict[str, Any]:
    """What the page draws: two plots over the same times, in s."""
    own = {"label": "Account", "colour": "accent"}
    equity: list[dict[str, Any]] = [{**own, "values": _drawn(found.equity_usd)}]
    drawdown: list[dict[str, Any]] = [{**own, "fill": True, "values": _drawn(-np.abs(found.drawdown))}]
    if baselines is not None:
        on = partial(_values_at, found.time, baselines.time)
        for name, compared in {"buy_and_hold": baselines.hold, **baselines.strategies}.items():
            equity.append({**_LINES[name], "values": on(compared.curve.equity)})
            drawdown.append({**_LINES[name], "values": on(-compared.curve.drawdown)})
        if baselines.random is not None:
            band = baselines.random.band
            ends = {"low": on(band.low), "high": on(band.high)}
            equity.append({**_LINES["random_entries"], "values": on(band.middle.equity), **ends})
    time = (found.time // 1_000).tolist()
    return {
        "equity": {"time": time, "unit": "usd", "level": found.start_usd, "series": equity},
        "drawdown": {"time": time, "unit": "share", "series": drawdown},
    }


def _values_at(wanted: IntArray, time: IntArray, values: FloatArray) -> list[float | None]:
    """(n,) values at the wanted bars; null at those that are not among them, such as bars that came since."""
    place = np.minimum(np.searchsorted(time, wanted), len(time) - 1)
    return _drawn(np.where(time[place] == wanted, values[place], np.nan))


def _drawn(values: FloatArray) -> list[float | None]:
    """Values with seven digits, which no screen can tell from all; null where they are not known."""
    return [float(f"{value:.7g}") if math.isfinite(value) else None for value in values.tolist()]
