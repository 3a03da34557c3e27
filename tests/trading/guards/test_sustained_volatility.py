"""The volatility guard, by hand."""

import math

import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.errors import TradingError
from quorate.trading.guards import Guards, VolatilityMeasured

from .conftest import BTC, ETH, NOON, take

NAN = math.nan


@pytest.mark.parametrize(
    ("volatilities", "modes"),
    [
        ([0.09, 0.09, 0.09], "AAR"),
        ([0.08, 0.08, 0.08, 0.08], "AAAA"),  # exactly the limit
        ([0.09, 0.09, 0.07, 0.09, 0.09], "AAAAA"),
        ([0.09, NAN, 0.09, 0.09], "AAAR"),  # unknown ends no row on the way up
        ([NAN, NAN, NAN, NAN], "AAAA"),  # and makes none longer
        ([0.09] * 3 + [0.05] * 3, "AARRRA"),
        ([0.09] * 3 + [0.06] * 4, "AARRRRR"),  # exactly the lower limit
        ([0.09] * 3 + [0.05, 0.05, NAN, 0.05, 0.05, 0.05], "AARRRRRRA"),  # unknown does not clear
        ([0.09] * 3 + [0.05, 0.05, 0.07, 0.05, 0.05], "AARRRRRR"),
        ([0.09] * 3 + [math.inf] * 9, "AARRRRRRRRRR"),
    ],
)
def test_a_volatile_market(volatilities: list[float], modes: str) -> None:
    guards = Guards()
    found = ""
    for hour, volatility in enumerate(volatilities):
        take(guards, guards.on(VolatilityMeasured(NOON + hour * HOUR_MS, BTC, volatility)))
        found += guards.mode[0]
        assert guards.may_enter(BTC, NOON).allowed is (guards.mode == "ACTIVE")
        assert guards.may_enter(ETH, NOON).allowed
    assert found == modes


def test_markets_are_counted_separately() -> None:
    guards = Guards()
    for hour in range(3):
        take(guards, guards.on(VolatilityMeasured(hour, BTC, 0.09)))
        take(guards, guards.on(VolatilityMeasured(hour, ETH, 0.09 if hour else 0.01)))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [False, True]
    take(guards, guards.on(VolatilityMeasured(3, ETH, 0.09)))
    for hour in range(3, 6):
        take(guards, guards.on(VolatilityMeasured(hour, BTC, 0.01)))
    assert [guards.may_enter(symbol, NOON).allowed for symbol in (BTC, ETH)] == [True, False]
    assert guards.mode == "REDUCING"
    shown = [(row["guard"], row["symbol"]) for row in guards.to_json()["guards"] if row["symbol"]]
    assert shown == [("volatility", ETH)]


def test_a_bar_of_volatility_counts_once() -> None:
    guards = Guards()
    guards.on(VolatilityMeasured(NOON, BTC, 0.09))
    with pytest.raises(TradingError, match="measure the volatility of BTC/USDT:USDT"):
        guards.on(VolatilityMeasured(NOON, BTC, 0.09))
    guards.on(VolatilityMeasured(NOON, ETH, 0.09))
