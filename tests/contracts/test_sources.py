"""What every source of candles promises, run on every source there is. A new source is one more entry of SOURCES."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS, parse_ms
from quorate.core.errors import UnknownSymbolError, UnknownTimeframeError
from quorate.core.settings import ExchangeSettings
from quorate.core.types import CANDLE_COLUMNS, Candles, Funding
from quorate.market import CandleSource, FreqtradeFolder, SyntheticMarket, write_candles
from quorate.market.exchange import Exchange
from quorate.market.files.table_folder import TableFolder
from quorate.market.memory import MemorySource
from stubs.binance import BinanceStub

START = parse_ms("2024-01-01")
BARS = 60
NOW = parse_ms("2025-01-01")

Clock = Callable[[], int]

#: No source has it: the exchange makes 1m to 1w of every market, the others hold hours.
NOBODYS = "45m"


def the_market() -> SyntheticMarket:
    """What every source serves: SYNA and SYNB, hourly, 60 bars."""
    return SyntheticMarket(seed=9, symbols=2, bars=BARS, start=START)


def synthetic(folder: Path, clock: Clock) -> CandleSource:
    return the_market()


def freqtrade_folder(folder: Path, clock: Clock) -> CandleSource:
    the_market().write(folder)
    for candles in the_market().panel().values():
        write_candles(folder, candles, mark=True)
    return FreqtradeFolder(folder, clock=clock)


def tables(folder: Path, clock: Clock) -> CandleSource:
    """Two CSV files a market, in the layout of the exchange's archives, sharing ten bars."""
    below = folder / "futures/um"
    below.mkdir(parents=True)
    for name, candles in the_market().panel().items():
        rows = list(zip(*(getattr(candles, column).tolist() for column in ("time", *CANDLE_COLUMNS)), strict=True))
        for month, part in (("2024-01", rows[:40]), ("2024-02", rows[30:])):
            text = "".join(",".join(map(repr, row)) + "\n" for row in part)
            (below / f"{name.partition('/')[0]}USDT-1h-{month}.csv").write_text(text)
    return TableFolder(folder, clock=clock)


def exchange(folder: Path, clock: Clock) -> CandleSource:
    """The real ccxt against a stand-in that serves the folder; closed when the test is over."""
    freqtrade_folder(folder, clock)
    stub = OPEN.enter_context(BinanceStub(folder, now=clock()))
    return OPEN.enter_context(Exchange(ExchangeSettings(url=stub.url), clock=clock))


def memory(folder: Path, clock: Clock) -> CandleSource:
    market = the_market()
    panel = market.panel()
    funding = {name: found for name in panel if (found := market.funding(name)) is not None}
    return MemorySource(panel.values(), funding, panel.values(), clock=clock)


#: What a source has opened.
OPEN = ExitStack()

SOURCES: dict[str, Callable[[Path, Clock], CandleSource]] = {
    "synthetic": synthetic,
    "freqtrade folder": freqtrade_folder,
    "tables": tables,
    "exchange": exchange,
    "memory": memory,
}

#: Sources that are told what the present is; a made-up market has none.
IN_TIME = [name for name in SOURCES if name != "synthetic"]


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    OPEN.close()


@pytest.fixture(params=SOURCES, ids=str)
def source(request, tmp_path) -> CandleSource:
    return SOURCES[request.param](tmp_path, lambda: NOW)


def test_it_is_a_source(source):
    assert isinstance(source, CandleSource)


def test_symbols_are_sorted_and_fall_into_perpetuals_and_others(source):
    everything = source.symbols("1h")
    perpetual, other = source.symbols("1h", perpetual=True), source.symbols("1h", perpetual=False)
    assert perpetual == ("SYNA/USDT:USDT", "SYNB/USDT:USDT")
    assert list(everything) == sorted(set(everything))
    assert sorted((*perpetual, *other)) == list(everything)
    assert not set(perpetual) & set(other)
    assert source.symbols(NOBODYS) == ()


@pytest.mark.parametrize("symbol", the_market().names)
def test_candles_are_the_markets(source, symbol):
    candles, truth = source.candles(symbol, "1h"), the_market().candles(symbol)
    assert isinstance(candles, Candles)
    assert (candles.symbol, candles.timeframe, len(candles)) == (symbol, "1h", BARS)
    for name in ("time", *CANDLE_COLUMNS):
        assert np.array_equal(getattr(candles, name), getattr(truth, name)), name


