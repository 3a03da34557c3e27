"""The backtest of weights against a slow account that is written from the rules alone.

It shares no code with the package: positions are lists of fills, liquidation prices are found by bisection, and every
bar of every market is looked up anew.
"""

import math
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms, timeframe_ms
from quorate.core.settings import AccountSettings, CostSettings
from quorate.core.types import Candles, Funding
from quorate.market import FreqtradeFolder
from quorate.trading import CONSERVATIVE_TIERS, BacktestResult, Contract, MarginTiers, Tier
from quorate.trading.backtest import backtest_weights
from quorate.trading.backtest.markets import TradedMarkets

START = parse_ms("2025-03-01")
SMALL = MarginTiers((Tier(400, 0.02, 10), Tier(1_500, 0.05, 4), Tier(4_000, 0.2, 2)))
Plan = Mapping[int, "str | dict[str, float] | None"]  # time of a decision -> weights, "halve" or nothing


@dataclass
class Market:
    candles: Candles
    mark: Candles | None
    funding: Funding | None
    contract: Contract


@dataclass
class Setup:
    markets: dict[str, Market]
    account: AccountSettings
    costs: CostSettings
    plan: Plan


def random_setup(seed: int) -> Setup:
    random = np.random.default_rng(seed)
    names = ["A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT", "D/USDT"][: random.integers(1, 5)]
    markets = {name: random_market(name, random) for name in names}
    account = AccountSettings(
        equity_usd=float(random.choice([60.0, 1_000.0, 200_000.0])),
        positions=1,
        leverage=float(random.choice([1.0, 3.0, 8.5, 25.0])),
        capital_usd=float(random.choice([0.0, 0.0, 300.0])),
        minimum_usd=float(random.choice([0.5, 5.0])),
    )
    costs = CostSettings(slippage=float(random.choice([0, 0.001])), taker_fee=float(random.choice([0, 0.0005])))
    plan: dict[int, str | dict[str, float] | None] = {}
    gross = random.choice([0.3, 1.0, 4.0])
    for hour in range(0, 75, int(random.integers(1, 9))):
        chosen = {name: float(gross * random.standard_normal()) for name in names if random.random() < 0.8}
        if random.random() < 0.3:
            chosen = {name: 0.0 if random.random() < 0.5 else weight for name, weight in chosen.items()}
        kind = random.random()
        plan[START + hour * HOUR_MS] = None if kind < 0.1 else "halve" if kind < 0.3 else chosen
    return Setup(markets, account, costs, plan)


