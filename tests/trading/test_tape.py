from collections.abc import Callable

import numpy as np
import pytest

from quorate.core.errors import TradingError
from quorate.core.types import Candles, Funding
from quorate.trading.bar import Settlement
from quorate.trading.tape import Tape

HOUR = 3_600_000
MakeCandles = Callable[..., Candles]
MakeFunding = Callable[..., Funding]

BARS = [(10.0 * i + 10, 10.0 * i + 12, 10.0 * i + 8, 10.0 * i + 11) for i in range(6)]  # opens 10, 20, ... closes +1


@pytest.fixture
def six(candles: MakeCandles) -> Callable[..., Candles]:
    return lambda **changes: candles(*BARS, warm_up=0, **changes)


def test_bars_by_time(six: MakeCandles) -> None:
    tape, bars = Tape(six(missing=[2])), six()
    bar = tape.at(int(bars.time[1]))
    assert bar is not None
    assert bar[:5] == (int(bars.time[1]), 20.0, 22.0, 18.0, 21.0)
    assert tape.at(int(bars.time[1])) is bar
    assert tape.at(int(bars.time[2])) is None
    assert int(bars.time[1]) in tape
    assert int(bars.time[2]) not in tape
    assert len(tape) == 5


def test_settlements_at_the_open_and_inside(six: MakeCandles, funding: MakeFunding) -> None:
    bars = six()
    tape = Tape(bars, funding({1: 0.1, 1.25: 0.2, 1.75: 0.3, 2: 0.4}))
    first, second = tape.at(int(bars.time[1])), tape.at(int(bars.time[2]))
    assert first is not None
    assert second is not None
    assert first.settled_at_open == (Settlement(0.1, 20.0),)
    assert first.settled_inside == (Settlement(0.2, 20.0), Settlement(0.3, 20.0))
    assert second.settled_at_open == (Settlement(0.4, 30.0),)
    assert second.settled_inside == ()


def test_a_gap_is_settled_at_the_next_open_at_the_last_close(six: MakeCandles, funding: MakeFunding) -> None:
    bars = six(missing=[2, 3])
    tape = Tape(bars, funding({2: 0.1, 3.5: 0.2, 4: 0.3}))
    bar = tape.at(int(six().time[4]))
    assert bar is not None
    assert bar.settled_at_open == (Settlement(0.1, 21.0), Settlement(0.2, 21.0), Settlement(0.3, 50.0))


def test_settlements_before_and_after_the_candles_are_nobodys(six: MakeCandles, funding: MakeFunding) -> None:
    tape = Tape(six(), funding({-1: 0.1, 6: 0.1, 7: 0.1}))
    bars = [tape.at(int(time)) for time in six().time]
    assert all(bar is not None and not bar.settled_at_open and not bar.settled_inside for bar in bars)


@pytest.mark.parametrize(
    ("rates", "known"),
    [
        # 30 bars; a settlement vouches for 8 hours before it and 8 after it, the due one left out.
        ({}, []),
        ({8: 0.1, 16: 0.1, 24: 0.1}, range(30)),
        ({8: 0.1, 24: 0.1}, [*range(16), *range(24, 30)]),
        ({8: 0.1, 16: float("nan"), 24: 0.1}, [*range(16), *range(24, 30)]),
        ({10: 0.1}, range(2, 18)),
        (dict.fromkeys(range(31), 0.1), range(30)),
    ],
)
def test_where_funding_is_known(
    candles: MakeCandles, funding: MakeFunding, rates: dict[float, float], known: list[int]
) -> None:
    bars = candles(warm_up=30)
    tape = Tape(bars, funding(rates))
    found = [row for row, time in enumerate(bars.time.tolist()) if (bar := tape.at(time)) and bar.funding_known]
    assert found == list(known)


def test_no_funding_is_unknown_except_for_spot(six: MakeCandles) -> None:
    time = int(six().time[0])
    perpetual, spot = Tape(six()).at(time), Tape(six(symbol="BTC/USDT"), spot=True).at(time)
    assert perpetual is not None
    assert spot is not None
    assert not perpetual.funding_known
    assert not perpetual.mark_known
    assert spot.funding_known
    assert spot.mark_known


def test_mark_prices_and_where_they_are_missing(six: MakeCandles, funding: MakeFunding) -> None:
    bars = six()
    mark = Candles(bars.symbol, "1h", *(getattr(bars, name)[[0, 1, 3]] + shift for name, shift in MARK_SHIFTS))
    tape = Tape(bars, funding({1: 0.1, 2: 0.2}), mark)
    marked, fallen_back = tape.at(int(bars.time[1])), tape.at(int(bars.time[2]))
    assert marked is not None
    assert fallen_back is not None
    assert (marked.mark_open, marked.mark_high, marked.mark_low) == (20.5, 22.5, 18.5)
    assert marked.settled_at_open == (Settlement(0.1, 20.5),)
    assert marked.mark_known
    assert (fallen_back.mark_open, fallen_back.mark_high, fallen_back.mark_low) == (30.0, 32.0, 28.0)
    assert fallen_back.settled_at_open == (Settlement(0.2, 30.0),)
    assert not fallen_back.mark_known


MARK_SHIFTS = [("time", 0), *((name, 0.5) for name in ("open", "high", "low", "close")), ("volume", 0)]


def test_an_empty_mark_or_empty_candles(six: MakeCandles, funding: MakeFunding) -> None:
    bars = six()
    bar = Tape(bars, None, bars[:0]).at(int(bars.time[0]))
    assert bar is not None
    assert not bar.mark_known
    assert len(Tape(bars[:0], funding({1: 0.1}), bars)) == 0


def test_what_belongs_to_another_market_is_refused(six: MakeCandles, funding: MakeFunding) -> None:
    with pytest.raises(TradingError, match="funding of ETH"):
        Tape(six(), funding({1: 0.1}, symbol="ETH/USDT:USDT"))
    with pytest.raises(TradingError, match="mark prices of BTC/USDT:USDT 4h"):
        Tape(six(), None, six(timeframe="4h"))
    twice = np.array([0, 0])
    with pytest.raises(TradingError, match="out of order"):
        Tape(six(), Funding("BTC/USDT:USDT", twice, twice.astype(float)))
