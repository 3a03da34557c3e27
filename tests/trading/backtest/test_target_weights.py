"""Backtests of weights by hand."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings
from quorate.core.types import Candles, Funding
from quorate.trading import BacktestResult
from quorate.trading.backtest import backtest_weights
from quorate.trading.backtest.markets import TradedMarkets
from trading.conftest import START

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
MakeCandles = Callable[..., Candles]
Plan = Mapping[int, Mapping[str, float] | None]


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    """Bars that open where the one before closed."""
    return [(first, max(first, last), min(first, last), last) for first, last in pairwise(prices)]


def run(
    candles: list[Candles], plan: Plan, seen: list[Any] | None = None, funding: Funding | None = None, **changes: Any
) -> BacktestResult:
    """Decisions by bar, counted in hours from the start."""

    def decide(time: int, equity: float, held: Mapping[str, float]) -> Mapping[str, float] | None:
        if seen is not None:
            seen.append(((time - START) // HOUR_MS, equity, dict(held)))
        return plan[(time - START) // HOUR_MS]

    markets = TradedMarkets({c.symbol: c for c in candles}, {} if funding is None else {BTC: funding})
    due = [START + hour * HOUR_MS for hour in plan]
    return backtest_weights(decide, due, markets, AccountSettings(minimum_usd=0.0), changes.get("costs", FREE))


def test_a_weight_becomes_a_quantity_at_the_close_and_fills_at_the_next_open(candles: MakeCandles) -> None:
    market = candles((100, 100, 100, 100), (110, 121, 110, 121), (121, 121, 121, 121), warm_up=0)
    seen: list[Any] = []
    result = run([market], {0: {BTC: 0.5}, 1: {BTC: 0.5}, 2: None}, seen)
    # 500 / 100 = 5 units, bought at 110; worth 605 of 1,055 at the close, of which 527.5 are wanted: 4.36 units.
    assert seen == [
        (0, 1_000.0, {}),
        (1, pytest.approx(1_055.0), {BTC: pytest.approx(605 / 1_055)}),
        (2, pytest.approx(1_055.0), {}),  # the market has ended
    ]
    assert result.equity_usd.tolist() == pytest.approx([1_000.0, 1_055.0, 1_055.0])
    # The last position closes at the last close, so that nothing is held there.
    assert result.weights is not None
    assert result.weights[:, 0].tolist() == pytest.approx([0.0, 605 / 1_055, 0.0])
    assert result.traded_usd is not None
    assert result.traded_usd.tolist() == pytest.approx([0.0, 550.0, 605 - 527.5])
    assert result.turnover == pytest.approx((0.55 + 77.5 / 1_055) / 3)
    assert [(trade.reason, trade.quantity) for trade in result.trades] == [
        ("rebalance", pytest.approx(77.5 / 121)),
        ("end", pytest.approx(527.5 / 121)),
    ]
    assert result.net_usd == pytest.approx(55.0)


def test_what_is_not_named_is_closed_and_none_changes_nothing(candles: MakeCandles) -> None:
    markets = [candles(*flat(*[100.0] * 7), symbol=symbol, warm_up=0) for symbol in (BTC, ETH)]
    result = run(markets, {0: {BTC: 0.2, ETH: -0.3}, 1: None, 2: {ETH: -0.3}, 3: {}})
    assert result.weights is not None
    assert result.symbols == (BTC, ETH)
    assert result.weights.tolist() == [[0, 0], [0.2, -0.3], [0.2, -0.3], [0, -0.3], [0, 0], [0, 0]]
    assert result.exposure == pytest.approx(3 / 6)


def test_an_order_is_for_the_next_open_only(candles: MakeCandles) -> None:
    whole = candles(*flat(*[100.0] * 7), warm_up=0)
    gap = candles(*flat(*[100.0] * 7), symbol=ETH, warm_up=0, missing=[1])
    late = candles(*flat(*[100.0] * 7), symbol="SOL/USDT:USDT", warm_up=0, missing=[0, 1, 2])
    result = run([whole, gap, late], {0: {BTC: 0.1, ETH: 0.1, "SOL/USDT:USDT": 0.1}, 5: {BTC: 0.2}})
    assert [trade.symbol for trade in result.trades] == [BTC]
    # A gap, a market that has not begun, and the last bar.
    assert result.refused == {"no_next_bar": 3}


def test_every_market_skips_the_open(candles: MakeCandles) -> None:
    markets = [candles(*flat(*[100.0] * 5), symbol=symbol, warm_up=0, missing=[1]) for symbol in (BTC, ETH)]
    result = run(markets, {0: {BTC: 0.1, ETH: 0.1}})
    assert (result.trades, result.refused) == ((), {"no_next_bar": 2})


def test_a_market_that_ends_is_closed_at_its_last_close(candles: MakeCandles) -> None:
    short = candles(*flat(100, 100, 110, 120), warm_up=0)
    long = candles(*flat(*[100.0] * 7), symbol=ETH, warm_up=0)
    result = run([short, long], {0: {BTC: 0.1}})
    (trade,) = result.trades
    assert (trade.reason, trade.exit_price, trade.exit_time) == ("end", 120.0, START + 2 * HOUR_MS)
    assert result.equity_usd.tolist() == pytest.approx([1_000, 1_010, 1_020, 1_020, 1_020, 1_020])


def test_a_change_of_scale_ends_the_position_and_the_order(candles: MakeCandles) -> None:
    market = candles(*flat(*[100.0] * 40), *flat(*[100_000.0] * 40), warm_up=0)
    result = run([market], {10: {BTC: 0.5}, 38: {BTC: 0.6}})
    (trade,) = result.trades
    assert (trade.reason, trade.exit_price, trade.quantity) == ("end", 100.0, 5.0)
    assert result.refused == {"new_scale": 1}
    assert result.final_equity_usd == pytest.approx(1_000.0)


def test_funding_is_paid_at_settlement(candles: MakeCandles, funding: Callable[..., Funding]) -> None:
    market = candles(*flat(*[100.0] * 12), warm_up=0)
    result = run([market], {0: {BTC: 0.5}}, funding=funding({0: 0.01, 4: 0.01, 8: -0.02, 12: 0.01}))
    (trade,) = result.trades
    assert trade.funding_usd == pytest.approx(-5.0 + 10.0)
    assert (trade.funding_known, result.funding_unknown) == (True, ())
    assert not run([market], {0: {BTC: 0.5}}).trades[0].funding_known


def test_a_ruined_account_decides_nothing(candles: MakeCandles) -> None:
    market = candles(*flat(100, 100, 100), *flat(30, 30, 30), warm_up=0)
    seen: list[Any] = []
    result = run([market], {0: {BTC: 5.0}, 3: {BTC: 5.0}}, seen)  # all of it is margin
    assert (result.trades[0].reason, result.final_equity_usd) == ("liquidation", 0.0)
    assert len(seen) == 1
    assert result.weights is not None
    assert not result.weights[2:].any()


def test_nothing_after_the_span_is_read(candles: MakeCandles) -> None:
    market = candles(*flat(*(100.0 + np.arange(30))), warm_up=0)
    poisoned = replace(market, close=np.where(np.arange(29) < 20, market.close, np.nan))
    for one in (market, poisoned):
        markets = TradedMarkets({BTC: one}, {}, None, None, START + 20 * HOUR_MS)
        result = backtest_weights(lambda *_: {BTC: 0.5}, markets.bars(BTC).time.tolist(), markets)
        assert len(result.time) == 20
        assert np.isfinite(result.equity_usd).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"BTC/USDT:USD": 0.1}, "Did you mean 'BTC/USDT:USDT'"), ({BTC: float("nan")}, "a finite fraction of equity")],
)
def test_a_weight_that_means_nothing_is_an_error(
    candles: MakeCandles, weights: Mapping[str, float], message: str
) -> None:
    with pytest.raises(TradingError, match=message):
        run([candles(*flat(100, 100, 100), warm_up=0)], {0: weights})


def test_markets_that_cannot_be_run_are_an_error(candles: MakeCandles) -> None:
    with pytest.raises(TradingError, match="no markets"):
        run([], {})
    with pytest.raises(TradingError, match="one timeframe"):
        run([candles(warm_up=2), candles(symbol=ETH, timeframe="4h", warm_up=2)], {})
    with pytest.raises(TradingError, match="a start before the end"):
        backtest_weights(lambda *_: None, [], TradedMarkets({BTC: candles(warm_up=2)}, {}, None, START, START))
