"""Resampled accounts: orders of trades, trades drawn anew, and days of the market drawn with replacement."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, parse_ms
from quorate.core.settings import EvaluationSettings, Settings, TargetSettings, VoteSettings
from quorate.core.types import Action, Funding
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.monte_carlo import monte_carlo
from quorate.evaluation.monte_carlo.resampled_market import paths_of, resampled_markets
from quorate.evaluation.monte_carlo.reshuffled_trades import closed_drawdown, redrawn, reshuffled

START = parse_ms("2025-08-01")
NET = np.array([100.0, -50.0, 20.0])
SETTINGS = EvaluationSettings(resamples=300, market_paths=3)


def test_orders_have_the_drawdowns_of_all_permutations() -> None:
    worked = {round(depth, 9) for depth in closed_drawdown(np.array(list(permutations(NET))), 400.0).tolist()}
    found = reshuffled(NET, 400.0, 300, seed=1)
    assert {round(depth, 9) for depth in found.tolist()} == worked
    # Worked by hand: the loss first, from 400 to 350; and last, from 520 to 470.
    assert (max(worked), min(worked)) == (0.125, round(50 / 520, 9))


def test_trades_drawn_anew_keep_the_mean_and_can_end_elsewhere() -> None:
    gained, depth = redrawn(NET, 400.0, 20_000, seed=1)
    assert gained.mean() == pytest.approx(NET.sum() / 400, abs=0.005)
    assert gained.min() == pytest.approx(-150 / 400)
    assert depth.max() == pytest.approx(150 / 400)


@pytest.fixture(scope="module")
def traded(make_run: Callable[..., Any]) -> Any:
    """Twelve days of two markets; the second is listed on the fourth day; both have funding."""
    run = make_run(bars=288)
    first, second = run.candles
    candles = {first: run.candles[first], second: run.candles[second][72:]}
    frames = {first: run.frames[first], second: run.frames[second].select(np.arange(288) >= 72)}
    time = run.candles[first].time[::8]
    funding = {symbol: Funding(symbol, time, np.full(len(time), 1e-4)) for symbol in candles}
    settings = Settings(evaluation=SETTINGS, target=TargetSettings(horizon=1, band=0.003), vote=VoteSettings(floor=0.5))
    return frames, BacktestSetup(candles, funding, settings, 1)


def test_days_in_their_own_order_are_the_market_itself(traded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that draws each day once, in order: prices, decisions and funding come out as they were."""
    frames, setup = traded

    class InOrder:
        def integers(self, low: int, high: int, size: int) -> np.ndarray:
            return np.arange(size)

    monkeypatch.setattr(np.random, "default_rng", lambda _: InOrder())
    path = next(resampled_markets(frames, setup, SETTINGS))
    own = setup.trade(frames)
    assert len(own.trades) > 20
    assert path.equity_usd == pytest.approx(own.equity_usd)
    assert [(trade.symbol, trade.entry_time) for trade in path.trades] == [
        (trade.symbol, trade.entry_time) for trade in own.trades
    ]
    assert path.funding_usd == pytest.approx(own.funding_usd)


def test_a_drawn_market_moves_as_its_days_did(traded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every return, and every decision, stands on a bar of the same hour in the source; days join without a step."""
    frames, setup = traded
    seen = []
    monkeypatch.setattr(BacktestSetup, "trade", lambda made, given: seen.append((made, given)))
    list(resampled_markets(frames, setup, SETTINGS))
    assert len(seen) == SETTINGS.market_paths
    for made, given in seen:
        for symbol, candles in made.candles.items():
            source = setup.candles[symbol]
            own = {round(value, 9) for value in np.log(source.close / source.open).tolist()}
            assert {round(value, 9) for value in np.log(candles.close / candles.open).tolist()} <= own
            known = {
                (int(at % DAY_MS), int(action), round(float(np.log(close / opened)), 9))
                for at, action, opened, close in _bars(frames[symbol], source)
            }
            assert {
                (int(at % DAY_MS), int(action), round(float(np.log(close / opened)), 9))
                for at, action, opened, close in _bars(given[symbol], candles)
            } <= known
            joined = np.diff(candles.time) == HOUR_MS
            assert candles.open[1:][joined] == pytest.approx(candles.close[:-1][joined])
            assert made.funding[symbol].time[0] % (8 * HOUR_MS) == 0


def _bars(frame: Any, candles: Any) -> Any:
    place = np.searchsorted(candles.time, frame.time)
    return zip(frame.time, frame.action, candles.open[place], candles.close[place], strict=True)


def test_figures_stand_beside_those_of_the_account(traded: Any) -> None:
    frames, setup = traded
    result = setup.trade(frames)
    told: list[tuple[str, int, int]] = []
    found = monte_carlo(frames, result, setup, SETTINGS, lambda *step: told.append(step))
    assert found is not None
    assert found.market is not None
    assert told[-1] == ("resampling the market", 3, 3)
    document = found.to_json(0.95)
    assert document["order"].keys() == {"draws", "max_drawdown"}
    net = sum(trade.net_usd for trade in result.trades)
    assert document["redrawn"]["total_return"]["own"] == pytest.approx(net / result.start_equity_usd)
    low, high = document["market"]["max_drawdown"]["range"]
    assert 0 <= low <= document["market"]["max_drawdown"]["median"] <= high
    again = monte_carlo(frames, result, setup, SETTINGS)
    assert again is not None
    assert again.to_json(0.95) == document


def test_nothing_is_resampled_without_trades_or_paths(traded: Any) -> None:
    frames, setup = traded
    still = {
        symbol: replace(frame, action=np.full(len(frame), Action.HOLD, np.int8)) for symbol, frame in frames.items()
    }
    assert monte_carlo(still, setup.trade(still), setup, SETTINGS) is None
    assert list(resampled_markets(still, setup, SETTINGS)) == []
    assert monte_carlo(frames, setup.trade(frames), setup, replace(SETTINGS, market_paths=0)) is None
    short = {symbol: frame.between(None, START + 100 * HOUR_MS) for symbol, frame in frames.items()}
    assert list(resampled_markets(short, setup, SETTINGS)) == []


def test_many_bars_have_fewer_paths(traded: Any) -> None:
    frames, _ = traded
    many = EvaluationSettings(market_paths=50)
    assert paths_of(frames, many) == 50
    assert paths_of({str(place): next(iter(frames.values())) for place in range(700)}, many) == 20
