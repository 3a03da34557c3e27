"""No position loses more than its margin and fees, and no account more than it has, whatever the prices do."""

from collections.abc import Callable

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding
from quorate.trading import Account, BacktestResult, Bar, Contract, MarginTiers, Order, Settlement, Tier
from quorate.trading.backtest import backtest
from quorate.trading.engine import TradingEngine

START = parse_ms("2025-03-01")
BTC = "BTC/USDT:USDT"
MakeOrder = Callable[..., Order]


def opened(order: Order, **costs: float) -> Account:
    """One unit at 100 with 10 of margin and a maintenance margin of 1 %; the fee of 0.1 % is 0.1 at the entry."""
    contract = Contract(BTC, tiers=MarginTiers([Tier(1e12, 0.01, 50)]))
    settings = AccountSettings(sizing="fixed", stake_usd=10.0, leverage=10.0, equity_usd=15.0, positions=1)
    free = {"taker_fee": 0.001, "slippage": 0.0, "liquidation_fee": 0.005, **costs}
    account = Account(settings, CostSettings(**free), contracts={BTC: contract})
    assert account.open(order, 0, 100.0) is not None
    return account


def flat(time: int, price: float, mark: float | None = None, **settled: tuple[Settlement, ...]) -> Bar:
    return Bar(time, *[price] * 4, *[price if mark is None else mark] * 3, **settled)


def require_total_loss(account: Account, reason: str) -> None:
    """The margin of 10 and the entry fee of 0.1 are lost, and nothing else."""
    (trade,) = account.trades
    assert trade.reason == reason
    assert trade.net_usd == pytest.approx(-10.1)
    assert trade.exit_price == pytest.approx(100.0 - 10.0 * trade.side)
    assert account.cash_usd == pytest.approx(15.0 - 10.1)


@pytest.mark.parametrize(("side", "price"), [(1, 50.0), (1, 1e-9), (-1, 150.0), (-1, 1e9)])
def test_a_position_that_is_due_beyond_its_liquidation_is_liquidated(order: MakeOrder, side: int, price: float) -> None:
    account = opened(order(side=side, due=5))
    account.at_open(5, {BTC: flat(5, price)}.get)
    require_total_loss(account, "liquidation")


@pytest.mark.parametrize("side", [1, -1])
def test_a_time_exit_while_the_mark_price_lags_is_limited(order: MakeOrder, side: int) -> None:
    account = opened(order(side=side, due=5))
    account.at_open(5, {BTC: flat(5, 100.0 - 60.0 * side, mark=100.0)}.get)
    require_total_loss(account, "time")


@pytest.mark.parametrize("side", [1, -1])
def test_a_stop_while_the_mark_price_lags_is_limited(order: MakeOrder, side: int) -> None:
    account = opened(order(side=side))
    account.at_close(5, {BTC: flat(5, 100.0 - 60.0 * side, mark=100.0)}.get)
    require_total_loss(account, "stop")


@pytest.mark.parametrize("known", [True, False])
def test_a_market_that_ends_beyond_the_liquidation_is_limited(order: MakeOrder, *, known: bool) -> None:
    account = opened(order())
    account.positions[BTC].mark = 40.0  # the last price known of a market that is gone
    bar = Bar(5, 100.0, 100.0, 97.0, 40.0, 100.0, 100.0, 99.0)  # its low above the stop, as a faulty feed may say
    TradingEngine(account, HOUR_MS).at_close(5, {BTC: bar}.get if known else {}.get, [BTC])
    require_total_loss(account, "end")


def test_slippage_beyond_the_bankruptcy_price_is_not_paid(order: MakeOrder) -> None:
    account = opened(order(due=5), slippage=0.05)
    # Bought at 105: bankrupt at 94.5. Sold at 96 less 5 %, 91.2, while the mark price is 100.
    account.at_open(5, {BTC: flat(5, 96.0, mark=100.0)}.get)
    (trade,) = account.trades
    assert trade.exit_price == pytest.approx(94.5)
    assert trade.slippage_usd == pytest.approx((5.0 + 1.5) * trade.quantity)
    assert trade.gross_usd == pytest.approx(-4.0 * trade.quantity)
    assert trade.net_usd == pytest.approx(-10.0 - 0.1)


