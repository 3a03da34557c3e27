"""A small run made by hand: random walks, two members with a little skill, decisions by a plain rule, some trades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.types import Action, Candles, DecisionFrame
from quorate.evaluation.sample import Sample
from quorate.targets.classes import ForwardClass
from quorate.trading.position import Trade
from quorate.trading.result import BacktestResult

START = parse_ms("2025-08-01")


NEXT_BAR = ForwardClass(horizon=1, band=0.003)


def walk(symbol: str, bars: int, seed: int, synthetic: bool = False) -> Candles:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, bars)))
    opened = np.concatenate([[100.0], close[:-1]])
    time = START + np.arange(bars) * HOUR_MS
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    return Candles(symbol, "1h", time, opened, high, low, close, np.ones(bars), synthetic=synthetic)


def decided(candles: Candles, seed: int) -> DecisionFrame:
    """Two members that see the next bar through much noise; the second abstains on the first ten bars."""
    rng = np.random.default_rng(seed)
    labels, n = NEXT_BAR.label(candles), len(candles)
    scores = {}
    for name in ("xgboost", "lightgbm"):
        leaning = 0.25 * np.eye(3)[labels.y] + 0.75 * rng.dirichlet([2, 2, 2], n)
        scores[name] = leaning / leaning.sum(axis=1, keepdims=True)
    scores["lightgbm"][:10] = np.nan
    mean = np.where(np.isfinite(scores["lightgbm"]), (scores["xgboost"] + scores["lightgbm"]) / 2, scores["xgboost"])
    confidence = mean.max(axis=1)
    acts = confidence > 0.6
    agree = scores["xgboost"].argmax(axis=1) == np.nan_to_num(scores["lightgbm"], nan=0).argmax(axis=1)
    return DecisionFrame(
        symbol=candles.symbol,
        timeframe="1h",
        time=candles.time,
        action=np.where(acts, mean.argmax(axis=1), Action.HOLD).astype(np.int8),
        confidence=confidence,
        base=confidence,
        consensus=np.where(agree, "strong", "weak"),
        rule=np.where(acts, "vote", "below_floor"),
        volatility=np.full(n, 0.006),
        scores=scores,
        synthetic=candles.synthetic,
    )


def trade(net_usd: float, *, day: float = 0.0, symbol: str = "AAA/USDT:USDT", hours: int = 4, **more: object) -> Trade:
    """A long of $100 that nets `net_usd`, after $0.10 of fees and $0.04 of slippage, with $0.02 of funding received."""
    entry_time = START + int(day * DAY_MS)
    fields: dict[str, object] = {
        "symbol": symbol,
        "side": 1,
        "quantity": 1.0,
        "leverage": 2.0,
        "margin_usd": 50.0,
        "confidence": 0.8,
        "decided": entry_time - HOUR_MS,
        "entry_time": entry_time,
        "entry_price": 100.0,
        "exit_time": entry_time + hours * HOUR_MS,
        "exit_price": 100.0 + net_usd + 0.08,
        "stop": 95.0,
        "target": 110.0,
        "reason": "target" if net_usd > 0 else "stop",
        "gross_usd": net_usd + 0.12,
        "fee_usd": 0.10,
        "slippage_usd": 0.04,
        "funding_usd": 0.02,
        "funding_known": True,
        "mark_known": True,
    }
    return Trade(**{**fields, **more})  # type: ignore[arg-type]


def backtested(trades: list[Trade], equity: np.ndarray, start_usd: float = 1_000.0, **more: object) -> BacktestResult:
    fields: dict[str, object] = {
        "timeframe": "1h",
        "symbols": tuple(sorted({trade.symbol for trade in trades})),
        "start_equity_usd": start_usd,
        "trades": tuple(trades),
        "time": START + np.arange(len(equity)) * HOUR_MS,
        "equity_usd": np.asarray(equity, np.float64),
        "exposure": 0.25,
        "refused": {"no_slot": 3},
        "synthetic": False,
        "funding_unknown": (),
        "mark_missing": (),
    }
    return BacktestResult(**{**fields, **more})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Run:
    candles: dict[str, Candles]
    frames: dict[str, DecisionFrame]
    sample: Sample
    result: BacktestResult


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Run]:
    def make(symbols: tuple[str, ...] = ("AAA/USDT:USDT", "BBB/USDT:USDT"), bars: int = 480, synthetic: bool = False):
        candles = {symbol: walk(symbol, bars, place, synthetic) for place, symbol in enumerate(symbols)}
        frames = {symbol: decided(bars_, place) for place, (symbol, bars_) in enumerate(candles.items())}
        rng = np.random.default_rng(9)
        trades = [
            trade(float(rng.normal(0.2, 2)), day=day, symbol=symbols[place % len(symbols)])
            for place, day in enumerate(np.linspace(0.1, bars / 24 - 1, 70))
        ]
        equity = 1_000 + np.cumsum(rng.normal(0.03, 1, bars))
        result = backtested(trades, equity, synthetic=synthetic)
        return Run(candles, frames, Sample.of(frames, candles, NEXT_BAR), result)

    return make


@pytest.fixture(scope="session")
def run(make_run: Callable[..., Run]) -> Run:
    return make_run()


@pytest.fixture(scope="session")
def make_trade() -> Callable[..., Trade]:
    return trade


@pytest.fixture(scope="session")
def make_result() -> Callable[..., BacktestResult]:
    return backtested
