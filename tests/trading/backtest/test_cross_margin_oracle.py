"""The backtest of weights on cross margin against the slow account, which then has no margin of a position."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.trading import MarginTiers
from trading.backtest.test_target_weights_oracle import (
    Held,
    Lot,
    Setup,
    Slow,
    fast,
    random_setup,
    require_equal,
    whole_lots,
)

Prices = dict[str, dict[str, float]]


def cross_setup(seed: int) -> Setup:
    setup = random_setup(seed)
    bold = 1 + 4 * (seed % 3)  # large positions, so that accounts are liquidated
    markets = {name: market for name, market in setup.markets.items() if ":" in name}
    plan = {
        time: {name: bold * weight for name, weight in plan.items() if name in markets}
        if isinstance(plan, dict)
        else plan
        for time, plan in setup.plan.items()
    }
    leverage = max(setup.account.leverage, 5.0 * bold) if bold > 1 else setup.account.leverage
    account = replace(setup.account, margin="cross", leverage=leverage, capital_usd=setup.account.capital_usd * bold)
    return replace(setup, markets=markets, plan=plan, account=account)


def maintenance(tiers: MarginTiers, value: float) -> float:
    needed = below = 0.0
    for most, rate, _ in (*tiers.rows[:-1], tiers.rows[-1]._replace(most_usd=math.inf)):
        needed += rate * max(0.0, min(value, most) - below)
        below = most
    return needed


@dataclass
class SlowCross(Slow):
    leverages: dict[str, float] = field(default_factory=dict)
    gone: int = -1

    def worth(self) -> float:
        return worth if (worth := self.raw()) > 1e-12 * self.setup.account.equity_usd else 0.0

    def raw(self) -> float:
        return self.cash + sum(held.result(held.value_at) for held in self.held.values())

    def fund(self, symbol: str, rate: float, price: float) -> None:
        held = self.held[symbol]
        amount = -held.sign * rate * price * held.units
        self.cash += amount
        held.funding += amount

    def inside(self, symbol: str, time: int, bar: dict[str, float]) -> None:
        self.held[symbol].value_at = bar["close"]

    def opened(self, time: int, here: Prices) -> None:
        self.check(time, {symbol: bar["mark_open"] for symbol, bar in here.items()})

    def closing(self, time: int, here: Prices) -> None:
        self.check(time, {symbol: bar["mark_close"] for symbol, bar in here.items()})

    def check(self, time: int, marks: dict[str, float]) -> None:
        prices = {symbol: marks.get(symbol, held.value_at) for symbol, held in self.held.items()}
        values = {symbol: held.units * prices[symbol] for symbol, held in self.held.items()}
        worth = self.cash + sum(held.result(prices[symbol]) for symbol, held in self.held.items())
        markets = self.setup.markets
        if not self.held or worth > sum(maintenance(markets[s].contract.tiers, v) for s, v in values.items()):
            return
        fees = min(self.setup.costs.liquidation_fee * sum(values.values()), worth)
        for symbol in [*self.held]:
            fee = fees * values[symbol] / sum(values.values())
            self.leave(symbol, time, prices[symbol], "liquidation", 1.0, fee)
        self.gone = time

    def sell(self, symbol: str, time: int, price: float, reason: str, kept: float) -> None:
        held, costs = self.held[symbol], self.setup.costs
        share = 1 - kept / held.units
        units = held.units * share
        price *= 1 - held.sign * costs.slippage
        fee = units * price * costs.taker_fee
        left = self.raw() + held.sign * units * (price - held.value_at) - fee
        self.leave(symbol, time, price, reason, share, fee + min(0.0, left))

    def leave(self, symbol: str, time: int, price: float, reason: str, share: float, fee: float) -> None:
        held = self.held[symbol]
        units, entry = held.units * share, held.cost / held.units
        flow = held.sign * units * (price - entry) - fee
        self.cash += flow
        funding = held.funding * share
        net = flow + funding - share * sum(lot.fee for lot in held.lots)
        self.closed.append((symbol, held.sign, held.since, time, reason, units, entry, price, net, funding))
        if reason == "rebalance":
            self.traded[-1] += units * price
        if share == 1.0:
            del self.held[symbol]
            return
        for lot in held.lots:
            lot.units, lot.fee = lot.units * (1 - share), lot.fee * (1 - share)
        held.funding -= funding

    def trade(self, time: int, here: Prices, wanted: dict[str, float]) -> None:
        if self.gone == time and here:
            self.refused["liquidated"] += len(wanted)
            return
        if wanted:
            for symbol, held in self.held.items():
                held.value_at = here[symbol]["open"] if symbol in here else held.value_at
        self.refused["no_next_bar"] += len({*wanted} - {*here})
        markets = self.setup.markets
        allowed = {symbol: target for symbol, target in sorted(wanted.items()) if symbol in here}
        whole = {symbol: whole_lots(target, markets[symbol].contract) for symbol, target in allowed.items()}
        for symbol, target in whole.items():
            held, price = self.held.get(symbol), here[symbol]["open"]
            if not held or held.sign * target > held.units - 1e-9 * markets[symbol].contract.lot:
                continue
            kept = max(0.0, held.sign * target)
            if kept and self.small(symbol, held.units - kept, price * (1 - held.sign * self.setup.costs.slippage)):
                self.refused["below_minimum"] += held.units - kept > 1e-9 * held.units
            else:
                self.sell(symbol, time, price, "rebalance", kept)
        for symbol, target in whole.items():
            self.buy(symbol, time, here[symbol]["open"], target, allowed[symbol])

    def initial(self) -> float:
        return sum(held.units * held.value_at / self.leverages[symbol] for symbol, held in self.held.items())

    def buy(self, symbol: str, time: int, price: float, target: float, exact: float) -> None:
        account, costs, contract = self.setup.account, self.setup.costs, self.setup.markets[symbol].contract
        held, sign = self.held.get(symbol), 1 if exact > 0 else -1
        units = held.units if held else 0.0
        more = sign * target - units
        if exact == 0 or (held and more <= 1e-9 * units):
            return
        if more == 0:
            self.refused["below_minimum"] += 1
            return
        paid = price * (1 + sign * costs.slippage)
        room = self.worth() - self.initial()
        if account.capital_usd:
            room = min(room, account.capital_usd - self.initial())
        most = contract.tiers.rows[-1].most_usd
        before = units * price / self.leverages[symbol] if held else 0.0

        def leverage_of(x: float) -> float:
            value = (units + x) * price * (1 - 1e-13)
            allowed = [tier.leverage for tier in contract.tiers.rows if value <= tier.most_usd]
            return min(account.leverage, max(allowed, default=contract.tiers.rows[-1].leverage))

        def needed(x: float) -> float:
            leverage = leverage_of(x)
            margin = max(x * price / leverage, (units + x) * price / leverage - before)
            return margin + x * (paid * costs.taker_fee + abs(paid - price))

        adds, reason = more, ""
        if (units + adds) * price > most:
            adds, reason = most / price - units, "no_tier"
        if adds > 0 and needed(adds) > room:
            reason, low, high = "no_margin", 0.0, adds
            for _ in range(200):
                middle = (low + high) / 2
                low, high = (middle, high) if needed(middle) <= room else (low, middle)
            adds = low
        leverage = leverage_of(max(adds, 0.0))
        bought = (whole_lots(adds, contract) if reason else more) if adds > 0 else 0.0
        if adds <= 0 or self.small(symbol, bought, price):
            self.refused[reason or "below_minimum"] += 1
            return
        if reason:
            self.refused[reason] += 1
        fee = bought * paid * costs.taker_fee
        self.cash -= fee
        self.traded[-1] += bought * paid
        if held is None:
            held = self.held[symbol] = Held(sign, time, [])
        held.lots.append(Lot(bought, paid, fee))
        held.value_at = price
        self.leverages[symbol] = leverage


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_backtest_on_cross_margin_is_the_slow_account(seed: int) -> None:
    setup = cross_setup(seed)
    require_equal(SlowCross(setup).run(), fast(setup))


def test_the_random_markets_reach_every_rule() -> None:
    reasons: Counter[str] = Counter()
    borne = 0
    for seed in range(80):
        setup = cross_setup(seed)
        result = fast(setup)
        reasons.update(result.refused.keys())
        reasons.update({trade.reason for trade in result.trades})
        ended = [trade for trade in result.trades if trade.reason == "liquidation"]
        borne += any(trade.fee_usd < 0 for trade in ended)
        assert result.net_usd == pytest.approx(
            result.final_equity_usd - setup.account.equity_usd, rel=1e-9, abs=1e-9 * setup.account.equity_usd
        )
    least = ("rebalance", "liquidation", "end", "no_margin", "no_tier", "below_minimum", "no_next_bar")
    assert all(reasons[name] >= 3 for name in least), reasons
    assert reasons["liquidated"]
    assert borne
