"""The backtest against a slow account that is written from the rules alone, one bar at a time, without look-ups.

It shares no code with the package: prices, sizes, liquidation (by bisection), funding and the order of events are all
worked out again, over every bar of every market.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame, Funding
from quorate.trading import CONSERVATIVE_TIERS, BacktestResult, Contract, Trade
from quorate.trading.backtest import backtest

START = parse_ms("2025-03-01")
Row = dict[str, float]


@dataclass
class Market:
    symbol: str
    candles: Candles
    mark: Candles | None
    funding: Funding | None
    frame: DecisionFrame
    contract: Contract
    probability: np.ndarray[Any, Any]


@dataclass
class Setup:
    markets: list[Market]
    account: AccountSettings
    costs: CostSettings
    exits: ExitSettings
    horizon: int


def random_setup(seed: int) -> Setup:
    random = np.random.default_rng(seed)
    names = ["A/USDT:USDT", "B/USDT:USDT", "C/USDT:USDT", "D/USDT"][: random.integers(1, 5)]
    account = AccountSettings(
        equity_usd=float(random.choice([50.0, 1_000.0, 200_000.0])),
        positions=int(random.integers(1, 4)),
        risk=float(random.choice([0.01, 0.1])),
        leverage=float(random.choice([1.0, 3.5, 5.0, 25.0])),
        sizing=str(random.choice(["risk", "fixed", "atr", "half_kelly"])),  # type: ignore[arg-type]
        capital_usd=float(random.choice([0.0, 30.0, 500.0])),
    )
    costs = CostSettings(slippage=float(random.choice([0, 0.001])), taker_fee=float(random.choice([0, 0.0005])))
    exits = ExitSettings(
        stop_atr=float(random.choice([0.5, 2.0, 6.0])),
        target_ratio=float(random.choice([0.7, 2.5])),
        trail_atr=float(random.choice([0, 1.5])),
        maker_target=bool(random.integers(2)),
        reopen=bool(random.integers(2)),
    )
    markets = [random_market(name, random) for name in names]
    return Setup(markets, account, costs, exits, horizon=int(random.integers(1, 8)))


def random_market(symbol: str, random: np.random.Generator) -> Market:
    n = 70
    wild = random.choice([0.005, 0.03, 0.08])
    close = 100 * np.exp(np.cumsum(wild * random.standard_normal(n)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(wild * random.standard_normal(n) * (random.random(n) < 0.2))
    high = np.maximum(open_, close) * np.exp(wild * random.random(n))
    low = np.minimum(open_, close) * np.exp(-wild * random.random(n))
    # Some markets jump between two bars, and with them the mark price, at once or a bar later. From a factor of 3 on it
    # could be a change of the price scale, over which nothing is held.
    jump = int(random.integers(20, n)) if random.random() < 0.4 else n
    factor = float(random.choice([0.55, 0.7, 0.85, 1.2, 1.8]))
    for column in (open_, high, low, close):
        column[jump:] *= factor
    time = START + HOUR_MS * np.arange(n, dtype=np.int64)
    kept = np.flatnonzero(random.random(n) > random.choice([0, 0.1]))[: random.integers(30, n)]
    rows = [column[kept] for column in (time, open_, high, low, close)]
    candles = Candles(symbol, "1h", *rows, np.ones(len(kept)))
    mark = funding = None
    if ":" in symbol and random.random() < 0.7:
        basis = np.exp(wild * random.standard_normal(len(kept)))
        basis[kept == jump] /= random.choice([1.0, factor])
        marked = [column * basis for column in rows[1:]]
        some = np.flatnonzero(random.random(len(kept)) > 0.1)
        mark = Candles(symbol, "1h", *(c[some] for c in (rows[0], *marked)), np.ones(len(some)))
    if ":" in symbol and random.random() < 0.8:
        step = random.choice([HOUR_MS // 2, 4 * HOUR_MS, 8 * HOUR_MS])
        settled = np.arange(START - 4 * HOUR_MS, START + (n + 4) * HOUR_MS, step, dtype=np.int64)
        settled = settled[random.random(len(settled)) > random.choice([0, 0.1])]
        rates = random.choice([0.003, 0.02]) * random.standard_normal(len(settled))
        funding = Funding(symbol, settled, rates)
    action = random.choice([0, 1, 2], size=len(kept), p=[0.2, 0.6, 0.2]).astype(np.int8)
    confidence = random.choice([0.0, 0.7, 0.8], size=len(kept), p=[0.05, 0.5, 0.45])
    text, zero = np.full(len(kept), ""), np.zeros(len(kept))
    frame = DecisionFrame(symbol, "1h", candles.time, action, confidence, confidence, text, text, zero)
    lot, tick = random.choice([0.0, 0.01]), random.choice([0.0, 0.05])
    probability = random.choice([0.2, 0.5, 0.7, np.nan], size=len(kept))
    return Market(
        symbol, candles, mark, funding, frame, Contract(symbol, lot=float(lot), tick=float(tick)), probability
    )


# --------------------------------------------------------------------------------------------------- the slow account


@dataclass
class Held:
    symbol: str
    sign: int
    units: float
    margin: float
    paid: float  # fill price
    since: int
    until: int
    stop: float
    first_stop: float
    target: float
    liquidation: float
    trail: float
    tick: float
    value_at: float
    first_liquidation: float
    left: float  # margin that funding has not used up
    cash_flow: float = 0.0  # everything this position has added to cash
    funding: float = 0.0


@dataclass
class Slow:
    setup: Setup
    cash: float = 0.0
    held: dict[str, Held] = field(default_factory=dict)
    closed: list[tuple[Any, ...]] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)

    def run(self) -> "Slow":
        self.cash = self.setup.account.equity_usd
        markets = {market.symbol: market for market in self.setup.markets}
        every_time = sorted({int(time) for market in self.setup.markets for time in market.candles.time})
        last_seen: dict[str, int] = {}  # symbol -> time of its bar before this one
        for time in every_time:
            here = {symbol: rows_at(market, time) for symbol, market in markets.items()}
            present = [symbol for symbol in sorted(here) if here[symbol]]
            # 1. what was settled since the bar before
            for symbol in present:
                if symbol in self.held:
                    for when, rate in settlements(markets[symbol]):
                        if last_seen[symbol] + HOUR_MS <= when < time:
                            self.fund(symbol, rate, rows_at(markets[symbol], last_seen[symbol])["mark_close"])
                        elif when == time:
                            self.fund(symbol, rate, here[symbol]["mark_open"])
            # 2. exits that are due, then entries
            over = set()
            for symbol in present:
                if symbol in self.held and time >= self.held[symbol].until:
                    held, marked = self.held[symbol], here[symbol]["mark_open"]
                    over.add((symbol, held.sign))
                    if marked <= held.liquidation if held.sign > 0 else marked >= held.liquidation:
                        self.sell(symbol, time, marked, "liquidation")
                    else:
                        self.sell(symbol, time, here[symbol]["open"], "time")
            wanted = []
            for symbol in present:
                market = markets[symbol]
                for row, decided in enumerate(market.frame.time.tolist()):
                    if decided + HOUR_MS == time and market.frame.action[row] != 1:
                        wanted.append((-market.frame.confidence[row], symbol, row))
            for _, symbol, row in sorted(wanted):
                sign = 1 if markets[symbol].frame.action[row] == 2 else -1
                if (symbol, sign) in over and not self.setup.exits.reopen:
                    continue
                self.buy(markets[symbol], row, time, here[symbol]["open"])
            # 3. inside the bars
            for symbol in present:
                if symbol in self.held:
                    for when, rate in settlements(markets[symbol]):
                        if time < when < time + HOUR_MS:
                            self.fund(symbol, rate, here[symbol]["mark_open"])
                    self.inside(symbol, time, here[symbol])
            # 4. the ends, and the value of what is left
            for symbol in present:
                if symbol in self.held and time == markets[symbol].candles.time[-1]:
                    self.sell(symbol, time, here[symbol]["close"], "end")
                last_seen[symbol] = time
            self.equity.append(self.worth())
        return self

    def worth(self) -> float:
        worth = self.cash
        for h in self.held.values():
            worth += max(h.sign * h.units * (h.value_at - h.paid), -h.left)
        return max(worth, 0.0)

    def fund(self, symbol: str, rate: float, price: float) -> None:
        held = self.held[symbol]
        amount = rate * price * held.units
        amount = -amount if held.sign > 0 else amount
        # Nobody owes more than the position is worth.
        worth = held.left + held.sign * held.units * (price - held.paid)
        amount = max(amount, -worth if worth > 0 else 0.0)
        self.cash += amount
        held.cash_flow += amount
        held.funding += amount
        held.left = min(held.left + amount, held.margin)
        if held.left < held.margin:
            held.liquidation = bisected_liquidation(held.sign, held.units, held.paid, held.left)
        else:
            held.liquidation = held.first_liquidation

    def inside(self, symbol: str, time: int, bar: Row) -> None:
        held = self.held[symbol]
        long = held.sign > 0
        maker = self.setup.exits.maker_target
        stopped = "stop" if held.stop == held.first_stop else "trailing"

        def worse(price: float, level: float) -> bool:
            return price <= level if long else price >= level

        worst, best = (bar["low"], bar["high"]) if long else (bar["high"], bar["low"])
        worst_mark = bar["mark_low"] if long else bar["mark_high"]
        beyond = best > held.target if long else best < held.target
        if worse(bar["mark_open"], held.liquidation):
            self.sell(symbol, time, bar["mark_open"], "liquidation")
        elif worse(bar["open"], held.stop):
            self.sell(symbol, time, bar["open"], stopped)
        elif not maker and (bar["open"] == held.target or worse(held.target, bar["open"])):
            self.sell(symbol, time, bar["open"], "target")
        elif worse(worst, held.stop) and not (
            worse(worst_mark, held.liquidation) and worse(held.stop, held.liquidation) and held.stop != held.liquidation
        ):
            self.sell(symbol, time, held.stop, stopped)
        elif worse(worst_mark, held.liquidation):
            self.sell(symbol, time, held.liquidation, "liquidation")
        elif beyond or (best == held.target and not maker):
            self.sell(symbol, time, held.target, "target")
        else:
            held.value_at = bar["close"]
            if self.setup.exits.trail_atr:
                followed = best - held.trail if long else best + held.trail
                if held.tick:
                    steps = round(followed / held.tick, 9)
                    followed = (math.ceil(steps) if long else math.floor(steps)) * held.tick
                held.stop = max(held.stop, followed) if long else min(held.stop, followed)

    def sell(self, symbol: str, time: int, price: float, reason: str) -> None:
        held, costs = self.held.pop(symbol), self.setup.costs
        if reason == "liquidation":
            rate = costs.liquidation_fee
        elif reason == "target" and self.setup.exits.maker_target:
            rate = costs.maker_fee
        else:
            rate = costs.taker_fee
            price *= 1 - costs.slippage if held.sign > 0 else 1 + costs.slippage
        # Isolated margin: beyond the price at which nothing is left, the exchange bears the loss.
        broke = held.paid - held.sign * held.left / held.units
        price = max(price, broke) if held.sign > 0 else min(price, broke)
        result = held.sign * held.units * (price - held.paid)
        flow = result - min(rate * held.units * price, max(held.left + result, 0.0))
        self.cash += flow
        net = held.cash_flow + flow
        self.closed.append(
            (symbol, held.sign, held.since, time, reason, held.units, held.paid, price, net, held.funding)
        )

    def buy(self, market: Market, row: int, time: int, price: float) -> None:
        setup, sign = self.setup, 1 if market.frame.action[row] == 2 else -1
        atr = naive_atr(market.candles, row)
        spot = ":" not in market.symbol
        probability = market.probability[row]
        if (
            market.symbol in self.held
            or len(self.held) >= setup.account.positions
            or market.frame.confidence[row] <= 0
            or (spot and sign < 0)
            or math.isnan(atr)
        ):
            return
        paid = price * (1 + sign * setup.costs.slippage)
        equity = self.worth()
        used = sum(h.margin for h in self.held.values())
        free = self.cash - sum(max(h.left, 0.0) for h in self.held.values())
        sized = slow_size(setup, market.contract, spot, sign, paid, atr, equity, free, used, probability)
        if sized is None:
            return
        units, margin, stop, target, liquidation = sized
        fee = units * paid * setup.costs.taker_fee
        self.cash -= fee
        self.held[market.symbol] = Held(
            market.symbol, sign, units, margin, paid, time, time + setup.horizon * HOUR_MS, stop, stop, target,
            liquidation, setup.exits.trail_atr * atr, market.contract.tick, price, liquidation, margin, cash_flow=-fee,
        )  # fmt: skip


def slow_size(
    setup: Setup,
    contract: Contract,
    spot: bool,
    sign: int,
    paid: float,
    atr: float,
    equity: float,
    free: float,
    taken: float,
    probability: float,
) -> tuple[float, float, float, float, float] | None:
    account, costs, exits = setup.account, setup.costs, setup.exits
    if equity <= 0 or free <= 0:
        return None
    most_margin = equity / account.positions
    if account.capital_usd > 0:
        most_margin = min(most_margin, account.capital_usd / account.positions, account.capital_usd - taken)
    if most_margin <= 0:
        return None

    def place(distance: float) -> tuple[float, float]:
        levels = [paid - sign * distance, paid + sign * distance * exits.target_ratio]
        if contract.tick:
            nearest = math.ceil if sign > 0 else math.floor
            levels = [nearest(round(level / contract.tick, 9)) * contract.tick for level in levels]
        return levels[0], levels[1]

    def lost(at: float) -> float:
        out = at * (1 - sign * costs.slippage)
        return sign * (paid - out) + costs.taker_fee * (paid + out)

    stop, target = place(exits.stop_atr * atr)
    if sign * (paid - stop) <= 1e-12:
        return None
    top = 1.0 if spot else account.leverage
    candidates = [top, *(float(whole) for whole in range(math.ceil(top) - 1, 0, -1))]
    bound = math.inf
    for leverage in candidates:
        if leverage >= bound:
            continue
        if account.sizing == "fixed":
            value = account.stake_usd * leverage
        elif account.sizing == "atr":
            value = account.risk * equity / atr * paid
        else:
            share = account.risk
            if account.sizing == "half_kelly":
                gain = -lost(target)
                if math.isnan(probability) or gain <= 0:
                    return None
                share = min((probability - (1 - probability) * lost(stop) / gain) / 2, account.kelly_cap)
                if share <= 0:
                    return None
            value = share * equity / lost(stop) * paid
        used = leverage
        value = min(value, most_margin * used, free / (1 / used + costs.taker_fee))
        while not spot and (most := max(t.leverage for t in CONSERVATIVE_TIERS.rows if t.most_usd >= value)) < used:
            used = most
            value = min(value, most_margin * used, free / (1 / used + costs.taker_fee))
        units = value / paid
        if contract.lot:
            units = math.floor(round(units / contract.lot, 8)) * contract.lot
        if units * paid < account.minimum_usd:
            return None
        margin = units * paid / used
        liquidation = 0.0 if spot else bisected_liquidation(sign, units, paid, margin)
        half = sign * (paid - liquidation) / 2
        if sign * (paid - stop) <= half:
            return units, margin, stop, target, liquidation
        if used <= 1:
            stop, target = place(half)
            return units, margin, stop, target, liquidation
        bound = used
    raise AssertionError("leverage 1 always ends the search")


def bisected_liquidation(sign: int, units: float, paid: float, margin: float) -> float:
    def safe(price: float) -> bool:
        needed, floor = 0.0, 0.0
        for tier in CONSERVATIVE_TIERS.rows:
            needed += tier.maintenance * max(0.0, min(units * price, tier.most_usd) - floor)
            floor = tier.most_usd
        return margin + sign * units * (price - paid) > needed

    if sign > 0 and safe(1e-300):
        return 0.0
    # Funding may have used up the margin: then even the entry price is beyond.
    good, bad = (1e3 * paid, 0.0) if sign > 0 else (1e-300, 1e3 * paid)
    for _ in range(200):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if safe(middle) else (good, middle)
    return bad


def rows_at(market: Market, time: int) -> Row:
    for row, opened in enumerate(market.candles.time.tolist()):
        if opened == time:
            bar = {name: float(getattr(market.candles, name)[row]) for name in ("open", "high", "low", "close")}
            mark = {f"mark_{name}": value for name, value in bar.items()}
            if market.mark is not None:
                for other, marked in enumerate(market.mark.time.tolist()):
                    if marked == time:
                        mark = {f"mark_{name}": float(getattr(market.mark, name)[other]) for name in bar}
            return bar | mark
    return {}


def settlements(market: Market) -> list[tuple[int, float]]:
    return [] if market.funding is None else list(zip(market.funding.time, market.funding.rate, strict=True))


def naive_atr(candles: Candles, row: int) -> float:
    """Wilder's: the mean of the first 14 true ranges, then 13 parts old and 1 part new."""
    if row < 14:
        return math.nan
    ranges = [
        max(candles.high[i], candles.close[i - 1]) - min(candles.low[i], candles.close[i - 1])
        for i in range(1, row + 1)
    ]
    value = sum(ranges[:14]) / 14
    for newer in ranges[14:]:
        value = (13 * value + newer) / 14
    return float(value)


