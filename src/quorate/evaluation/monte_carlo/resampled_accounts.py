"""Distributions of final return and drawdown over resampled accounts, beside those of the account itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.progress import Progress, silent
from quorate.core.settings import EvaluationSettings
from quorate.core.types import DecisionFrame, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.metrics.trades import account_curve
from quorate.evaluation.monte_carlo.resampled_market import paths_of, resampled_markets
from quorate.evaluation.monte_carlo.reshuffled_trades import closed_drawdown, redrawn, reshuffled
from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False)
class ResampledAccounts:
    """Final return and maximum drawdown, fractions, of resampled accounts and of the account itself.

    Attributes:
        total_return: (draws,); empty where it is the same in all draws.
        max_drawdown: (draws,).
        own_return, own_drawdown: of the account, measured in the same way.
    """

    total_return: FloatArray
    max_drawdown: FloatArray
    own_return: float
    own_drawdown: float

    def to_json(self, confidence: float) -> dict[str, Any]:
        """Median and central `confidence` range of both figures, and the share of draws below the account's own."""
        figures = {"total_return": self.own_return, "max_drawdown": self.own_drawdown}
        document: dict[str, Any] = {"draws": len(self.max_drawdown)}
        for name, own in figures.items():
            values = getattr(self, name)
            if not len(values):
                continue
            tail = (1 - confidence) / 2
            low, middle, high = (float(end) for end in np.quantile(values, [tail, 0.5, 1 - tail]))
            below = float((values < own).mean())
            document[name] = {"own": own, "median": middle, "range": [low, high], "below_own": below}
        if len(self.total_return):
            document["losing"] = float((self.total_return < 0).mean())
        return document


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarlo:
    """Three ways to resample one account.

    Attributes:
        order: the same trades in other orders; tells how much of the drawdown is the order's.
        redrawn: as many trades drawn with replacement, as if they were independent.
        market: the decisions on resampled days of the market; None over fewer than five days.
    """

    order: ResampledAccounts
    redrawn: ResampledAccounts
    market: ResampledAccounts | None

    def to_json(self, confidence: float) -> dict[str, Any]:
        """The figures of each by name, JSON-safe."""
        parts = {"order": self.order, "redrawn": self.redrawn, "market": self.market}
        return {name: None if part is None else part.to_json(confidence) for name, part in parts.items()}


def monte_carlo(
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult,
    setup: BacktestSetup,
    settings: EvaluationSettings,
    progress: Progress = silent,
) -> MonteCarlo | None:
    """Resample an account; None with fewer than two trades, or if `evaluation.market_paths` is 0.

    Args:
        frames: symbol -> decisions.
        result: their backtest.
        setup: of it.
        settings: number of resamples and of market paths, length of a block, seed.
        progress: callback.
    """
    if len(result.trades) < 2 or not settings.market_paths:
        return None
    net = np.array([trade.net_usd for trade in result.trades], np.float64)
    start = result.start_equity_usd
    own, own_drawdown = float(net.sum()) / start, float(closed_drawdown(net[None], start)[0])
    drawn = redrawn(net, start, settings.resamples, settings.seed)
    orders = reshuffled(net, start, settings.resamples, settings.seed)
    paths: list[tuple[float, float]] = []
    expected = paths_of(frames, settings)
    for path in resampled_markets(frames, setup, settings):
        curve = account_curve(path)
        paths.append((curve.total_return, curve.max_drawdown))
        progress("resampling the market", len(paths), expected)
    curve = account_curve(result)
    found = np.array(paths).T if paths else np.empty((2, 0))
    market = ResampledAccounts(found[0], found[1], curve.total_return, curve.max_drawdown) if paths else None
    return MonteCarlo(
        ResampledAccounts(np.empty(0), orders, own, own_drawdown),
        ResampledAccounts(drawn[0], drawn[1], own, own_drawdown),
        market,
    )
