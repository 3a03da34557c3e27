import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading import Contract, MarginTiers, Order, Tier
from quorate.trading.account.costs import loss_at_stop
from quorate.trading.account.sizing import Funds, Size, kelly_fraction, plan, sizing_for

FREE = CostSettings(taker_fee=0, maker_fee=0, slippage=0)
EXITS = ExitSettings()
PERPETUAL = Contract("BTC/USDT:USDT")
MakeOrder = Callable[..., Order]


def sized(
    order: Order,
    *,
    price: float = 100.0,
    equity: float = 1_000.0,
    free: float = 1_000.0,
    margin: float = 0.0,
    contract: Contract = PERPETUAL,
    costs: CostSettings = FREE,
    exits: ExitSettings = EXITS,
    **account: object,
) -> Size:
    settings = replace(AccountSettings(), **account)  # type: ignore[arg-type]
    size = plan(order, price, Funds(equity, free, margin), contract, settings, costs, exits)
    assert isinstance(size, Size), size
    return size


def test_risk_loses_one_percent_at_the_stop(order: MakeOrder) -> None:
    # ATR 2: the stop is 4 away, so 10 USD of 1,000 buy 2.5.
    size = sized(order())
    assert size.quantity == pytest.approx(2.5)
    assert (size.stop, size.target, size.leverage, size.margin_usd) == (96.0, 110.0, 5.0, pytest.approx(50.0))
    assert sized(order(side=-1))[3:5] == (104.0, 90.0)


def test_risk_counts_the_costs_of_being_stopped(order: MakeOrder) -> None:
    costs = CostSettings(taker_fee=0.001, slippage=0.01)
    size = sized(order(), costs=costs)
    # 96 sold at 95.04: 4.96 lost, and fees of 0.001 x 195.04.
    assert size.quantity == pytest.approx(10 / 5.15504)


def test_fixed_is_a_margin_times_leverage(order: MakeOrder) -> None:
    assert sized(order(), sizing="fixed", stake_usd=20.0).quantity == pytest.approx(1.0)


def test_atr_sizing_moves_one_percent_of_equity_with_one_atr(order: MakeOrder) -> None:
    assert sized(order(), sizing="atr").quantity == pytest.approx(5.0)


def test_half_kelly_by_hand(order: MakeOrder) -> None:
    # A win gains 10, a loss costs 4: f = 0.3 - 0.7 / 2.5 = 0.02, half of it is 1 % of 1,000 USD, 4 USD a unit.
    assert kelly_fraction(0.3, 2.5) == pytest.approx(0.02)
    assert sized(order(probability=0.3), sizing="half_kelly").quantity == pytest.approx(2.5)


@pytest.mark.parametrize("policy", ["classic", "calibrated", "consensus", "closed", "stack", "mixed"])
@pytest.mark.parametrize("sizing", ["risk", "fixed", "atr", "half_kelly"])
def test_only_decisions_by_probabilities_are_sized_by_them(policy: str, sizing: str) -> None:
    account = AccountSettings(sizing=sizing, positions=7)  # type: ignore[arg-type]
    expected = replace(account, sizing="half_kelly") if policy == "calibrated" else account
    assert sizing_for(policy, account) == expected  # type: ignore[arg-type]


def test_half_kelly_is_capped(order: MakeOrder) -> None:
    # Half of 0.9 - 0.1 / 2.5 is 43 %; the cap is 2 %: 20 USD, 4 USD a unit.
    assert sized(order(probability=0.9), sizing="half_kelly").quantity == pytest.approx(5.0)


def test_half_kelly_counts_costs(order: MakeOrder) -> None:
    costs = CostSettings(taker_fee=0.001, slippage=0)
    gain, loss = 10 - 0.21, 4 + 0.196
    risked = 1_000 * kelly_fraction(0.32, gain / loss) / 2
    assert sized(order(probability=0.32), costs=costs, sizing="half_kelly").quantity == pytest.approx(risked / loss)


