import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import TradingError
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier

TWO = MarginTiers([Tier(10_000, 0.01, 50), Tier(50_000, 0.02, 25)])


def maintenance_usd(tiers: MarginTiers, value: float) -> float:
    """Maintenance margin by its definition: each tier's rate on the part of the value in that tier."""
    ends = [*(tier.most_usd for tier in tiers.rows[:-1]), math.inf]
    begins = [0.0, *ends[:-1]]
    parts = (max(0.0, min(value, end) - begin) for begin, end in zip(begins, ends, strict=True))
    return sum(part * tier.maintenance for part, tier in zip(parts, tiers.rows, strict=True))


@pytest.mark.parametrize(
    ("value", "margin"),
    # Above 10,000 the second rate applies to the part above: 100 + 0.02 x 10,000.
    [(0, 0), (5_000, 50), (10_000, 100), (20_000, 300), (50_000, 900)],
)
def test_maintenance_margin_by_hand(value: float, margin: float) -> None:
    assert maintenance_usd(TWO, value) == pytest.approx(margin)


@pytest.mark.parametrize(("value", "leverage"), [(1, 50), (10_000, 50), (10_001, 25), (50_000, 25), (50_001, 0)])
def test_leverage_by_value(value: float, leverage: float) -> None:
    assert TWO.leverage(value) == leverage


def test_a_long_is_liquidated_below_and_a_short_above() -> None:
    # Margin 10 on a value of 100. Long: 10 + (p - 100) = 0.01 p. Short: 10 - (p - 100) = 0.01 p.
    assert TWO.liquidation_price(1, 1.0, 100.0, 10.0) == pytest.approx(90 / 0.99)
    assert TWO.liquidation_price(-1, 1.0, 100.0, 10.0) == pytest.approx(110 / 1.01)


def test_a_long_without_leverage_is_never_liquidated() -> None:
    assert TWO.liquidation_price(1, 1.0, 100.0, 100.0) == 0.0


def test_a_short_that_grows_into_the_next_tier_is_liquidated_by_that_tier() -> None:
    # 9,900 short with margin 990 passes 10,000 on its way up: 990 - (p - 9,900) = 0.02 p - 100.
    assert TWO.liquidation_price(-1, 1.0, 9_900.0, 990.0) == pytest.approx(10_990 / 1.02)


@given(
    side=st.sampled_from([1, -1]),
    quantity=st.floats(1e-3, 1e3),
    entry=st.floats(1e-2, 1e3),
    leverage=st.floats(1, 25),
    tiers=st.sampled_from([TWO, CONSERVATIVE_TIERS]),
)
def test_at_the_liquidation_price_margin_and_profit_are_the_maintenance_margin(
    side: int, quantity: float, entry: float, leverage: float, tiers: MarginTiers
) -> None:
    value = quantity * entry
    leverage = min(leverage, tiers.leverage(value) or 1.0)
    price = tiers.liquidation_price(side, quantity, entry, value / leverage)
    left = value / leverage + side * quantity * (price - entry) - maintenance_usd(tiers, quantity * price)
    assert left == pytest.approx(0, abs=1e-9 * value) or (price == 0 and left > 0)
    assert side * (entry - price) > 0  # never liquidated at once


def test_the_shipped_table_asks_for_half_the_initial_margin_in_every_tier() -> None:
    assert all(tier.maintenance == pytest.approx(1 / tier.leverage / 2) for tier in CONSERVATIVE_TIERS.rows)
    assert CONSERVATIVE_TIERS.most_usd == math.inf


def test_tiers_from_ccxt() -> None:
    row = {"tier": 1, "minNotional": 0, "maxNotional": 5_000, "maintenanceMarginRate": "0.004", "maxLeverage": 125}
    assert MarginTiers.from_ccxt([row]).rows == (Tier(5_000, 0.004, 125),)
    with pytest.raises(TradingError, match="a row without maxLeverage"):
        MarginTiers.from_ccxt([{**row, "maxLeverage": None}])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], "no rows"),
        ([Tier(0, 0.01, 10)], "most_usd=0"),
        ([Tier(100, 1.0, 1)], "maintenance=1.0"),
        ([Tier(100, 0.01, 0.5)], "leverage=0.5"),
        ([Tier(100, 0.01, 101)], "leverage=101"),
        ([Tier(math.nan, 0.01, 10)], "most_usd=nan"),
        ([Tier(100, 0.01, 10), Tier(100, 0.02, 5)], "after"),
        ([Tier(100, 0.02, 10), Tier(200, 0.01, 5)], "after"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(rows: list[Tier], found: str) -> None:
    with pytest.raises(TradingError, match=found):
        MarginTiers(rows)


@given(
    side=st.sampled_from([1, -1]),
    value=st.floats(1.0, 1e7),
    entry=st.floats(1e-6, 1e5),
    share=st.floats(-0.01, 1.0),
    steps=st.lists(st.tuples(st.floats(1.0001, 10.0), st.floats(0, 0.1)), min_size=1, max_size=8),
)
def test_the_liquidation_price_is_that_of_every_line(
    side: int, value: float, entry: float, share: float, steps: list[tuple[float, float]]
) -> None:
    """All lines of a table, though the price is looked for only up to the tier in which it lies."""
    rows, most, maintenance = [], 1_000.0, 0.004
    for factor, more in steps:
        rows.append(Tier(most, maintenance, 1))
        most, maintenance = most * factor, maintenance + more
    quantity, deduction, prices = value / entry, 0.0, []
    for place, tier in enumerate(rows):
        if place:
            below = rows[place - 1]
            deduction += below.most_usd * (tier.maintenance - below.maintenance)
        full = quantity * entry
        prices.append((full - side * (share * value + deduction)) / (quantity * (1 - side * tier.maintenance)))
    expected = max(0.0, *prices) if side > 0 else min(prices)
    assert MarginTiers(rows).liquidation_price(side, quantity, entry, share * value) == expected
