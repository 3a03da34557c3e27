from collections.abc import Callable

import pytest

from quorate.core.settings import ExitSettings
from quorate.trading import Bar, Contract, Order, Position
from quorate.trading.account.costs import Fill
from quorate.trading.account.exits import Exit, reached, trailed_stop
from quorate.trading.account.sizing import Size

LONG = Size(1.0, 5.0, 20.0, stop=96.0, target=110.0, liquidation_price=85.0)
SHORT = Size(1.0, 5.0, 20.0, stop=104.0, target=90.0, liquidation_price=115.0)
Prices = tuple[float, float, float, float]


@pytest.fixture
def position(order: Callable[..., Order]) -> Callable[..., Position]:
    def make(side: int, stop: float | None = None) -> Position:
        size = LONG if side > 0 else SHORT
        entry = Fill(100.0, 100.0, 0.0, 0.0)
        held = Position.of(order(side=side), size, 0, entry)
        held.stop = stop or size.stop
        return held

    return make


def bar(prices: Prices, mark: tuple[float, float, float] | None = None) -> Bar:
    return Bar(0, *prices, *(mark or prices[:3]))


@pytest.mark.parametrize(
    ("side", "prices", "expected"),
    [
        (1, (100, 101, 99, 100), None),
        (1, (100, 101, 96, 100), Exit("stop", 96.0)),
        (1, (100, 110, 99, 100), Exit("target", 110.0)),
        (1, (100, 111, 95, 100), Exit("stop", 96.0)),  # both: the stop
        (1, (94, 120, 93, 110), Exit("stop", 94)),  # the open is beyond the stop
        (1, (112, 113, 90, 95), Exit("target", 112)),  # beyond the target, before anything else could happen
        (1, (84, 120, 84, 110), Exit("liquidation", 84)),  # beyond the liquidation: the stop had no chance
        (-1, (100, 101, 99, 100), None),
        (-1, (100, 104, 99, 100), Exit("stop", 104.0)),
        (-1, (100, 101, 90, 100), Exit("target", 90.0)),
        (-1, (100, 105, 89, 100), Exit("stop", 104.0)),
        (-1, (106, 107, 80, 90), Exit("stop", 106)),
        (-1, (88, 110, 87, 100), Exit("target", 88)),
        (-1, (115, 116, 80, 90), Exit("liquidation", 115)),
    ],
)
def test_what_a_bar_reaches_first(
    position: Callable[..., Position], side: int, prices: Prices, expected: Exit | None
) -> None:
    assert reached(position(side), bar(prices), ExitSettings()) == expected


@pytest.mark.parametrize(
    ("side", "prices", "mark", "expected"),
    [
        # The mark price alone decides on liquidation.
        (1, (100, 101, 99, 100), (100, 101, 85), Exit("liquidation", 85.0)),
        (1, (100, 101, 96, 100), (100, 101, 85), Exit("stop", 96.0)),
        (1, (100, 101, 99, 100), (84, 101, 84), Exit("liquidation", 84)),
        (1, (100, 110, 99, 100), (100, 101, 85), Exit("liquidation", 85.0)),
        (1, (84, 101, 84, 100), (100, 101, 99), Exit("stop", 84)),
        (-1, (100, 101, 99, 100), (100, 115, 99), Exit("liquidation", 115.0)),
        (-1, (100, 104, 99, 100), (100, 115, 99), Exit("stop", 104.0)),
        (-1, (100, 101, 99, 100), (116, 116, 99), Exit("liquidation", 116)),
    ],
)
def test_liquidation_looks_at_the_mark_price(
    position: Callable[..., Position], side: int, prices: Prices, mark: tuple[float, float, float], expected: Exit
) -> None:
    assert reached(position(side), bar(prices, mark), ExitSettings()) == expected


@pytest.mark.parametrize(
    ("side", "prices", "expected"),
    [
        (1, (100, 110, 99, 100), None),  # touched, but others were first in the queue
        (1, (100, 110.1, 99, 100), Exit("target", 110.0)),
        (1, (112, 113, 111, 112), Exit("target", 110.0)),  # a resting order gets its own price
        (1, (112, 113, 95, 100), Exit("stop", 96.0)),
        (-1, (100, 101, 90, 100), None),
        (-1, (100, 101, 89.9, 100), Exit("target", 90.0)),
    ],
)
def test_a_resting_target_must_be_traded_through(
    position: Callable[..., Position], side: int, prices: Prices, expected: Exit | None
) -> None:
    assert reached(position(side), bar(prices), ExitSettings(maker_target=True)) == expected


def test_a_moved_stop_is_called_trailing(position: Callable[..., Position]) -> None:
    assert reached(position(1, stop=98.0), bar((100, 101, 98, 100)), ExitSettings()) == Exit("trailing", 98.0)
    assert reached(position(-1, stop=102.0), bar((103, 104, 98, 100)), ExitSettings()) == Exit("trailing", 103)


def test_a_trailing_stop_follows_and_never_goes_back(position: Callable[..., Position]) -> None:
    settings, market = ExitSettings(trail_atr=1.5), Contract("BTC/USDT:USDT")  # 3 in price
    assert trailed_stop(position(1), bar((100, 105, 99, 100)), settings, market) == 102.0
    assert trailed_stop(position(1, stop=103.0), bar((100, 105, 99, 100)), settings, market) == 103.0
    assert trailed_stop(position(-1), bar((100, 105, 99, 100)), settings, market) == 102.0
    assert trailed_stop(position(-1, stop=101.0), bar((100, 105, 99, 100)), settings, market) == 101.0


def test_a_trailing_stop_lies_on_a_tick_towards_the_price(position: Callable[..., Position]) -> None:
    settings, market = ExitSettings(trail_atr=1.5), Contract("BTC/USDT:USDT", tick=0.8)
    assert trailed_stop(position(1), bar((100, 105, 99, 100)), settings, market) == pytest.approx(102.4)
    assert trailed_stop(position(-1), bar((100, 105, 99, 100)), settings, market) == pytest.approx(101.6)
