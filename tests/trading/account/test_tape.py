from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from quorate.core.errors import TradingError
from quorate.core.types import Candles, Funding
from quorate.trading.account.bar import Bar, Settlement
from quorate.trading.account.tape import Tape

MakeCandles = Callable[..., Candles]
MakeFunding = Callable[..., Funding]

BARS = [(10.0 * i + 10, 10.0 * i + 12, 10.0 * i + 8, 10.0 * i + 11) for i in range(6)]  # opens 10, 20, ... closes +1


@pytest.fixture
def six(candles: MakeCandles) -> Callable[..., Candles]:
    return lambda **changes: candles(*BARS, warm_up=0, **changes)


def rows(candles: Candles, *others: Candles | Funding | None) -> list[Bar]:
    """The bars in order of time."""
    tape = Tape(candles, *others)  # type: ignore[arg-type]
    return [bar for time in candles.time.tolist() if (bar := tape.at(time)) is not None]


def test_bars_by_time(six: MakeCandles) -> None:
    tape, times = Tape(six(missing=[2])), six().time.tolist()
    assert tape.at(times[1]) == (
        times[1],
        20.0,
        22.0,
        18.0,
        21.0,
        20.0,
        22.0,
        18.0,
        False,
        False,
        False,
        False,
        (),
        (),
        21.0,
    )
    assert tape.at(times[1]) is tape.at(times[1])
    assert tape.at(times[2]) is None
    assert [bar.open for bar in rows(six(missing=[2]))] == [10.0, 20.0, 40.0, 50.0, 60.0]


def test_settlements_at_the_open_and_inside(six: MakeCandles, funding: MakeFunding) -> None:
    bars = rows(six(), funding({1: 0.1, 1.25: 0.2, 1.75: 0.3, 2: 0.4}))
    assert bars[1].settled_at_open == (Settlement(0.1, 20.0),)
    assert bars[1].settled_inside == (Settlement(0.2, 20.0), Settlement(0.3, 20.0))
    assert bars[2].settled_at_open == (Settlement(0.4, 30.0),)
    assert bars[2].settled_inside == ()


def test_a_gap_is_settled_at_the_next_open_at_the_last_close(six: MakeCandles, funding: MakeFunding) -> None:
    bars = rows(six(missing=[2, 3]), funding({2: 0.1, 3.5: 0.2, 4: 0.3}))
    assert bars[2].settled_at_open == (Settlement(0.1, 21.0), Settlement(0.2, 21.0), Settlement(0.3, 50.0))


def test_settlements_before_and_after_the_candles_are_nobodys(six: MakeCandles, funding: MakeFunding) -> None:
    bars = rows(six(), funding({-1: 0.1, 6: 0.1, 7: 0.1}))
    assert not any(bar.settled_at_open or bar.settled_inside for bar in bars)


def hourly(hours: Iterable[int], without: Iterable[int] = ()) -> dict[float, float]:
    """Settlements at these hours."""
    return {hour: 0.1 for hour in hours if hour not in set(without)}


@pytest.mark.parametrize(
    ("rates", "known"),
    [
        # 30 bars; a settlement vouches for 8 hours before it and 8 after it, the due one left out.
        ({}, []),
        ({8: 0.1, 16: 0.1, 24: 0.1}, range(30)),
        ({8: 0.1, 24: 0.1}, [*range(16), *range(24, 30)]),
        ({8: 0.1, 16: float("nan"), 24: 0.1}, [*range(16), *range(24, 30)]),
        ({10: 0.1}, range(2, 18)),
        ({8: 0.1, 16.01: 0.1, 24: 0.1}, range(30)),  # half a minute late
        (dict.fromkeys(range(31), 0.1), range(30)),
        # Every hour, then silence: inside, at the beginning and at the end.
        (hourly(range(31), without=range(10, 17)), [*range(10), *range(17, 30)]),
        (hourly(range(31), without=range(10, 11)), [*range(10), *range(11, 30)]),
        (hourly(range(9, 31)), range(8, 30)),
        (hourly(range(20)), range(20)),
        # Two silences around one settlement, and a NaN rate.
        (hourly(range(31), without=[*range(10, 13), 14, 15]), [*range(10), 13, *range(16, 30)]),
        (hourly(range(31)) | {12: float("nan")}, [*range(12), *range(13, 30)]),
        # Every 4 hours, one missing.
        (hourly(range(0, 31, 4), without=[12]), [*range(12), *range(16, 30)]),
        # The interval changes: 8 to 4 to 1 hours, and back.
        (hourly([-24, -16, -8, 0, 8, 12, 16, 20, *range(21, 31)]), range(30)),
        (hourly([*range(-8, 5), 8, 12, 16, 24, 32, 40, 48]), range(30)),
        # ... and one is missing beside the change.
        (hourly([-24, -16, -8, 0, 8, 12, 16, 20, 21, 22, 25, 26, 27, 28, 29, 30]), [*range(23), *range(25, 30)]),
    ],
)
def test_where_funding_is_known(
    candles: MakeCandles, funding: MakeFunding, rates: dict[float, float], known: list[int]
) -> None:
    bars = rows(candles(warm_up=30), funding(rates))
    assert [row for row, bar in enumerate(bars) if bar.funding_known] == list(known)


