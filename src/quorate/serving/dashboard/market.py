"""The page "Market": candles, and the members' votes, the probabilities and the volatility below them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from quorate.core.clock import parse_ms
from quorate.core.errors import QuorateError, TrainingSpanError
from quorate.core.types import CLASS_NAMES, Action, BoolArray, Candles, DecisionFrame, FloatArray
from quorate.ensemble.inference import Predictor
from quorate.ensemble.inference.bar_checks import TRAINING_SPAN
from quorate.serving.caller import address
from quorate.serving.dashboard.frames import MarketFrames
from quorate.serving.dashboard.newest import NewestSignals
from quorate.serving.dashboard.now import gates, market_rows
from quorate.serving.dashboard.page import HOME, Pages
from quorate.serving.dashboard.rows.explanation_rows import explanation_rows
from quorate.workflows.paper import PaperStatus

PATH = f"{HOME}/market"

# Bars in the table below the chart.
_SHOWN = 12


def add_market(router: APIRouter, pages: Pages, newest: NewestSignals) -> None:
    """Add the page and the data of its chart."""
    service = pages.service
    frames = MarketFrames(service)

    @router.get(PATH)
    async def market(request: Request) -> Response:
        symbol = request.query_params.get("symbol") or service.candles.symbols[0]
        predictor, candles, frame = await service.work.run(address(request), lambda: frames.read(symbol))
        row, refused = None, ""
        try:
            _, signals = await service.work.run(address(request), newest.read)
            row = next((row for row in market_rows(predictor, signals) if row.symbol == symbol), None)
        except TrainingSpanError as error:
            refused = error.found
        explained, unexplained = None, ""
        try:
            explained = await service.work.run(
                address(request), lambda: explanation_rows(service.explanations.read(symbol))
            )
        except QuorateError as error:
            unexplained = error.found
        return pages.render(
            request,
            "market.html",
            explained=explained,
            unexplained=unexplained,
            symbol=symbol,
            symbols=service.candles.symbols,
            row=row,
            refused=refused,
            models=predictor.newest.members.order,
            volatility_limit=predictor.manifest.policy.volatility_limit if gates(predictor) else None,
            close=float(candles.close[-1]),
            bars=_newest_bars(candles, frame),
            predicted=frame is not None,
        )

    @router.get(f"{PATH}/data")
    async def data(request: Request, symbol: str) -> Response:
        def work() -> dict[str, Any]:
            predictor, candles, frame = frames.read(symbol)
            traded = account_document(service.account.status, symbol, int(candles.time[0]))
            return chart_document(predictor, candles, frame) | traded

        return JSONResponse(await service.work.run(address(request), work))


def chart_document(predictor: Predictor, candles: Candles, frame: DecisionFrame | None) -> dict[str, Any]:
    """What the chart draws: a value a bar in each list, null where there is none.

    Times are in s. Scores and probabilities are whole percent, since a pixel shows no more; members of a stack have
    predicted returns in percent instead of votes.

    Args:
        predictor: the bundle.
        candles: n bars.
        frame: decisions at them; None where the bundle was trained on all of them.
    """
    policy = predictor.manifest.policy
    document: dict[str, Any] = {
        "symbol": candles.symbol,
        "synthetic": candles.synthetic,
        "time": (candles.time // 1_000).tolist(),
        **{name: getattr(candles, name).tolist() for name in ("open", "high", "low", "close")},
        "actions": None,
        "members": {},
        "forecasts": {},
        "probabilities": None,
        "confidence": None,
        "volatility": None,
        "floor": round(100 * policy.floor, 2) if gates(predictor) else None,
        "volatility_limit": round(100 * policy.volatility_limit, 4) if gates(predictor) else None,
    }
    if frame is None:
        return document
    known: BoolArray = np.asarray(frame.rule != TRAINING_SPAN)
    document |= {
        "actions": _optional(frame.action.astype(np.float64), known),
        "confidence": _percent(frame.confidence, known),
        "volatility": _percent(frame.volatility, np.ones(len(frame), np.bool_), 3),
        "members": {model: _votes(scores) for model, scores in frame.scores.items()},
        "forecasts": {model: _percent(own, known, 4) for model, own in frame.forecasts.items()},
    }
    if frame.probabilities is not None:
        columns = enumerate(name.lower() for name in CLASS_NAMES)
        document["probabilities"] = {name: _percent(frame.probabilities[:, place], known) for place, name in columns}
    return document


def account_document(status: PaperStatus | None, symbol: str, since: int) -> dict[str, Any]:
    """Trades of the paper account in a market, and its open position; times in s, null where there is none.

    Args:
        status: of the account; None without one.
        symbol: the market.
        since: ms; trades that ended before are left out.
    """
    if status is None:
        return {"trades": [], "position": None}
    names = ("entry_price", "exit_price", "stop", "target", "net_usd")
    trades = [
        {
            "side": "long" if trade.side > 0 else "short",
            "entry_time": trade.entry_time // 1_000,
            "exit_time": trade.exit_time // 1_000,
            # A position by target has neither stop nor target.
            **{name: value if math.isfinite(value := getattr(trade, name)) else None for name in names},
        }
        for trade in status.result.trades
        if trade.symbol == symbol and trade.exit_time >= since
    ]
    shown = ("side", "entry_price", "stop", "target", "liquidation_price")
    held = next((each for each in status.document["positions"] if each["symbol"] == symbol), None)
    position = None
    if held is not None:
        # A liquidation price of 0 is none: on cross margin the account is liquidated as a whole.
        levels = {name: held[name] or None for name in shown}
        position = {"entry_time": parse_ms(held["entry_time"]) // 1_000, **levels}
    return {"trades": trades, "position": position}


def _votes(scores: FloatArray) -> dict[str, list[float | None]]:
    """Action and score of a member at each bar, from its scores (n, 3)."""
    voted: BoolArray = np.asarray(np.isfinite(scores).all(axis=1))
    best = np.where(voted[:, None], scores, 0.0)
    return {"actions": _optional(best.argmax(axis=1), voted), "scores": _percent(best.max(axis=1), voted)}


def _percent(values: Any, known: BoolArray, digits: int = 0) -> list[float | None]:
    return _optional(np.round(100 * values, digits), known)


def _optional(values: Any, known: BoolArray) -> list[float | None]:
    """Values as JSON has them: null where unknown or not finite, whole numbers without a point."""
    usable = np.isfinite(values) & known
    return [
        None if not use else int(value) if value == int(value) else float(value)
        for value, use in zip(np.where(usable, values, 0).tolist(), usable.tolist(), strict=True)
    ]


def _newest_bars(candles: Candles, frame: DecisionFrame | None) -> list[dict[str, Any]]:
    """The newest bars with their decisions, newest first: what the chart shows, as a table."""
    rows = []
    for place in range(len(candles) - 1, max(-1, len(candles) - 1 - _SHOWN), -1):
        row = {
            "time": int(candles.time[place]),
            "close": float(candles.close[place]),
            "change": _change(candles.close, place),
            "action": "",
            "confidence": None,
            "consensus": "",
        }
        if frame is not None and str(frame.rule[place]) != TRAINING_SPAN:
            row |= {
                "action": Action(int(frame.action[place])).name,
                "confidence": float(frame.confidence[place]),
                "consensus": str(frame.consensus[place]).replace("_", " "),
            }
        rows.append(row)
    return rows


def _change(close: FloatArray, place: int) -> float | None:
    return None if place == 0 else float(close[place] / close[place - 1] - 1)