def test_a_loss_is_valued_at_the_margin_at_most(order: MakeOrder) -> None:
    account = opened(order())
    account.value(BTC, 20.0, funding_known=True, mark_known=True)
    assert account.positions[BTC].unrealised_usd == -10.0
    assert account.equity_usd == pytest.approx(15.0 - 10.1)


def test_funding_is_paid_from_the_margin_and_brings_the_liquidation_nearer(order: MakeOrder) -> None:
    account = opened(order())
    assert account.positions[BTC].liquidation_price == pytest.approx(90 / 0.99)
    account.settle(BTC, 0.02, 100.0)  # 2 of the 10
    assert account.positions[BTC].margin_left_usd == pytest.approx(8.0)
    assert account.positions[BTC].liquidation_price == pytest.approx(92 / 0.99)
    assert account.free_usd == pytest.approx(15.0 - 10.1)
    account.settle(BTC, -0.05, 100.0)  # what is received is free
    assert account.positions[BTC].liquidation_price == pytest.approx(90 / 0.99)
    assert account.free_usd == pytest.approx(15.0 - 10.1 + 3.0)


def test_a_liquidation_that_funding_brought_before_the_stop_comes_first(order: MakeOrder) -> None:
    account = opened(order())
    assert account.positions[BTC].stop == pytest.approx(96.0)
    account.settle(BTC, 0.07, 100.0)  # 3 are left: the liquidation is at 97 / 0.99
    account.at_close(5, {BTC: Bar(5, 100.0, 100.0, 95.0, 99.0, 100.0, 100.0, 95.0)}.get)
    (trade,) = account.trades
    assert (trade.reason, trade.exit_price) == ("liquidation", pytest.approx(97 / 0.99))


@pytest.mark.parametrize(("side", "rate"), [(1, 5.0), (-1, -5.0)])
def test_funding_beyond_the_margin_ends_the_position(order: MakeOrder, side: int, rate: float) -> None:
    account = opened(order(side=side))
    account.at_open(5, {BTC: flat(5, 100.0, settled_at_open=(Settlement(rate, 100.0),))}.get)
    account.at_close(5, {BTC: flat(5, 100.0)}.get)
    (trade,) = account.trades
    assert (trade.reason, trade.funding_usd) == ("liquidation", pytest.approx(-10.0))
    assert trade.net_usd == pytest.approx(-10.1)


def test_spot_loses_its_stake_at_most() -> None:
    settings = AccountSettings(sizing="fixed", stake_usd=100.0, equity_usd=100.0, positions=1)
    account = Account(settings, CostSettings(taker_fee=0.001, slippage=0.0))
    account.open(Order("BTC/USDT", 1, 0, 5, 0.8, 2.0), 0, 100.0)
    account.at_open(5, {"BTC/USDT": flat(5, 1e-12)}.get)
    (trade,) = account.trades
    assert trade.reason == "time"
    assert account.equity_usd == pytest.approx(0.0, abs=1e-9)
    assert trade.net_usd >= -trade.margin_usd - trade.fee_usd


# --------------------------------------------------------------------------------------------------- random accounts


def hostile_prices(random: np.random.Generator, n: int) -> list[FloatArray]:
    """Open, high, low and close: a random walk with spikes inside bars and jumps between them."""
    wild = random.choice([0.003, 0.03, 0.3])
    close = random.choice([1e-9, 1.0, 1e5]) * np.exp(np.cumsum(wild * random.standard_normal(n)))
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(open_, close) * np.exp(wild * random.random(n))
    low = np.minimum(open_, close) * np.exp(-wild * random.random(n))
    spiked = random.random(n) < 0.03
    high, low = np.where(spiked, high * 50, high), np.where(spiked, low / 50, low)
    for _ in range(int(random.integers(0, 4))):
        at, factor = int(random.integers(15, n)), 10.0 ** (random.choice([0.6, 5.0]) * random.uniform(-1, 1))
        for column in (open_, high, low, close):
            column[at:] *= factor
    return [open_, high, low, close]