@pytest.mark.parametrize(("probability", "reason"), [(math.nan, "no_probability"), (0.2, "no_edge")])
def test_half_kelly_without_an_edge_bets_nothing(order: MakeOrder, probability: float, reason: str) -> None:
    account = AccountSettings(sizing="half_kelly")
    found = plan(order(probability=probability), 100.0, Funds(1e3, 1e3, 0.0), PERPETUAL, account, FREE, EXITS)
    assert found == reason


def test_half_kelly_bets_nothing_where_costs_eat_the_target(order: MakeOrder) -> None:
    costs = CostSettings(taker_fee=0.1, slippage=0)
    account = AccountSettings(sizing="half_kelly")
    assert plan(order(probability=0.99), 100.0, Funds(1e3, 1e3, 0.0), PERPETUAL, account, costs, EXITS) == "no_edge"


def test_a_rebate_that_pays_for_the_stop_leaves_only_the_limits(order: MakeOrder) -> None:
    costs = CostSettings(taker_fee=-0.01, slippage=0)
    size = sized(order(atr=0.1), costs=costs)
    assert size.quantity * 100 == pytest.approx(5 * 250)


def test_the_margin_share_caps_the_value(order: MakeOrder) -> None:
    # ATR 0.1 would want 50 units; a quarter of 1,000 USD at 5x is 1,250 USD.
    size = sized(order(atr=0.1))
    assert size.quantity * 100 == pytest.approx(1_250)
    assert size.margin_usd == pytest.approx(250)


@pytest.mark.parametrize(
    ("capital", "margin", "found"),
    [
        (0.0, 0.0, 250.0),  # all equity, a quarter each
        (400.0, 0.0, 100.0),
        (400.0, 300.0, 100.0),
        (400.0, 330.0, 70.0),  # what is left of it
        (5_000.0, 0.0, 250.0),  # more than there is
    ],
)
def test_capital_is_the_most_margin_of_all_positions(
    order: MakeOrder, capital: float, margin: float, found: float
) -> None:
    size = sized(order(atr=0.1), margin=margin, capital_usd=capital)
    assert size.margin_usd == pytest.approx(found)
    assert size.leverage == 5.0


@pytest.mark.parametrize(("margin", "reason"), [(400.0, "no_margin"), (410.0, "no_margin"), (399.5, "below_minimum")])
def test_nothing_is_opened_beyond_the_capital(order: MakeOrder, margin: float, reason: str) -> None:
    account = AccountSettings(capital_usd=400.0)
    assert plan(order(), 100.0, Funds(1e3, 600.0, margin), PERPETUAL, account, FREE, EXITS) == reason


def test_free_margin_pays_the_fee_too(order: MakeOrder) -> None:
    costs = CostSettings(taker_fee=0.01, slippage=0)
    size = sized(order(atr=0.1), free=100.0, costs=costs, risk=0.1)
    assert size.margin_usd + 0.01 * size.quantity * 100 == pytest.approx(100.0)


def test_leverage_falls_until_the_stop_is_half_the_way_to_liquidation(order: MakeOrder) -> None:
    tiers = MarginTiers([Tier(math.inf, 0.01, 50)])
    contract = replace(PERPETUAL, tiers=tiers)
    # At 5x liquidation is (100 - 20) / 0.99 = 80.81, so a stop may be 9.6 away; at 4x 75.76 and 12.1.
    assert sized(order(atr=4.7), contract=contract).leverage == 5.0
    size = sized(order(atr=6.0), contract=contract)
    assert size.leverage == 4.0
    assert size.stop == 88.0
    assert size.liquidation_price == pytest.approx(75 / 0.99)


def test_at_leverage_one_the_stop_is_drawn_in(order: MakeOrder) -> None:
    # A short without leverage is liquidated at 200 / 1.02 = 196.08; a stop at 160 is more than half the way.
    size = sized(order(side=-1, atr=30.0))
    assert size.leverage == 1.0
    assert size.stop == pytest.approx(100 + (200 / 1.02 - 100) / 2)


