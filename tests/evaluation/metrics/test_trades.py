from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings
from quorate.core.wilson import wilson
from quorate.evaluation.metrics.trades import net_returns, trade_figures
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

SETTINGS = EvaluationSettings()
Make = Callable[..., Trade]
Back = Callable[..., BacktestResult]


def test_hand_worked_trades(make_trade: Make, make_result: Back) -> None:
    # Four trades of $100 that net +4, +2, -1, -2, with two UTC days of hourly equity from 1,000.
    trades = [make_trade(4.0, day=0), make_trade(2.0, day=0.2), make_trade(-1.0, day=1), make_trade(-2.0, day=1.2)]
    equity = np.linspace(1_000, 1_003, 48)
    figures = trade_figures(make_result(trades, equity), SETTINGS)
    assert (figures["n"], figures["wins"], figures["win_rate"]) == (4, 2, 0.5)
    assert figures["win_rate_ci"] == pytest.approx(wilson(2, 4))
    assert figures["expectancy_bps"] == pytest.approx(75.0)
    assert figures["expectancy_usd"] == pytest.approx(0.75)
    assert figures["profit_factor"] == pytest.approx(2.0)
    assert figures["reward_risk"] == pytest.approx(2.0)
    assert figures["largest_loss_usd"] == pytest.approx(2.0)
    assert figures["largest_win_usd"] == pytest.approx(4.0)
    assert figures["net_usd"] == pytest.approx(3.0)
    assert figures["costs"] == pytest.approx({"fee_usd": 0.4, "slippage_usd": 0.16, "funding_usd": 0.08})
    costs = figures["costs"]
    net = figures["gross_usd"] - costs["fee_usd"] - costs["slippage_usd"] + costs["funding_usd"]
    assert net == pytest.approx(figures["net_usd"])
    # 400 bought, 400 + 3 + 4 x 0.08 sold, over a mean equity of 1,001.5 and two days.
    assert figures["turnover_per_day"] == pytest.approx(803.32 / 1_001.5 / 2)
    assert figures["exposure"] == 0.25
    assert figures["total_return"] == pytest.approx(0.003)
    assert figures["sides"] == {"long": 4, "short": 0}
    assert figures["exits"] == {"target": 2, "stop": 2}
    assert figures["expectancy_bps_ci"] is None
    assert figures["missing"]["expectancy_bps_ci"] == "trades on 2 days only"


def test_expectancy_weighs_trades_by_nothing_but_their_own_value(make_trade: Make, make_result: Back) -> None:
    small = make_trade(1.0, quantity=0.1)  # $10 of value: ten per cent
    large = make_trade(-1.0, quantity=10.0)  # $1,000 of value: a tenth of a per cent
    result = make_result([small, large], np.full(24, 1_000.0))
    assert net_returns(result) == pytest.approx([0.1, -0.001])
    assert trade_figures(result, SETTINGS)["expectancy_bps"] == pytest.approx(495.0)


def test_a_trade_that_nets_nothing_is_neither_won_nor_lost(make_trade: Make, make_result: Back) -> None:
    nothing = make_trade(0.0, gross_usd=0.125, fee_usd=0.125, slippage_usd=0.0, funding_usd=0.0)
    assert nothing.net_usd == 0
    figures = trade_figures(make_result([nothing], np.full(24, 1_000.0)), SETTINGS)
    assert figures["win_rate"] == 0
    assert figures["profit_factor"] is None
    assert figures["missing"]["profit_factor"] == "no losing trade"


def test_no_trades_give_nulls_with_reasons_and_no_error(make_result: Back) -> None:
    figures = trade_figures(make_result([], np.full(48, 1_000.0)), SETTINGS)
    assert figures["n"] == 0
    for name in ("win_rate", "win_rate_ci", "expectancy_bps", "profit_factor", "reward_risk"):
        assert figures[name] is None
        assert figures["missing"][name] == "no trade"
    assert figures["largest_loss_usd"] == figures["net_usd"] == figures["turnover_per_day"] == 0
    json.dumps(figures, allow_nan=False)


def test_no_bars_either(make_result: Back) -> None:
    figures = trade_figures(make_result([], np.empty(0), exposure=0.0), SETTINGS)
    assert figures["turnover_per_day"] is None
    json.dumps(figures, allow_nan=False)


def test_only_losses_have_no_reward_to_risk(make_trade: Make, make_result: Back) -> None:
    figures = trade_figures(make_result([make_trade(-1.0)], np.full(24, 999.0)), SETTINGS)
    assert figures["profit_factor"] == 0
    assert figures["reward_risk"] is None
    assert figures["missing"]["reward_risk"] == "no winning trade"


def test_intervals_over_many_days(make_trade: Make, make_result: Back) -> None:
    rng = np.random.default_rng(2)
    trades = [make_trade(float(rng.normal(0.5, 2)), day=float(day)) for day in rng.uniform(0, 40, 300)]
    figures = trade_figures(make_result(trades, np.linspace(1_000, 1_100, 41 * 24)), SETTINGS)
    low, high = figures["expectancy_bps_ci"]
    assert low < figures["expectancy_bps"] < high
    # Independent trades: the interval is about the classical one, 2 x 1.96 x sd / sqrt(n).
    assert high - low == pytest.approx(2 * 1.96 * 200 / np.sqrt(300), rel=0.3)
    low, high = figures["win_rate_by_day_ci"]
    assert low < figures["win_rate"] < high
    json.dumps(figures, allow_nan=False)


def test_trades_of_one_day_count_as_one_piece_of_evidence(make_trade: Make, make_result: Back) -> None:
    # Every trade of a day ends like the others of that day, as in a market that moves as one.
    trades = [make_trade(1.0 if day % 2 else -1.0, day=day + hour / 24) for day in range(10) for hour in range(20)]
    figures = trade_figures(make_result(trades, np.linspace(1_000, 1_001, 240)), SETTINGS)
    wilson_width = figures["win_rate_ci"][1] - figures["win_rate_ci"][0]
    by_day = figures["win_rate_by_day_ci"]
    assert by_day[1] - by_day[0] > 3 * wilson_width


def test_what_is_not_known_is_said(make_trade: Make, make_result: Back) -> None:
    result = make_result([make_trade(1.0)], np.full(24, 1.0), funding_unknown=("A/USDT:USDT",), mark_missing=())
    figures = trade_figures(result, SETTINGS)
    assert figures["funding_unknown"] == ["A/USDT:USDT"]
    assert figures["refused"] == {"no_slot": 3}
