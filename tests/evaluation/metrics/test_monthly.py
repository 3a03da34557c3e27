from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, parse_ms
from quorate.evaluation.baselines.naive import class_prior
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.metrics.monthly import money_by_month, skill_by_month
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks


def test_months_multiply_to_the_whole(make_trade: Callable[..., Any]) -> None:
    start = parse_ms("2025-08-30")
    time = start + np.arange(5) * DAY_MS  # two days of August, three of September
    account = EquityCurve(time, np.array([110.0, 99.0, 120.0, 90.0, 108.0]), 100.0)
    hold = EquityCurve(time, np.array([100.0, 105.0, 105.0, 105.0, 84.0]), 100.0)
    trades = [
        make_trade(1.0, day=29.1),
        make_trade(-1.0, day=29.2),
        make_trade(2.0, day=30.99),  # opened in August and closed in September
    ]
    august, september = money_by_month(account, hold, trades)
    assert (august["month"], september["month"]) == ("2025-08", "2025-09")
    assert august["total_return"] == pytest.approx(-0.01)
    assert september["total_return"] == pytest.approx(108 / 99 - 1)
    assert (1 + august["total_return"]) * (1 + september["total_return"]) == pytest.approx(1.08)
    assert august["max_drawdown"] == pytest.approx(0.1)  # from 110 to 99
    assert september["max_drawdown"] == pytest.approx(0.25)  # from 120 to 90
    assert (august["buy_and_hold"], september["buy_and_hold"]) == (pytest.approx(0.05), pytest.approx(-0.2))
    assert (august["n"], august["win_rate"]) == (2, 0.5)
    assert (september["n"], september["win_rate"]) == (1, 1.0)


def test_without_trades_or_anything_to_hold_it_says_so() -> None:
    time = parse_ms("2025-08-01") + np.arange(3) * DAY_MS
    (month,) = money_by_month(EquityCurve(time, np.array([1.0, -1.0, -1.0]), 1.0), None, [])
    assert month["win_rate"] is None
    assert month["buy_and_hold"] is None
    assert month["missing"] == {"win_rate": "no trade", "buy_and_hold": "no candles to hold"}
    assert money_by_month(EquityCurve(np.empty(0, np.int64), np.empty(0), 1.0), None, []) == []


def test_a_months_skill_is_that_of_its_own_rows(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=1_000)  # from the first of August into September
    sample, prior = run.sample, class_prior(run.sample.y)
    blocks = TimeBlocks(sample.time, run_settings())
    silent = np.full_like(sample.members["xgboost"], np.nan)
    table = skill_by_month(sample, {"xgboost": sample.members["xgboost"], "silent": silent}, prior, blocks)
    assert [month["month"] for month in table] == ["2025-08", "2025-09"]
    assert sum(month["rows"] for month in table) == len(sample)
    rows = sample.time >= parse_ms("2025-09-01")
    expected = classification.skill_vs_prior(sample.y[rows], sample.members["xgboost"][rows], prior)
    september = table[1]["models"]
    assert september["xgboost"]["skill_vs_prior"] == pytest.approx(expected)
    low, high = september["xgboost"]["skill_vs_prior_ci"]
    assert low < expected < high
    assert september["silent"]["missing"]["skill_vs_prior"] == "no vote"


def run_settings() -> Any:
    from quorate.core.settings import EvaluationSettings

    return EvaluationSettings(resamples=200)