def test_spot_takes_no_leverage_and_keeps_its_stop_above_zero(order: MakeOrder) -> None:
    size = sized(order(atr=60.0), contract=Contract("BTC/USDT"))
    assert size.leverage == 1.0
    assert size.liquidation_price == 0.0
    assert size.stop == 50.0


def test_tiers_lower_leverage_and_value(order: MakeOrder) -> None:
    contract = replace(PERPETUAL, tiers=MarginTiers([Tier(1_000, 0.02, 25), Tier(2_000, 0.1, 2)]))
    # A quarter of 10,000 USD at 5x would be 12,500; the table ends at 2,000, with leverage 2.
    size = sized(order(atr=0.1), equity=10_000.0, free=10_000.0, contract=contract)
    assert size.leverage == 2.0
    assert size.quantity * 100 == pytest.approx(2_000)


def test_lots_ticks_and_rounding_never_add_risk(order: MakeOrder) -> None:
    contract = replace(PERPETUAL, lot=1.0, tick=0.3)
    size = sized(order(), contract=contract)
    assert size.quantity == 2.0
    assert size.stop == pytest.approx(96.0)  # 320 ticks
    assert size.target == pytest.approx(110.1)
    short = sized(order(side=-1), contract=contract)
    assert short.stop == pytest.approx(103.8)
    assert short.target == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("changes", "contract", "equity", "free", "reason"),
    [
        ({"atr": math.nan}, PERPETUAL, 1e3, 1e3, "no_atr"),
        ({"atr": 0.0}, PERPETUAL, 1e3, 1e3, "no_atr"),
        ({}, PERPETUAL, 0.0, 1e3, "no_margin"),
        ({}, PERPETUAL, 1e3, 0.0, "no_margin"),
        ({}, PERPETUAL, 1e3, 0.9, "below_minimum"),  # 4.5 USD at 5x, under the 5 USD of the settings
        ({}, replace(PERPETUAL, minimum_usd=251.0), 1e3, 1e3, "below_minimum"),
        ({}, replace(PERPETUAL, lot=3.0), 1e3, 1e3, "below_minimum"),
        ({}, replace(PERPETUAL, minimum_amount=2.51), 1e3, 1e3, "below_minimum"),
        ({"atr": 0.1}, replace(PERPETUAL, tick=1.0), 1e3, 1e3, "stop_too_near"),
    ],
)
def test_refusals(
    order: MakeOrder, changes: dict[str, float], contract: Contract, equity: float, free: float, reason: str
) -> None:
    assert plan(order(**changes), 100.0, Funds(equity, free, 0.0), contract, AccountSettings(), FREE, EXITS) == reason