def test_candles_are_judged(source):
    candles = source.candles("SYNA/USDT:USDT", "1h")
    assert np.all(np.diff(candles.time) > 0)
    assert not np.any(candles.time % HOUR_MS)
    assert np.all(np.isfinite([getattr(candles, name) for name in CANDLE_COLUMNS]))
    assert np.all((candles.low > 0) & (candles.low <= np.minimum(candles.open, candles.close)))
    assert np.all((candles.high >= np.maximum(candles.open, candles.close)) & (candles.volume >= 0))
    assert not candles.close.flags.writeable


@pytest.mark.parametrize(
    ("first", "last", "bars"),
    [(0, 60, 60), (10, 20, 10), (10, 11, 1), (10, 10, 0), (20, 10, 0), (-50, 5, 5), (55, 99, 5), (70, 80, 0)],
)
def test_the_start_is_inclusive_and_the_end_exclusive(source, first, last, bars):
    start, end = START + first * HOUR_MS, START + last * HOUR_MS
    candles = source.candles("SYNA/USDT:USDT", "1h", start, end)
    assert len(candles) == bars
    assert np.all((candles.time >= start) & (candles.time < end))
    if bars:
        assert candles.time[0] == max(start, START)
    for rows in (source.mark("SYNA/USDT:USDT", "1h", start, end), source.funding("SYNA/USDT:USDT", start, end)):
        assert rows is None or np.all((rows.time >= start) & (rows.time < end))


def test_a_start_between_bars_begins_with_the_next(source):
    candles = source.candles("SYNA/USDT:USDT", "1h", START + 1, START + 2 * HOUR_MS + 1)
    assert candles.time.tolist() == [START + HOUR_MS, START + 2 * HOUR_MS]


def test_asking_twice_gives_the_same_rows(source):
    for ask in (source.candles, source.mark):
        once, again = ask("SYNB/USDT:USDT", "1h"), ask("SYNB/USDT:USDT", "1h")
        assert (once is None) == (again is None)
        if once is not None:
            assert all(np.array_equal(getattr(once, name), getattr(again, name)) for name in ("time", *CANDLE_COLUMNS))
    assert source.symbols("1h") == source.symbols("1h")


def test_funding_is_settled_in_order_or_not_known(source):
    funding = source.funding("SYNA/USDT:USDT")
    if funding is not None:
        assert isinstance(funding, Funding)
        assert funding.symbol == "SYNA/USDT:USDT"
        assert np.all(np.diff(funding.time) > 0)
        assert np.all(np.abs(funding.rate) < 0.1)


def test_mark_prices_have_no_volume_or_are_not_known(source):
    mark = source.mark("SYNA/USDT:USDT", "1h")
    if mark is not None:
        assert isinstance(mark, Candles)
        assert not mark.volume.any()


def test_unknown_markets_name_the_close_match(source):
    for ask in (
        lambda: source.candles("SYNB/USDT", "1h"),
        lambda: source.funding("SYNB/USDT"),
        lambda: source.mark("SYNB/USDT", "1h"),
    ):
        with pytest.raises(UnknownSymbolError, match="Did you mean 'SYNB/USDT:USDT'"):
            ask()


@pytest.mark.parametrize(
    ("timeframe", "message"), [(NOBODYS, "found only .*1h.*; expected 45m"), ("1 hour", "'1 hour'")]
)
def test_unknown_timeframes_name_what_is_there(source, timeframe, message):
    with pytest.raises(UnknownTimeframeError, match=message):
        source.candles("SYNA/USDT:USDT", timeframe)


@pytest.mark.parametrize("name", IN_TIME)
@pytest.mark.parametrize(("late_ms", "bars"), [(0, BARS), (-1, BARS - 1), (-HOUR_MS, BARS - 1)])
def test_a_bar_that_is_still_running_is_left_out(tmp_path, name, late_ms, bars):
    source = SOURCES[name](tmp_path, lambda: START + BARS * HOUR_MS + late_ms)
    assert len(source.candles("SYNA/USDT:USDT", "1h")) == bars
