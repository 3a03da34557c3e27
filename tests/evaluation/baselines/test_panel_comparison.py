"""Accounts with and without a panel: differences in pairs, and what became of losing and other entries."""

import numpy as np
import pytest

from quorate.core.settings import EvaluationSettings
from quorate.evaluation.baselines.panel_comparison import panel_comparison
from quorate.evaluation.metrics.equity import sharpe
from quorate.evaluation.metrics.trades import account_curve
from quorate.trading import backtest
from stubs.scripted import make_world

SETTINGS = EvaluationSettings(resamples=200)


@pytest.fixture(scope="module")
def world():
    return make_world(5, symbols=3, bars=400, guarded=False)


def traded(world, shares=None):
    options = {"start": world.start, "marks": world.marks, "shares": shares}
    return backtest(world.frames, world.candles, world.funding, world.config, **options)


def compared(world, shares):
    ordinary = traded(world)
    return ordinary, panel_comparison(traded(world, shares), ordinary, world.frames, shares, 2.5, SETTINGS)


def test_a_panel_that_changes_nothing_differs_in_nothing(world):
    shares = {symbol: np.ones(len(frame)) for symbol, frame in world.frames.items()}
    ordinary, found = compared(world, shares)
    assert found["with"] == found["without"]
    names = ("win_rate", "expectancy_bps", "sharpe", "daily_return_bps")
    assert found["difference"].keys() == {*names, *(f"{name}_ci" for name in names), "max_drawdown"}
    for value in found["difference"].values():
        assert value == pytest.approx([0.0, 0.0] if isinstance(value, list) else 0.0, abs=1e-12)
    losing = sum(trade.net_usd < 0 for trade in ordinary.trades)
    entries = found["entries"]
    assert (entries["losing"], entries["other"]) == (losing, len(ordinary.trades) - losing)
    assert (entries["losing_removed"], entries["other_removed"], entries["kept_apart"]) == (0, 0, 0.0)
    assert found["net_after_replies_usd"] == pytest.approx(ordinary.net_usd - 2.5)


def test_a_panel_with_hindsight_removes_the_losers(world):
    ordinary = traded(world)
    shares = {symbol: np.ones(len(frame)) for symbol, frame in world.frames.items()}
    gone = {(trade.symbol, trade.decided) for trade in ordinary.trades if trade.net_usd < 0}
    kept = {("", 0)} | {(trade.symbol, trade.decided) for trade in list(ordinary.trades)[:3]}
    for symbol, decided in gone - kept:
        shares[symbol][np.searchsorted(world.frames[symbol].time, decided)] = 0.0
    _, found = compared(world, shares)
    entries, difference = found["entries"], found["difference"]
    assert entries["losing_removed"] == len(gone - kept) > 10
    assert entries["other_removed"] == 0
    assert entries["kept_apart"] == pytest.approx(len(gone - kept) / len(gone))
    assert entries["kept_apart_ci"][0] > 0.5
    judged = traded(world, shares)
    wins = [np.mean([trade.net_usd > 0 for trade in result.trades]) for result in (judged, ordinary)]
    assert difference["win_rate"] == pytest.approx(wins[0] - wins[1])
    assert difference["win_rate_ci"][0] > 0
    days = [account_curve(result).daily_returns() for result in (judged, ordinary)]
    assert difference["sharpe"] == pytest.approx(sharpe(days[0]) - sharpe(days[1]))
    assert difference["sharpe_ci"][0] < difference["sharpe"] < difference["sharpe_ci"][1]
    assert difference["daily_return_bps"] == pytest.approx(1e4 * (days[0] - days[1]).mean())


def test_without_trades_figures_are_missing_and_say_why(world):
    none = {symbol: np.zeros(len(frame)) for symbol, frame in world.frames.items()}
    _, found = compared(world, none)
    assert found["with"]["n"] == 0
    assert found["difference"]["win_rate"] is None
    assert found["difference"]["missing"]["win_rate"] == "an account has no trade"
    assert found["entries"]["losing_removed_share"] == 1.0