def test_what_is_known_at_an_open(candles: MakeCandles, funding: MakeFunding) -> None:
    bars = rows(candles(warm_up=30), funding(hourly(range(31), without=range(10, 17))))
    # The one due at 10 is missing at the open of that bar; at the open of 17 they have come again.
    assert [row for row, bar in enumerate(bars) if not bar.open_funding_known] == list(range(10, 17))


def test_a_silence_inside_a_gap_of_the_candles(candles: MakeCandles, funding: MakeFunding) -> None:
    whole, holed = hourly(range(31)), hourly(range(31), without=[12, 13])
    for settled, known in ((whole, True), (holed, False)):
        tape = Tape(candles(warm_up=30, missing=range(11, 16)), funding(settled))
        bar = tape.at(int(candles(warm_up=30).time[16]))
        assert bar is not None
        assert (bar.funding_known, bar.open_funding_known) == (known, known)


@pytest.mark.parametrize(
    ("symbol", "mark_known", "funding_known"),
    [("BTC/USDT:USDT", False, False), ("BTC/USDT:USDT-251226", False, True), ("BTC/USDT", True, True)],
)
def test_what_a_market_does_not_have_is_not_missing(
    six: MakeCandles, symbol: str, mark_known: bool, funding_known: bool
) -> None:
    bar = rows(six(symbol=symbol))[0]
    assert (bar.mark_known, bar.funding_known) == (mark_known, funding_known)


def test_mark_prices_and_where_they_are_missing(six: MakeCandles, funding: MakeFunding) -> None:
    last = six(missing=[2, 4, 5])
    mark = replace(last, **{name: getattr(last, name) + 0.5 for name in ("open", "high", "low", "close")})
    bars = rows(six(), funding({1: 0.1, 2: 0.2}), mark)
    assert [bar.mark_known for bar in bars] == [True, True, False, True, False, False]
    assert (bars[1].mark_open, bars[1].mark_high, bars[1].mark_low) == (20.5, 22.5, 18.5)
    assert bars[1].settled_at_open == (Settlement(0.1, 20.5),)
    assert (bars[2].mark_open, bars[2].mark_high, bars[2].mark_low) == (30.0, 32.0, 28.0)
    assert bars[2].settled_at_open == (Settlement(0.2, 30.0),)


def test_columns_for_those_who_pass_bars_over(six: MakeCandles, funding: MakeFunding) -> None:
    last = six()
    mark = replace(last, **{name: getattr(last, name) + 0.5 for name in ("open", "high", "low", "close")})
    tape = Tape(last, funding({1: 0.1, 3.25: 0.2}), mark, [int(last.time[4])])
    assert list(tape.next_special) == [1, 3, 3, 4, 6, 6]
    assert (tape.lowest[2], tape.highest[2], tape.mark_lowest[2], tape.mark_highest[2]) == (28.0, 32.0, 28.5, 32.5)
    assert tape.mark_missing is None
    missing = tape.funding_missing
    assert (
        missing is None
        or list(missing) == np.cumsum([not bar.funding_known for bar in map(tape.bar, range(6))]).tolist()
    )
    assert [tape.row(int(time)) for time in last.time] == [0, 1, 2, 3, 4, 5]
    assert (tape.row(int(last.time[0]) - 1), tape.row(int(last.time[5]) + 1)) == (0, 6)


def test_an_empty_mark_or_empty_candles(six: MakeCandles, funding: MakeFunding) -> None:
    assert not any(bar.mark_known for bar in rows(six(), None, six()[:0]))
    assert rows(six()[:0], funding({1: 0.1}), six()) == []


def test_what_belongs_to_another_market_is_refused(six: MakeCandles, funding: MakeFunding) -> None:
    with pytest.raises(TradingError, match="funding of ETH"):
        Tape(six(), funding({1: 0.1}, symbol="ETH/USDT:USDT"))
    with pytest.raises(TradingError, match="mark prices of BTC/USDT:USDT 4h"):
        Tape(six(), None, six(timeframe="4h"))
    twice = np.array([0, 0])
    with pytest.raises(TradingError, match="out of order"):
        Tape(six(), Funding("BTC/USDT:USDT", twice, twice.astype(float)))
