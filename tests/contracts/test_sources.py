"""The contract of sources: run on every source, and on broken ones, each refused by its requirement."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from quorate.core.errors import ContractError
from quorate.core.settings import ExchangeSettings
from quorate.core.types import CANDLE_COLUMNS
from quorate.market import FreqtradeFolder, SyntheticMarket, write_candles
from quorate.market.exchange import Exchange
from quorate.market.memory import MemorySource
from quorate.market.revealed import RevealedCandles
from quorate.market.tables.table_folder import TableFolder
from quorate.testing import reference_market, source_checks, source_contract
from quorate.testing.source_contract import SourceUnderTest
from stubs.binance import BinanceStub


def synthetic(folder, clock):
    return nullcontext(reference_market())


def write_market(folder):
    reference_market().write(folder)
    for candles in reference_market().panel().values():
        write_candles(folder, candles, mark=True)


def freqtrade_folder(folder, clock):
    write_market(folder)
    return nullcontext(FreqtradeFolder(folder, clock=clock))


def tables(folder, clock):
    """Two CSV files a market, in the layout of the exchange's archives, sharing ten bars."""
    below = folder / "futures/um"
    below.mkdir(parents=True)
    for name, candles in reference_market().panel().items():
        rows = list(zip(*(getattr(candles, column).tolist() for column in ("time", *CANDLE_COLUMNS)), strict=True))
        for month, part in (("2024-01", rows[:40]), ("2024-02", rows[30:])):
            text = "".join(",".join(map(repr, row)) + "\n" for row in part)
            (below / f"{name.partition('/')[0]}USDT-1h-{month}.csv").write_text(text)
    return nullcontext(TableFolder(folder, clock=clock))


@contextmanager
def exchange(folder, clock):
    """ccxt against a local server that serves the folder as an exchange."""
    write_market(folder)
    with (
        BinanceStub(folder, now=clock()) as stub,
        Exchange(ExchangeSettings(url=stub.url), clock=clock) as source,
    ):
        yield source


def memory(folder, clock):
    panel = reference_market().panel()
    funding = {name: found for name in panel if (found := reference_market().funding(name)) is not None}
    return nullcontext(MemorySource(panel.values(), funding, panel.values(), clock=clock))


def revealed(folder, clock):
    return nullcontext(RevealedCandles(reference_market(), clock))


CHECKS = [
    *source_checks("synthetic", synthetic, has_clock=False),  # a synthetic market has no clock
    *source_checks("freqtrade-folder", freqtrade_folder),
    *source_checks("tables", tables),
    *source_checks("exchange", exchange),
    *source_checks("memory", memory),
    *source_checks("revealed", revealed),
]


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_every_source_meets_the_contract(check):
    check()


class WithRunningBar(SyntheticMarket):
    """Ignores the clock."""


class InclusiveEnd(SyntheticMarket):
    def candles(self, symbol, timeframe="1h", start=None, end=None):
        return super().candles(symbol, timeframe, start, None if end is None else end + 1)


class ScaledVolume(SyntheticMarket):
    def candles(self, symbol, timeframe="1h", start=None, end=None):
        candles = super().candles(symbol, timeframe, start, end)
        return replace(candles, volume=2 * candles.volume)


class MarkWithVolume(SyntheticMarket):
    def mark(self, symbol, timeframe="1h", start=None, end=None):
        return self.candles(symbol, timeframe, start, end)


class Unsorted(SyntheticMarket):
    def symbols(self, timeframe, perpetual=None):
        return super().symbols(timeframe, perpetual)[::-1]


@pytest.mark.parametrize(
    ("kind", "requirement"),
    [
        (WithRunningBar, "leaves_out_the_running_bar"),
        (InclusiveEnd, "includes_the_start_and_excludes_the_end"),
        (ScaledVolume, "returns_the_markets_candles"),
        (MarkWithVolume, "returns_mark_prices_without_volume_or_none"),
        (Unsorted, "lists_symbols_sorted_by_kind"),
    ],
)
def test_a_broken_source_fails_its_requirement(kind, requirement):
    market = kind(seed=9, symbols=2, bars=source_contract.BARS, start=source_contract.START)
    broken = SourceUnderTest("broken", lambda *_: nullcontext(market))
    with pytest.raises(ContractError):
        getattr(source_contract, requirement)(broken)