def random_market(symbol: str, random: np.random.Generator) -> Market:
    n = 70
    wild = random.choice([0.003, 0.02, 0.06])
    close = 100 * np.exp(np.cumsum(wild * random.standard_normal(n)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(wild * random.standard_normal(n) * (random.random(n) < 0.2))
    high = np.maximum(open_, close) * np.exp(wild * random.random(n))
    low = np.minimum(open_, close) * np.exp(-wild * random.random(n))
    jump = int(random.integers(20, n)) if random.random() < 0.4 else n
    factor = float(random.choice([0.55, 0.8, 1.2, 1.8]))
    for column in (open_, high, low, close):
        column[jump:] *= factor
    high, low = np.maximum.reduce([open_, high, close]), np.minimum.reduce([open_, low, close])
    time = START + HOUR_MS * np.arange(n, dtype=np.int64)
    kept = np.flatnonzero(random.random(n) > random.choice([0, 0.1]))[: random.integers(30, n)]
    rows = [column[kept] for column in (time, open_, high, low, close)]
    candles = Candles(symbol, "1h", *rows, np.ones(len(kept)))
    mark = funding = None
    if ":" in symbol and random.random() < 0.7:
        basis = np.exp(wild * random.standard_normal(len(kept)))
        some = np.flatnonzero(random.random(len(kept)) > 0.1)
        mark = Candles(symbol, "1h", *(c[some] for c in (rows[0], *(c * basis for c in rows[1:]))), np.ones(len(some)))
    if ":" in symbol and random.random() < 0.8:
        step = random.choice([HOUR_MS // 2, 4 * HOUR_MS, 8 * HOUR_MS])
        settled = np.arange(START - 4 * HOUR_MS, START + (n + 4) * HOUR_MS, step, dtype=np.int64)
        settled = settled[random.random(len(settled)) > random.choice([0, 0.1])]
        funding = Funding(symbol, settled, random.choice([0.003, 0.02]) * random.standard_normal(len(settled)))
    contract = Contract(
        symbol,
        lot=float(random.choice([0.0, 0.01, 1.0])),
        minimum_amount=float(random.choice([0.0, 0.05])),
        minimum_usd=float(random.choice([0.0, 20.0])),
        tiers=SMALL if random.random() < 0.4 else CONSERVATIVE_TIERS,
    )
    return Market(candles, mark, funding, contract)


# --------------------------------------------------------------------------------------------------- the slow account


@dataclass
class Lot:
    """One fill of a position, as much of it as is still held."""

    units: float
    paid: float
    fee: float


@dataclass
class Held:
    sign: int
    since: int
    lots: list[Lot]
    margin: float = 0.0
    left: float = 0.0  # margin that funding has not used up
    funding: float = 0.0
    value_at: float = 0.0

    @property
    def units(self) -> float:
        return math.fsum(lot.units for lot in self.lots)

    @property
    def cost(self) -> float:
        return math.fsum(lot.units * lot.paid for lot in self.lots)

    def result(self, price: float) -> float:
        return self.sign * (self.units * price - self.cost)

    def beyond(self, tiers: MarginTiers, price: float) -> bool:
        """Whether the maintenance margin is not there at a price."""
        needed = below = 0.0
        for most, rate, _ in (*tiers.rows[:-1], tiers.rows[-1]._replace(most_usd=math.inf)):
            needed += rate * max(0.0, min(self.units * price, most) - below)
            below = most
        return self.left + self.result(price) <= needed

    def liquidation(self, tiers: MarginTiers) -> float:
        entry = self.cost / self.units
        good, bad = (1e3 * entry, 0.0) if self.sign > 0 else (1e-300, 1e3 * entry)
        if self.sign > 0 and not self.beyond(tiers, 1e-300):
            return 0.0
        for _ in range(200):
            middle = (good + bad) / 2
            good, bad = (good, middle) if self.beyond(tiers, middle) else (middle, bad)
        return bad


@dataclass
class Slow:
    setup: Setup
    length: int = HOUR_MS
    cash: float = 0.0
    held: dict[str, Held] = field(default_factory=dict)
    closed: list[tuple[Any, ...]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    weights: list[dict[str, float]] = field(default_factory=list)
    traded: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def run(self) -> "Slow":
        self.cash = self.setup.account.equity_usd
        markets = self.setup.markets
        bars = {symbol: rows_of(market) for symbol, market in markets.items()}
        settled = {symbol: settlements(market) for symbol, market in markets.items()}
        every_time = sorted({time for rows in bars.values() for time in rows})
        last, last_seen = {symbol: max(rows) for symbol, rows in bars.items()}, {}
        wanted: dict[str, float] = {}  # base units
        fill = -1
        for time in every_time:
            here = {symbol: rows[time] for symbol, rows in bars.items() if time in rows}
            self.traded.append(0.0)
            for symbol in sorted(here):
                if symbol in self.held:
                    gap = last_seen[symbol] + self.length
                    for _, rate in between(settled[symbol], gap, time):
                        self.fund(symbol, rate, bars[symbol][last_seen[symbol]]["mark_close"])
                    for _, rate in between(settled[symbol], time, time + 1):
                        self.fund(symbol, rate, here[symbol]["mark_open"])
            self.opened(time, here)
            self.trade(time, here if time == fill else {}, wanted)
            wanted = {}
            for symbol in sorted(here):
                if symbol in self.held:
                    for _, rate in between(settled[symbol], time + 1, time + self.length):
                        self.fund(symbol, rate, here[symbol]["mark_open"])
                    self.inside(symbol, time, here[symbol])
            self.closing(time, here)
            for symbol in sorted(here):
                if symbol in self.held and time == last[symbol]:
                    self.sell(symbol, time, here[symbol]["close"], "end", 0.0)
                last_seen[symbol] = time
            worth = self.worth()
            self.equity.append(worth)
            shares = {s: h.sign * h.units * h.value_at / worth for s, h in self.held.items()} if worth else {}
            self.weights.append(shares)
            plan = self.setup.plan.get(time)
            if plan is not None and worth > 0:
                target = {s: w / 2 for s, w in shares.items()} if isinstance(plan, str) else dict(plan)
                for symbol in self.held:
                    target.setdefault(symbol, 0.0)
                for symbol, weight in target.items():
                    if weight == 0 and symbol not in self.held:
                        continue
                    if symbol in last_seen:
                        wanted[symbol] = weight * worth / bars[symbol][last_seen[symbol]]["close"]
                    else:
                        self.refused["no_next_bar"] += 1
                fill = time + self.length
        self.refused["no_next_bar"] += len(wanted)
        return self

    def worth(self) -> float:
        return max(self.cash + sum(max(h.result(h.value_at), -h.left) for h in self.held.values()), 0.0)

    def opened(self, time: int, here: dict[str, dict[str, float]]) -> None:
        """After the funding at the open."""

    def closing(self, time: int, here: dict[str, dict[str, float]]) -> None:
        """Before markets end."""

    def fund(self, symbol: str, rate: float, price: float) -> None:
        held = self.held[symbol]
        amount = -held.sign * rate * price * held.units
        amount = max(amount, -max(held.left + held.result(price), 0.0))
        self.cash += amount
        held.funding += amount
        held.left = min(held.left + amount, held.margin)

    def inside(self, symbol: str, time: int, bar: dict[str, float]) -> None:
        held, contract = self.held[symbol], self.setup.markets[symbol].contract
        held.value_at = bar["close"]
        if contract.spot:
            return
        if held.beyond(contract.tiers, bar["mark_open"]):
            self.sell(symbol, time, bar["mark_open"], "liquidation", 0.0)
        elif held.beyond(contract.tiers, bar["mark_low" if held.sign > 0 else "mark_high"]):
            self.sell(symbol, time, held.liquidation(contract.tiers), "liquidation", 0.0)

    def sell(self, symbol: str, time: int, price: float, reason: str, kept: float) -> None:
        held, costs = self.held[symbol], self.setup.costs
        share = 1 - kept / held.units
        units, left = held.units * share, held.left * share
        rate = costs.liquidation_fee
        if reason != "liquidation":
            rate = costs.taker_fee
            price *= 1 - held.sign * costs.slippage
        entry = held.cost / held.units
        # Beyond the price at which nothing is left of the margin, the exchange bears the loss.
        bankrupt = entry - held.sign * left / units
        price = max(price, bankrupt) if held.sign > 0 else min(price, bankrupt)
        result = held.sign * units * (price - entry)
        flow = result - min(rate * units * price, max(left + result, 0.0))
        self.cash += flow
        net = flow + share * (held.funding - sum(lot.fee for lot in held.lots))
        funding = share * held.funding
        self.closed.append((symbol, held.sign, held.since, time, reason, units, entry, price, net, funding))
        if reason == "rebalance":
            self.traded[-1] += units * price
        if not kept:
            del self.held[symbol]
            return
        for lot in held.lots:
            lot.units, lot.fee = lot.units * (1 - share), lot.fee * (1 - share)
        held.margin, held.left, held.funding = (
            held.margin * (1 - share),
            left / share * (1 - share),
            held.funding - funding,
        )
        held.value_at = price if costs.slippage == 0 else held.value_at

    def trade(self, time: int, here: dict[str, dict[str, float]], wanted: dict[str, float]) -> None:
        allowed: dict[str, float] = {}
        for symbol, target in sorted(wanted.items()):
            contract, held = self.setup.markets[symbol].contract, self.held.get(symbol)
            if symbol not in here:
                self.refused["no_next_bar"] += 1
                continue
            if held and not contract.spot and held.beyond(contract.tiers, here[symbol]["mark_open"]):
                self.refused["liquidated"] += 1
                continue
            allowed[symbol] = target
        whole = {symbol: whole_lots(target, self.setup.markets[symbol].contract) for symbol, target in allowed.items()}
        for symbol, target in whole.items():
            held, price = self.held.get(symbol), here[symbol]["open"]
            if not held or held.sign * target > held.units - 1e-9 * self.setup.markets[symbol].contract.lot:
                continue
            kept = max(0.0, held.sign * target)
            if kept and self.small(symbol, held.units - kept, price * (1 - held.sign * self.setup.costs.slippage)):
                self.refused["below_minimum"] += held.units - kept > 1e-9 * held.units
            else:
                self.sell(symbol, time, price, "rebalance", kept)
        for symbol, target in whole.items():
            self.buy(symbol, time, here[symbol]["open"], target, allowed[symbol])

    def small(self, symbol: str, units: float, price: float) -> bool:
        contract = self.setup.markets[symbol].contract
        least = contract.minimum_usd or self.setup.account.minimum_usd
        return units < 1e-12 or units < contract.minimum_amount - 1e-9 or units * price < least

    def buy(self, symbol: str, time: int, price: float, target: float, exact: float) -> None:
        account, costs, contract = self.setup.account, self.setup.costs, self.setup.markets[symbol].contract
        held, sign = self.held.get(symbol), 1 if exact > 0 else -1
        more = sign * target - (held.units if held else 0.0)
        if exact == 0 or (held and more <= 1e-9 * held.units):
            return
        if contract.spot and sign < 0:
            self.refused["spot_short"] += 1
            return
        if more == 0:
            self.refused["below_minimum"] += 1
            return
        paid = price * (1 + sign * costs.slippage)
        room = self.cash - sum(max(h.left, 0.0) for h in self.held.values())
        if account.capital_usd:
            room = min(room, account.capital_usd - sum(h.margin for h in self.held.values()))
        value, margin = (held.cost, held.margin) if held else (0.0, 0.0)
        rows = contract.tiers.rows

        def leverage_of(adds: float) -> float:
            allowed = [tier.leverage for tier in rows if (value + adds) * (1 - 1e-13) <= tier.most_usd]
            return 1.0 if contract.spot else min(account.leverage, max(allowed))

        def needed(adds: float) -> float:
            leverage = leverage_of(adds)
            return max(adds / leverage, (value + adds) / leverage - margin) + adds * costs.taker_fee

        adds, reason = more * paid, ""
        if not contract.spot and value + adds > rows[-1].most_usd:
            adds, reason = rows[-1].most_usd - value, "no_tier"
        if adds > 0 and needed(adds) > room:
            reason, low, high = "no_margin", 0.0, adds
            for _ in range(200):
                middle = (low + high) / 2
                low, high = (middle, high) if needed(middle) <= room else (low, middle)
            adds = low
        leverage = leverage_of(max(adds, 0.0))
        units = (whole_lots(adds / paid, contract) if reason else more) if adds > 0 else 0.0
        if adds <= 0 or self.small(symbol, units, paid):
            self.refused[reason or "below_minimum"] += 1
            return
        if reason:
            self.refused[reason] += 1
        fee = units * paid * costs.taker_fee
        self.cash -= fee
        self.traded[-1] += units * paid
        if held is None:
            held = self.held[symbol] = Held(sign, time, [])
        held.lots.append(Lot(units, paid, fee))
        after = max(held.margin + units * paid / leverage, held.cost / leverage)
        held.left += after - held.margin
        held.margin = after


def whole_lots(units: float, contract: Contract) -> float:
    if not contract.lot:
        return units
    return math.copysign(math.floor(round(abs(units) / contract.lot, 7)) * contract.lot, units)


def rows_of(market: Market) -> dict[int, dict[str, float]]:
    names = ("open", "high", "low", "close")
    marks = {}
    if market.mark is not None:
        for row, time in enumerate(market.mark.time.tolist()):
            marks[time] = {f"mark_{name}": float(getattr(market.mark, name)[row]) for name in names}
    found = {}
    for row, time in enumerate(market.candles.time.tolist()):
        bar = {name: float(getattr(market.candles, name)[row]) for name in names}
        found[time] = bar | marks.get(time, {f"mark_{name}": value for name, value in bar.items()})
    return found


def settlements(market: Market) -> list[tuple[int, float]]:
    if market.funding is None:
        return []
    return list(zip(market.funding.time.tolist(), market.funding.rate.tolist(), strict=True))


def between(settled: list[tuple[int, float]], first: int, end: int) -> list[tuple[int, float]]:
    return settled[bisect_left(settled, (first, -math.inf)) : bisect_left(settled, (end, -math.inf))]


# -------------------------------------------------------------------------------------------------------- comparisons


def fast(setup: Setup) -> BacktestResult:
    def decide(time: int, equity: float, held: Mapping[str, float]) -> Mapping[str, float] | None:
        plan = setup.plan[time]
        return {symbol: weight / 2 for symbol, weight in held.items()} if isinstance(plan, str) else plan

    markets = TradedMarkets(
        {symbol: market.candles for symbol, market in setup.markets.items()},
        {symbol: market.funding for symbol, market in setup.markets.items()},
        {symbol: market.mark for symbol, market in setup.markets.items()},
    )
    contracts = {symbol: market.contract for symbol, market in setup.markets.items()}
    return backtest_weights(decide, setup.plan, markets, setup.account, setup.costs, contracts)


def require_equal(slow: Slow, result: BacktestResult) -> None:
    # Within a bar, liquidations of several markets have no order.
    found = [
        (t.symbol, t.side, t.entry_time, t.exit_time, t.reason, t.quantity, t.entry_price, t.exit_price, t.net_usd,
         t.funding_usd)
        for t in sorted(result.trades, key=lambda t: (t.exit_time, t.symbol))
    ]  # fmt: skip
    expected = sorted(slow.closed, key=lambda row: (row[3], row[0]))
    assert [row[:5] for row in found] == [row[:5] for row in expected]
    scale = slow.setup.account.equity_usd
    for one, other in zip(found, expected, strict=True):
        assert one[5:8] == pytest.approx(other[5:8], rel=1e-7)
        assert one[8:] == pytest.approx(other[8:], rel=1e-7, abs=1e-9 * scale)
    assert result.equity_usd.tolist() == pytest.approx(slow.equity, rel=1e-8, abs=1e-9 * scale)
    assert result.weights is not None
    assert result.traded_usd is not None
    assert result.traded_usd.tolist() == pytest.approx(slow.traded, rel=1e-7, abs=1e-9 * scale)
    for row, shares in zip(result.weights.tolist(), slow.weights, strict=True):
        named = dict(zip(result.symbols, row, strict=True))
        assert {s: w for s, w in named.items() if w} == pytest.approx(shares, rel=1e-6)
    assert dict(result.refused) == {reason: count for reason, count in slow.refused.items() if count}


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_backtest_of_weights_is_the_slow_account(seed: int) -> None:
    setup = random_setup(seed)
    require_equal(Slow(setup).run(), fast(setup))


def test_the_random_markets_reach_every_rule() -> None:
    reasons: Counter[str] = Counter()
    for seed in range(80):
        result = fast(random_setup(seed))
        reasons.update(result.refused.keys())
        reasons.update(trade.reason for trade in result.trades)
    least = ("rebalance", "liquidation", "end", "no_margin", "no_tier", "below_minimum", "spot_short", "no_next_bar")
    assert all(reasons[name] >= 3 for name in least), reasons
    assert reasons["liquidated"]


@pytest.mark.data
@pytest.mark.skipif("QUORATE_DATA" not in os.environ, reason="QUORATE_DATA does not name the folder of real candles")
def test_a_year_of_real_perpetuals_rebalanced_every_day() -> None:
    folder = FreqtradeFolder(Path(os.environ["QUORATE_DATA"]) / "binance")
    names = [f"{name}/USDT:USDT" for name in ("BTC", "ETH", "SOL", "DOGE", "XRP")]
    start, end = parse_ms("2021-04-01"), parse_ms("2022-04-01")
    markets = {}
    for name in names:
        candles = folder.candles(name, "4h").between(start, end)
        markets[name] = Market(candles, None, folder.funding(name), Contract(name, lot=0.001, minimum_usd=5.0))
    random = np.random.default_rng(7)
    length = timeframe_ms("4h")
    days = range(start + 5 * length, end, 6 * length)
    weight = np.zeros(len(names))
    plan: dict[int, str | dict[str, float] | None] = {}
    for time in days:
        weight = 0.9 * weight + 0.2 * random.standard_normal(len(names))
        plan[time] = dict(zip(names, weight.tolist(), strict=True))
    setup = Setup(markets, AccountSettings(equity_usd=10_000.0, leverage=5.0), CostSettings(), plan)
    slow, result = Slow(setup, length).run(), fast(setup)
    require_equal(slow, result)
    assert len(result.trades) > 1_000
    assert result.funding_unknown == ()
    assert sum(trade.funding_usd for trade in result.trades) != 0
    assert result.net_usd == pytest.approx(result.final_equity_usd - 10_000.0, abs=1e-6)
