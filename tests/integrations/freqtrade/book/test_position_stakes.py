"""Target quantities as stakes, and what Freqtrade makes of them."""

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quorate.integrations.freqtrade.book.position_stakes import PositionSize, PositionStakes

MARKET = {
    "symbol": "XRP/USDT:USDT",
    "contract": True,
    "contractSize": 1.0,
    "precision": {"amount": 0.1, "price": 0.0001},
    "limits": {"amount": {"min": 0.1}, "cost": {"min": 5.0}},
}
TICK_SIZE = 4
STAKES = PositionStakes(MARKET, "XRP/USDT:USDT", TICK_SIZE, {})


def lots(quantity):
    """Freqtrade's quantity of an order: cut down to whole lots."""
    return float(Decimal(repr(quantity)).quantize(Decimal("0.1"), ROUND_DOWN))


@pytest.mark.parametrize(
    ("quantity", "price", "leverage", "stake"),
    [
        (100.0, 0.5, 2.0, 25.0),
        (100.09, 0.5, 2.0, 25.0),  # whole lots
        (10.4, 0.5, 1.0, 0.0),  # 5.20: below 5 and Freqtrade's reserve of 5 %
        (10.5, 0.5, 1.0, 5.25),
        (0.05, 1_000.0, 1.0, 0.0),  # no lot
    ],
)
def test_the_stake_of_an_entry(quantity, price, leverage, stake):
    assert STAKES.opened(quantity, price, leverage) == pytest.approx(stake, rel=1e-9)


@pytest.mark.parametrize(
    ("held", "quantity", "stake"),
    [
        (100.0, 150.0, 12.5),  # 50 more at 0.5 and leverage 2
        (100.0, 110.4, 0.0),  # an addition of 5.20
        (100.0, 40.0, -12.0),  # 60 of 100 with a margin of 20
        (100.0, 90.1, 0.0),  # a reduction of 4.95
        (100.0, 90.0, -2.0),  # one of 5.00: the reserve is for additions
        (100.0, 100.04, 0.0),
    ],
)
def test_the_stake_of_an_adjustment(held, quantity, stake):
    found = STAKES.adjusted(PositionSize(held, 20.0, 2.0), quantity, 0.5)
    assert found == pytest.approx(stake, rel=1e-9)


def test_a_target_of_less_than_a_lot_closes_the_position():
    assert [STAKES.closes(quantity) for quantity in (-5.0, 0.0, 0.09, 0.1)] == [True, True, True, False]


def test_an_unknown_market_has_any_quantity():
    stakes = PositionStakes(None, "XRP/USDT:USDT", TICK_SIZE, {})
    assert stakes.opened(0.123456, 2.0, 1.0) == pytest.approx(0.246912)


@given(
    st.integers(20, 10**7).map(lambda count: count / 10),
    st.integers(20, 10**7).map(lambda count: count / 10),
    st.floats(0.3, 5_000),
    st.floats(0.3, 5_000),
    st.floats(1, 20),
)
def test_freqtrade_orders_the_whole_lots_of_a_target(held, target, entry, price, leverage):
    stake = held * entry / leverage
    amount = STAKES.adjusted(PositionSize(held, stake, leverage), target, price)
    assume(amount)
    # As `_enter_trade` and `_check_adjust_trade_for_candle` do it.
    changed = lots(amount / price * leverage) if amount > 0 else -lots(abs(amount) * held / stake)
    assert held + changed == pytest.approx(target, abs=1e-6)
    opened = STAKES.opened(target, price, leverage)
    assert opened == 0 or lots(opened / price * leverage) == pytest.approx(target, abs=1e-6)