@given(
    side=st.sampled_from([1, -1]),
    price=st.floats(1e-4, 1e5),
    volatility=st.floats(1e-5, 0.9),
    equity=st.floats(10, 1e7),
    free_share=st.floats(0.01, 1),
    capital=st.sampled_from([0.0, 30.0, 100.0, 1e4]),
    used=st.floats(0, 200),
    leverage=st.floats(1, 50),
    positions=st.integers(1, 10),
    sizing=st.sampled_from(["risk", "fixed", "atr", "half_kelly"]),
    spot=st.booleans(),
    lot=st.sampled_from([0.0, 0.001, 1.0]),
    tick=st.sampled_from([0.0, 1e-6, 0.01]),
)
def test_every_size_keeps_every_limit(
    side: int,
    price: float,
    volatility: float,
    equity: float,
    free_share: float,
    capital: float,
    used: float,
    leverage: float,
    positions: int,
    sizing: str,
    spot: bool,
    lot: float,
    tick: float,
) -> None:
    contract = Contract("BTC/USDT" if spot else "BTC/USDT:USDT", lot=lot, tick=tick)
    account = AccountSettings(leverage=leverage, positions=positions, sizing=sizing, capital_usd=capital)  # type: ignore[arg-type]
    costs = CostSettings()
    order = Order(contract.symbol, 1 if spot else side, 0, 1, 0.8, volatility * price, 0.6)
    size = plan(order, price, Funds(equity, equity * free_share, used), contract, account, costs, EXITS)
    if not isinstance(size, Size):
        assert size in {"below_minimum", "stop_too_near", "no_edge", "no_margin"}
        return
    value, slack = size.quantity * price, 1 + 1e-9
    fee = value * costs.taker_fee
    assert value >= 5 / slack
    assert size.margin_usd == pytest.approx(value / size.leverage)
    assert size.margin_usd <= equity / positions * slack
    if capital:
        assert size.margin_usd <= capital / positions * slack
        assert used + size.margin_usd <= capital * slack
    assert size.margin_usd + fee <= equity * free_share * slack
    assert 1 <= size.leverage <= (1 if spot else max(leverage, 1))
    assert spot or size.leverage <= contract.tiers.leverage(value / slack)
    assert 0 < order.side * (price - size.stop) <= order.side * (price - size.liquidation_price) / 2 * slack
    assert order.side * (size.target - price) > 0
    if sizing == "risk":
        assert size.quantity * loss_at_stop(price, size.stop, order.side, costs) <= 0.01 * equity * slack


@given(
    factor=st.floats(0.01, 1.0),
    side=st.sampled_from([1, -1]),
    price=st.floats(1e-3, 1e6),
    volatility=st.floats(1e-4, 0.3),
    equity=st.floats(10, 1e7),
    free_share=st.floats(0.01, 1),
    capital=st.sampled_from([0.0, 100.0, 5_000.0]),
    leverage=st.floats(1, 50),
    sizing=st.sampled_from(["risk", "fixed", "atr", "half_kelly"]),
    spot=st.booleans(),
    lot=st.sampled_from([0.0, 0.001, 1.0]),
    tick=st.sampled_from([0.0, 1e-6, 0.01]),
)
def test_a_share_of_the_stake_is_never_more_than_the_whole(
    factor: float,
    side: int,
    price: float,
    volatility: float,
    equity: float,
    free_share: float,
    capital: float,
    leverage: float,
    sizing: str,
    spot: bool,
    lot: float,
    tick: float,
) -> None:
    contract = Contract("BTC/USDT" if spot else "BTC/USDT:USDT", lot=lot, tick=tick)
    account = AccountSettings(leverage=leverage, sizing=sizing, capital_usd=capital)  # type: ignore[arg-type]
    order = Order(contract.symbol, 1 if spot else side, 0, 1, 0.8, volatility * price, 0.6)
    rules = price, Funds(equity, equity * free_share, 0.0), contract, account, CostSettings(), EXITS
    whole, part = plan(order, *rules), plan(order._replace(stake_factor=factor), *rules)
    if not isinstance(whole, Size):
        assert part == whole
        return
    if not isinstance(part, Size):
        # One lot less than the share may be too little.
        assert part == "below_minimum"
        assert (whole.quantity * factor - lot) * price <= account.minimum_usd * (1 + 1e-9)
        return
    assert whole.quantity * factor - lot * (1 + 1e-9) <= part.quantity <= whole.quantity * factor * (1 + 1e-9)
    assert part.quantity <= whole.quantity
    assert part.margin_usd <= whole.margin_usd
    assert (part.leverage, part.stop, part.target) == (whole.leverage, whole.stop, whole.target)
    assert spot or order.side * (price - part.stop) <= order.side * (price - part.liquidation_price) / 2 * (1 + 1e-9)


def test_half_of_what_a_limit_allows_is_half(order: MakeOrder) -> None:
    # The margin share decides, not what is wanted: half of the wish would be as much as the whole.
    whole = sized(order(), risk=0.9)
    half = sized(order(stake_factor=0.5), risk=0.9)
    assert (half.quantity, half.margin_usd) == (whole.quantity / 2, pytest.approx(whole.margin_usd / 2))
