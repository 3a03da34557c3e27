import math
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
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


@pytest.mark.parametrize(
    ("tick", "price", "direction", "rounded"),
    [
        (1e-16, 3e-13, 1, 3e-13),
        (1e-16, 3.00051e-13, 1, 3.001e-13),
        (1e-16, 3.00051e-13, -1, 3e-13),
        (1e-13, 2.5004e-10, -1, 2.500e-10),
        (5e-21, 1.2e-20, 1, 1.5e-20),
        (0.1, 60_000.1, -1, 60_000.1),
        (0.1, 60_000.04, 1, 60_000.1),
        (25.0, 60_010.0, 1, 60_025.0),
        (1e-8, 123_456.789, 1, 123_456.789),
        (1e-300, 1.0, 1, 1.0),  # far more ticks than a float can tell apart
    ],
)
def test_ticks_of_any_size(tick: float, price: float, direction: int, rounded: float) -> None:
    assert Contract("X/USDT", tick=tick).round_price(price, direction) == rounded


@given(
    digits=st.sampled_from([1, 2, 5, 25]),
    exponent=st.integers(-24, 3),
    steps=st.floats(0.001, 1e7),
    direction=st.sampled_from([1, -1]),
)
def test_rounding_is_that_of_exact_decimals(digits: int, exponent: int, steps: float, direction: int) -> None:
    step = Decimal(digits).scaleb(exponent)
    price = float(step) * steps
    exact = Decimal(price) / step
    away = abs(exact - exact.to_integral_value())
    whole = exact.to_integral_value(ROUND_CEILING if direction > 0 else ROUND_FLOOR)
    if away < Decimal("1e-8"):
        whole = exact.to_integral_value()  # within float error of a whole number of steps
    assert Contract("X/USDT", tick=float(step)).round_price(price, direction) == float(whole * step)


@given(
    lots=st.integers(1, 10**9), exponent=st.integers(-24, 3), extra=st.floats(0, 0.999), digits=st.sampled_from([1, 5])
)
def test_quantities_never_exceed_what_was_asked_for(lots: int, exponent: int, extra: float, digits: int) -> None:
    lot = Decimal(digits).scaleb(exponent)
    quantity = float((lots + Decimal(extra)) * lot)
    rounded = Contract("X/USDT", lot=float(lot)).round_quantity(quantity)
    assert rounded <= quantity * (1 + 5e-15)
    assert rounded in (float(lots * lot), float((lots + 1) * lot))


def market(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "BTC/USDT:USDT",
        "contract": True,
        "contractSize": 1.0,
        "inverse": False,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {"cost": {"min": 100.0}, "amount": {"min": 0.005}},
        **changes,
    }


def test_rules_from_ccxt() -> None:
    tiers = [{"maxNotional": 300_000, "maintenanceMarginRate": 0.004, "maxLeverage": 125}]
    assert Contract.from_ccxt(market(), tiers) == Contract(
        "BTC/USDT:USDT",
        lot=0.001,
        tick=0.1,
        minimum_usd=100.0,
        tiers=MarginTiers([Tier(300_000, 0.004, 125)]),
        minimum_amount=0.005,
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
    thousandth = market(contractSize=0.001, precision={"amount": 0.1}, limits={"amount": {"min": 3.0}})
    assert Contract.from_ccxt(thousandth).lot == 0.0001
    assert Contract.from_ccxt(thousandth).minimum_amount == 0.003


@pytest.mark.parametrize(("mode", "lot", "tick"), [(4, 3.0, 2.0), (2, 0.001, 0.01), (3, 0.0, 0.0)])
def test_precision_is_a_step_a_number_of_places_or_no_step_at_all(mode: int, lot: float, tick: float) -> None:
    found = Contract.from_ccxt(market(precision={"amount": 3, "price": 2}), precision_mode=mode)
    assert (found.lot, found.tick) == (pytest.approx(lot), pytest.approx(tick))


def test_without_tiers_they_are_conservative() -> None:
    assert Contract.from_ccxt(market(), []).tiers is CONSERVATIVE_TIERS


@pytest.mark.parametrize(("mode", "places"), [(2, 17), (4, 1e-17)])
def test_places_beyond_the_twelfth(mode: int, places: float) -> None:
    found = Contract.from_ccxt(market(precision={"amount": 0, "price": places}), precision_mode=mode)
    assert found.tick == 1e-17
    assert found.round_price(3.14e-16, 1) == 3.2e-16


@pytest.mark.parametrize("name", ["lot", "tick", "minimum_usd", "minimum_amount"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_impossible_steps_are_refused(name: str, value: float) -> None:
    with pytest.raises(TradingError, match=name):
        Contract("X/USDT:USDT", **{name: value})
