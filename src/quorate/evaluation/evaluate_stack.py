"""Evaluation of a stack on bars it was not trained on: predicted returns, decisions and trades, with baselines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, iso_ms
from quorate.core.errors import EvaluationError
from quorate.core.settings import Settings
from quorate.core.types import DecisionFrame, FloatArray, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.evaluation.baselines.random_entries import random_accounts, random_entry_figures
from quorate.evaluation.baselines.strategies import momentum_strategy, rules_strategy
from quorate.evaluation.criteria import criteria
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.equity import equity_figures
from quorate.evaluation.metrics.regression import return_baselines, return_figures
from quorate.evaluation.metrics.trades import trade_figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets.returns import forward_return
from quorate.trading.backtest.backtest_result import BacktestResult


def stack_figures(
    frames: Mapping[str, DecisionFrame],
    result: BacktestResult,
    setup: BacktestSetup,
    mean: float,
    settings: Settings,
    judged: BacktestResult | None = None,
) -> dict[str, Any]:
    """The document of `quorate evaluate --json` for a stack, JSON-safe.

    Returns are evaluated on bars with a known return and predictions of the stack and of every member, so that all of
    them and the baselines have the same rows.

    Args:
        frames: symbol -> decisions of a stack on every bar of the run.
        result: their backtest.
        setup: of that backtest; its horizon is the target's.
        mean: mean return of the rows that the stack was trained on, a fraction.
        settings: intervals, criteria and costs.
        judged: backtest of the same decisions with a panel of language models, for its criteria; None without one.

    Raises:
        EvaluationError: no symbol.
    """
    y, time, predicted, members = _rows(frames, setup)
    blocks, horizon = TimeBlocks(time, settings.evaluation), setup.horizon
    decisions = decision_figures(frames.values(), settings.evaluation)
    trades = trade_figures(result, settings.evaluation)
    baselines = return_baselines(y, mean, time, blocks, horizon=horizon)
    for name, baseline in (
        ("momentum", momentum_strategy(frames, setup, settings.target)),
        ("rules", rules_strategy(frames, setup, settings.target)),
    ):
        baselines[name] = {"about": baseline.about, "trades": trade_figures(baseline.result, settings.evaluation)}
    spans = {
        symbol: setup.candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
        for symbol, frame in frames.items()
        if len(frame)
    }
    if spans:
        hold = buy_and_hold(spans, result.start_equity_usd, settings.costs, setup.funding)
        baselines["buy_and_hold"] = equity_figures(hold, settings.evaluation).to_json()
    accounts = random_accounts(result, frames, setup)
    baselines["random"] = random_entry_figures(result, accounts, settings.evaluation)
    return {
        "synthetic": any(frame.synthetic for frame in frames.values()) or result.synthetic,
        "rows": len(y),
        "symbols": len(frames),
        "timeframe": next(frame.timeframe for frame in frames.values()),
        "from": iso_ms(int(time.min())) if len(time) else None,
        "to": iso_ms(int(time.max())) if len(time) else None,
        "days": len(np.unique(time // DAY_MS)),
        "intervals": {
            "confidence": settings.evaluation.confidence,
            "resamples": settings.evaluation.resamples,
            "block_hours": settings.evaluation.block_hours,
            "blocks": blocks.count,
        },
        "members": {name: return_figures(y, column, time, blocks, horizon=horizon) for name, column in members.items()},
        "ensemble": return_figures(y, predicted, time, blocks, horizon=horizon),
        "baselines": baselines,
        "decisions": decisions,
        "trades": trades,
        "criteria": criteria(
            decisions,
            trades,
            settings.criteria,
            stack=None if judged is None else trade_figures(judged, settings.evaluation),
            rules=None if judged is None else baselines["rules"]["trades"],
        ),
    }


def _rows(
    frames: Mapping[str, DecisionFrame], setup: BacktestSetup
) -> tuple[FloatArray, IntArray, FloatArray, dict[str, FloatArray]]:
    """Returns, times, predictions of the stack and of its members, on the rows that all of them have, by time."""
    if not frames:
        raise EvaluationError("evaluate a stack", found="no symbol", expected="at least one frame")
    parts = []
    for symbol, frame in frames.items():
        candles = setup.candles[symbol]
        earned = forward_return(candles, setup.horizon)[np.searchsorted(candles.time, frame.time)]
        predicted = np.full(len(frame), np.nan) if frame.predicted is None else frame.predicted
        parts.append((earned, frame.time, predicted, frame.forecasts))
    # A member that failed in training has no predictions, and is left out.
    names = [
        name
        for name in dict.fromkeys(name for part in parts for name in part[3])
        if any(np.isfinite(part[3][name]).any() for part in parts if name in part[3])
    ]
    y, time, predicted = (np.concatenate([part[place] for part in parts]) for place in range(3))
    members = [
        np.concatenate([part[3][name] if name in part[3] else np.full(len(part[0]), np.nan) for part in parts])
        for name in names
    ]
    table = np.column_stack([y, predicted, *members])
    rows = np.flatnonzero(np.isfinite(table).all(axis=1))
    rows = rows[np.argsort(time[rows], kind="stable")]
    chosen = table[rows]
    return chosen[:, 0], time[rows], chosen[:, 1], dict(zip(names, chosen[:, 2:].T, strict=True))
