import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.core.errors import TradingError
from quorate.trading.account.contract import Contract
from quorate.trading.account.margin import CONSERVATIVE_TIERS, MarginTiers, Tier

STEPS = st.sampled_from([0.0, 1e-5, 0.001, 0.1, 1.0, 10.0])


def test_a_symbol_without_a_colon_is_spot() -> None:
    assert Contract("BTC/USDT").spot
    assert not Contract("BTC/USDT:USDT").spot


@pytest.mark.parametrize(
    ("lot", "quantity", "rounded"), [(0.0, 0.123456, 0.123456), (0.1, 0.3, 0.3), (0.1, 0.3999, 0.3), (1.0, 0.9, 0.0)]
)
def test_quantities_are_rounded_down_to_lots(lot: float, quantity: float, rounded: float) -> None:
    assert Contract("X/USDT:USDT", lot=lot).round_quantity(quantity) == rounded


@pytest.mark.parametrize(
    ("price", "direction", "rounded"), [(100.2, 1, 100.5), (100.2, -1, 100.0), (100.5, 1, 100.5), (100.5, -1, 100.5)]
)
def test_prices_are_rounded_to_ticks(price: float, direction: int, rounded: float) -> None:
    assert Contract("X/USDT:USDT", tick=0.5).round_price(price, direction) == rounded


@given(quantity=st.floats(0, 1e4), price=st.floats(1e-3, 1e5), lot=STEPS, tick=STEPS)
def test_rounding_stays_within_one_step_on_its_side(quantity: float, price: float, lot: float, tick: float) -> None:
    contract = Contract("X/USDT:USDT", lot=lot, tick=tick)
    slack = 1e-8 * (price + quantity)
    assert -slack <= quantity - contract.round_quantity(quantity) <= lot + slack
    assert -slack <= contract.round_price(price, 1) - price <= tick + slack
    assert -slack <= price - contract.round_price(price, -1) <= tick + slack


def market(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USDT:USDT",
        "contract": True,
        "contractSize": 1.0,
        "inverse": False,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {"cost": {"min": 100.0}},
        **changes,
    }


def test_rules_from_ccxt() -> None:
    tiers = [{"maxNotional": 300_000, "maintenanceMarginRate": 0.004, "maxLeverage": 125}]
    assert Contract.from_ccxt(market(), tiers) == Contract(
        "BTC/USDT:USDT", lot=0.001, tick=0.1, minimum_usd=100.0, tiers=MarginTiers([Tier(300_000, 0.004, 125)])
    )


def test_what_ccxt_leaves_out_is_unknown() -> None:
    found = Contract.from_ccxt(market(precision={}, limits={"cost": {"min": None}}))
    assert found == Contract("BTC/USDT:USDT")
    assert found.tiers is CONSERVATIVE_TIERS


def test_inverse_contracts_are_refused() -> None:
    with pytest.raises(TradingError, match="found an inverse contract; expected a linear one"):
        Contract.from_ccxt(market(inverse=True))


def test_a_contract_of_another_size_is_counted_in_base_units() -> None:
    assert Contract.from_ccxt(market(contractSize=0.01, precision={"amount": 1, "price": 0.1})).lot == 0.01
    assert Contract.from_ccxt(market(contractSize=1000.0, precision={"amount": 0.5, "price": 0.1})).lot == 500.0
    assert Contract.from_ccxt(market(symbol="BTC/USDT", contract=False, contractSize=None)).lot == 0.001


@pytest.mark.parametrize(("mode", "lot", "tick"), [(4, 3.0, 2.0), (2, 0.001, 0.01), (3, 0.0, 0.0)])
def test_precision_is_a_step_a_number_of_places_or_no_step_at_all(mode: int, lot: float, tick: float) -> None:
    found = Contract.from_ccxt(market(precision={"amount": 3, "price": 2}), precision_mode=mode)
    assert (found.lot, found.tick) == (pytest.approx(lot), pytest.approx(tick))


def test_without_tiers_they_are_conservative() -> None:
    assert Contract.from_ccxt(market(), []).tiers is CONSERVATIVE_TIERS


@pytest.mark.parametrize("name", ["lot", "tick", "minimum_usd"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_impossible_steps_are_refused(name: str, value: float) -> None:
    with pytest.raises(TradingError, match=name):
        Contract("X/USDT:USDT", **{name: value})