def hostile_account(seed: int, n: int = 60) -> BacktestResult:
    """A backtest of random decisions, prices, mark prices, funding, costs and settings."""
    random = np.random.default_rng(seed)
    time = START + HOUR_MS * np.arange(n, dtype=np.int64)
    frames, candles = {}, {}
    marks: dict[str, Candles | None] = {}
    funding: dict[str, Funding | None] = {}
    for symbol in ("A/USDT:USDT", "B/USDT:USDT", "C/USDT")[: random.integers(1, 4)]:
        prices = hostile_prices(random, n)
        kept = np.flatnonzero(random.random(n) > random.choice([0.0, 0.1]))
        candles[symbol] = bars = Candles(symbol, "1h", time[kept], *(p[kept] for p in prices), np.ones(len(kept)))
        if random.random() < 0.6 and ":" in symbol:
            others = prices if random.random() < 0.5 else hostile_prices(random, n)  # late, or of another world
            marks[symbol] = Candles(symbol, "1h", time, *(np.roll(p, 1) for p in others), np.ones(n))
        if random.random() < 0.7 and ":" in symbol:
            rate = random.choice([1e-4, 0.01, 2.0]) * random.standard_normal(n)
            funding[symbol] = Funding(symbol, time + random.choice([0, HOUR_MS // 2]), rate)
        action = random.choice([0, 1, 2], size=len(kept), p=[0.3, 0.4, 0.3]).astype(np.int8)
        confidence, text = np.full(len(kept), 0.8), np.full(len(kept), "")
        frames[symbol] = DecisionFrame(
            symbol, "1h", bars.time, action, confidence, confidence, text, text, np.zeros(len(kept))
        )
    account = AccountSettings(
        equity_usd=float(random.choice([20.0, 1_000.0, 1e6])),
        positions=int(random.integers(1, 4)),
        risk=float(random.choice([0.01, 1.0])),
        leverage=float(random.choice([1.0, 5.0, 25.0, 125.0])),
        sizing=str(random.choice(["risk", "fixed", "atr"])),  # type: ignore[arg-type]
        stake_usd=float(random.choice([20.0, 1e6])),
        minimum_usd=0.0,
    )
    costs = CostSettings(
        taker_fee=float(random.choice([0.0, 0.0005, 0.1])),
        maker_fee=float(random.choice([-0.01, 0.0002])),
        slippage=float(random.choice([0.0, 0.0002, 0.1])),
        liquidation_fee=float(random.choice([0.0, 0.015, 0.1])),
    )
    exits = ExitSettings(
        stop_atr=float(random.choice([0.5, 2.0, 50.0])),
        target_ratio=float(random.choice([0.7, 2.5])),
        trail_atr=float(random.choice([0.0, 1.5])),
        maker_target=bool(random.integers(2)),
    )
    return backtest(
        frames, candles, funding, horizon=int(random.integers(1, 12)), marks=marks, account=account, costs=costs,
        exits=exits,
    )  # fmt: skip


def require_limited(result: BacktestResult, seed: int) -> None:
    assert (result.equity_usd >= 0).all(), seed
    worth = result.start_equity_usd
    most = worth
    for trade in result.trades:
        dust = 1e-12 * (trade.margin_usd + abs(trade.gross_usd))
        assert trade.net_usd >= -trade.margin_usd - trade.fee_usd - dust, (seed, trade)
        assert trade.slippage_usd >= 0, (seed, trade)
        assert trade.exit_price >= 0, (seed, trade)
        worth += trade.net_usd
        most = max(most, worth, abs(trade.gross_usd))
    assert abs(result.final_equity_usd - worth) <= 1e-9 * most, seed


def test_no_account_is_below_zero_and_no_trade_below_its_margin() -> None:
    results = [(seed, hostile_account(seed)) for seed in range(300)]
    for seed, result in results:
        require_limited(result, seed)
    ended = [trade for _, result in results for trade in result.trades]
    assert {trade.reason for trade in ended} == {"stop", "trailing", "target", "time", "liquidation", "end"}
    lost_all = {trade.reason for trade in ended if trade.gross_usd - trade.slippage_usd <= -0.999 * trade.margin_usd}
    assert lost_all >= {"stop", "time", "liquidation"}  # the limit was needed


@pytest.mark.slow
def test_ten_thousand_accounts() -> None:
    for seed in range(1_000, 11_000):
        require_limited(hostile_account(seed), seed)
