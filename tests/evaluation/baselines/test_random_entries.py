from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import AccountSettings, EvaluationSettings, Settings
from quorate.core.types import Action
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines import random_entries
from quorate.evaluation.baselines.random_entries import equity_band, random_accounts, random_entry_figures

HORIZON = 5


def measured(result: Any, frames: Any, setup: BacktestSetup) -> dict[str, Any]:
    return random_entry_figures(result, random_accounts(result, frames, setup), setup.settings.evaluation)


SETTINGS = Settings(account=AccountSettings(positions=2), evaluation=EvaluationSettings(draws=12, seed=3))


@pytest.fixture(scope="module")
def busy(make_run: Any) -> tuple[Any, BacktestSetup]:
    run = make_run(("AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT"), bars=300)
    warm = np.where(np.arange(300) < 20, np.nan, 0.006)  # as in any frame that was predicted
    run = replace(run, frames={symbol: replace(frame, volatility=warm) for symbol, frame in run.frames.items()})
    return run, BacktestSetup(run.candles, {}, SETTINGS, HORIZON)


def test_entries_are_the_accounts_own_at_other_bars(busy: Any) -> None:
    run, setup = busy
    result = setup.trade(run.frames)
    entries = [(trade.symbol, trade.side) for trade in result.trades]
    assert len(entries) > 30
    drawn = random_entries._EntryBars(run.frames, setup).draw(entries, np.random.default_rng(1))
    placed = Counter(
        (symbol, 1 if action == Action.BUY else -1)
        for symbol, frame in drawn.items()
        for action in frame.action[frame.action != Action.HOLD]
    )
    assert placed == Counter(entries)
    for symbol, frame in drawn.items():
        assert (np.diff(np.flatnonzero(frame.action != Action.HOLD)) >= HORIZON).all()
        assert (frame.action != run.frames[symbol].action).any()
    again = random_entries._EntryBars(run.frames, setup).draw(entries, np.random.default_rng(1))
    other = random_entries._EntryBars(run.frames, setup).draw(entries, np.random.default_rng(2))
    for symbol, frame in drawn.items():
        assert (frame.action == again[symbol].action).all()
    assert any((drawn[symbol].action != other[symbol].action).any() for symbol in drawn)


def test_the_account_takes_every_entry_while_there_is_room(busy: Any) -> None:
    run, setup = busy
    entries = [(symbol, side) for symbol in run.frames for side in (1, -1) for _ in range(8)]
    for seed in range(5):
        result = setup.trade(random_entries._EntryBars(run.frames, setup).draw(entries, np.random.default_rng(seed)))
        assert Counter((trade.symbol, trade.side) for trade in result.trades) == Counter(entries)
        assert not result.refused


def test_bars_without_a_vote_and_without_a_next_bar_are_left_alone(busy: Any) -> None:
    run, setup = busy
    frames = {
        symbol: replace(frame, rule=np.where(np.arange(len(frame)) < 100, "no_votes", frame.rule))
        for symbol, frame in run.frames.items()
    }
    end = int(next(iter(frames.values())).time[200])
    short = replace(setup, end=end)
    drawn = random_entries._EntryBars(frames, short).draw([("AAA/USDT:USDT", 1)] * 15, np.random.default_rng(0))
    rows = np.flatnonzero(drawn["AAA/USDT:USDT"].action != Action.HOLD)
    assert len(rows) == 15
    assert rows.min() >= 100
    assert rows.max() <= 198
    assert drawn["AAA/USDT:USDT"].time[rows.max()] + HOUR_MS < end


def test_more_entries_than_bars_leave_some_out(busy: Any) -> None:
    run, setup = busy
    drawn = random_entries._EntryBars(run.frames, setup).draw([("AAA/USDT:USDT", 1)] * 200, np.random.default_rng(0))
    assert 30 <= (drawn["AAA/USDT:USDT"].action != Action.HOLD).sum() <= 60


def test_the_figures_are_a_mean_and_a_middle_range(busy: Any) -> None:
    run, setup = busy
    result = setup.trade(run.frames)
    figures = measured(result, run.frames, setup)
    assert figures["draws"] == 12
    for name in ("n", "win_rate", "expectancy_bps", "total_return", "sharpe", "max_drawdown", "net_usd"):
        low, high = figures[f"{name}_ci"]
        assert low <= figures[name] <= high
    assert figures["n"] == pytest.approx(len(result.trades), rel=0.05)
    assert figures == measured(result, run.frames, setup)
    assert 0 <= figures["worse"]["total_return"] <= 1


def test_the_equity_band_is_of_the_draws_at_every_bar(busy: Any) -> None:
    run, setup = busy
    accounts = random_accounts(setup.trade(run.frames), run.frames, setup)
    together = equity_band(accounts, 0.9)
    assert together is not None
    worth = np.array([account.equity_usd for account in accounts])
    assert together.middle.equity == pytest.approx(np.median(worth, axis=0))
    assert (together.low <= together.middle.equity).all()
    assert (together.middle.equity <= together.high).all()
    assert ((worth >= together.low) & (worth <= together.high)).mean() == pytest.approx(0.9, abs=0.1)
    assert equity_band((), 0.9) is None


def test_an_account_that_knows_the_future_is_better_than_every_draw(busy: Any) -> None:
    run, setup = busy
    frames = {}
    for symbol, frame in run.frames.items():
        close = run.candles[symbol].close
        ahead = np.concatenate([close[HORIZON:], np.full(HORIZON, close[-1])]) / close - 1
        action = np.where(ahead > 0.01, Action.BUY, np.where(ahead < -0.01, Action.SELL, Action.HOLD)).astype(np.int8)
        frames[symbol] = replace(frame, action=action, confidence=np.abs(ahead))
    figures = measured(setup.trade(frames), frames, setup)
    assert figures["worse"] == {"expectancy_bps": 1.0, "total_return": 1.0, "sharpe": 1.0}


def test_an_account_that_never_traded_has_nothing_to_be_compared_with(busy: Any) -> None:
    run, setup = busy
    idle = {
        symbol: replace(frame, action=np.full(len(frame), Action.HOLD, np.int8)) for symbol, frame in run.frames.items()
    }
    figures = measured(setup.trade(idle), idle, setup)
    assert figures["draws"] == 0
    assert figures["total_return"] is None
    assert figures["missing"]["total_return"] == "the account did not trade"