# -------------------------------------------------------------------------------------------------------- comparisons


def fast(setup: Setup, **changes: Any) -> BacktestResult:
    options = {
        "horizon": setup.horizon,
        "costs": setup.costs,
        "account": setup.account,
        "exits": setup.exits,
        "marks": {market.symbol: market.mark for market in setup.markets},
        "contracts": {market.symbol: market.contract for market in setup.markets},
        "probabilities": {market.symbol: market.probability for market in setup.markets},
        **changes,
    }
    return backtest(
        {market.symbol: market.frame for market in setup.markets},
        {market.symbol: market.candles for market in setup.markets},
        {market.symbol: market.funding for market in setup.markets},
        **options,
    )


def as_row(trade: Trade) -> tuple[Any, ...]:
    return (
        trade.symbol, trade.side, trade.entry_time, trade.exit_time, trade.reason, trade.quantity, trade.entry_price,
        trade.exit_price, trade.net_usd, trade.funding_usd,
    )  # fmt: skip


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_backtest_is_the_slow_account(seed: int) -> None:
    setup = random_setup(seed)
    slow, result = Slow(setup).run(), fast(setup)
    start = setup.account.equity_usd
    found, expected = sorted(map(as_row, result.trades)), sorted(slow.closed)
    assert [row[:5] for row in found] == [row[:5] for row in expected]
    for row, wanted in zip(found, expected, strict=True):
        assert row[5:] == pytest.approx(wanted[5:], rel=1e-7, abs=1e-9 * start)
    assert result.equity_usd.tolist() == pytest.approx(slow.equity, rel=1e-9)


