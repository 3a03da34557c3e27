import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.settings import CostSettings
from quorate.trading.account.costs import loss_at_stop, maker_fill, slipped, taker_fill

COSTS = CostSettings(taker_fee=0.001, maker_fee=-0.0001, slippage=0.01)


def test_a_buyer_pays_more_and_a_seller_gets_less() -> None:
    assert slipped(100.0, 1, COSTS) == pytest.approx(101.0)
    assert slipped(100.0, -1, COSTS) == pytest.approx(99.0)


def test_a_market_order_pays_slippage_and_the_taker_fee_on_what_it_traded() -> None:
    fill = taker_fill(100.0, -1, 2.0, COSTS)
    assert fill.price == pytest.approx(99.0)
    assert fill.slippage_usd == pytest.approx(2.0)
    assert fill.fee_usd == pytest.approx(0.198)


def test_a_resting_order_gets_its_price_and_here_a_rebate() -> None:
    assert maker_fill(100.0, 2.0, COSTS) == (100.0, 100.0, pytest.approx(-0.02), 0.0)


@pytest.mark.parametrize(("side", "stop", "loss"), [(1, 96.0, 4.96 + 0.19504), (-1, 104.0, 5.04 + 0.20504)])
def test_the_loss_at_the_stop_has_slippage_and_both_fees(side: int, stop: float, loss: float) -> None:
    # long: sold at 96 x 0.99 = 95.04, fees 0.001 x (100 + 95.04); short: bought at 104 x 1.01 = 105.04.
    assert loss_at_stop(100.0, stop, side, COSTS) == pytest.approx(loss)


@given(
    price=st.floats(1e-6, 1e6),
    direction=st.sampled_from([1, -1]),
    quantity=st.floats(1e-6, 1e6),
    slippage=st.floats(0, 0.1),
)
def test_slippage_never_helps(price: float, direction: int, quantity: float, slippage: float) -> None:
    fill = taker_fill(price, direction, quantity, CostSettings(slippage=slippage))
    assert direction * (fill.price - price) >= 0
    assert fill.slippage_usd >= 0