def test_the_random_markets_reach_every_exit_and_most_refusals() -> None:
    results = [fast(random_setup(seed)) for seed in range(150)]
    reasons = {trade.reason for result in results for trade in result.trades}
    assert reasons == {"stop", "trailing", "target", "time", "liquidation", "end"}
    refused = {reason for result in results for reason in result.refused}
    assert refused >= {
        "in_position",
        "just_ended",
        "no_slot",
        "no_next_bar",
        "no_atr",
        "no_confidence",
        "spot_short",
        "no_edge",
    }


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_money_appears_or_disappears(seed: int) -> None:
    setup = random_setup(seed)
    result = fast(setup)
    scale = setup.account.equity_usd
    for trade in result.trades:
        split = trade.gross_usd - trade.fee_usd - trade.slippage_usd + trade.funding_usd
        assert trade.net_usd == pytest.approx(split, abs=1e-12 * scale)
        assert trade.slippage_usd >= 0
    assert result.final_equity_usd == pytest.approx(scale + sum(t.net_usd for t in result.trades), abs=1e-9 * scale)
    at_most = [sum(t.entry_time <= time <= t.exit_time for t in result.trades) for time in result.time.tolist()]
    assert 0 <= result.exposure <= sum(count > 0 for count in at_most) / len(at_most) + 1e-12


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_the_future_changes_nothing_before_it(seed: int, data: st.DataObject) -> None:
    setup = random_setup(seed)
    # Cut behind a bar that every market has, so that the cut alone ends them: none has ended before.
    shared = set.intersection(*(set(market.candles.time.tolist()) for market in setup.markets))
    cut = data.draw(st.sampled_from(sorted(shared)[3:])) + HOUR_MS
    whole, early = fast(setup), fast(replace(setup, markets=[before(market, cut) for market in setup.markets]))
    done = [as_row(trade) for trade in early.trades if trade.reason != "end"]
    assert done == [as_row(trade) for trade in whole.trades if trade.exit_time < cut and trade.reason != "end"]
    same = len(early.time) - 1
    assert early.equity_usd[:same].tolist() == whole.equity_usd[:same].tolist()


def before(market: Market, cut: int) -> Market:
    candles, frame = market.candles.between(end=cut), market.frame
    n = len(candles)
    frame = replace(frame, time=frame.time[:n], action=frame.action[:n], confidence=frame.confidence[:n])
    return replace(market, candles=candles, frame=frame, probability=market.probability[:n])


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_markets_does_not_matter(seed: int) -> None:
    setup = random_setup(seed)
    assert fast(setup).to_json() == fast(replace(setup, markets=setup.markets[::-1])).to_json()
