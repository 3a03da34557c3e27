"""Download of an exchange's candles into a Freqtrade data folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from quorate.core.clock import DAY_MS, newest_closed_ms, timeframe_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.selection import DEFAULT_TIMEFRAME, Selection, span, split_symbols
from quorate.workflows.results.market_files import DownloadResult

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.market.exchange import Exchange

# Freqtrade keeps an exchange's spot and perpetuals in one folder, named for the exchange.
_FOLDERS = {"binanceusdm": "binance"}


def download(
    out: str | Path | None = None,
    *,
    days: int | None = None,
    exchange: str | None = None,
    settings: Settings | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> DownloadResult:
    """Fetch candles, and of perpetuals mark prices and funding; only what the folder lacks.

    After an interruption it goes on where it was; a second run changes nothing. A file that could not be fetched whole
    is part of the result with its error.

    Args:
        out: the Freqtrade data folder to fill; None for user_data/data/EXCHANGE.
        days: the newest days, instead of `start`.
        exchange: ccxt's name, such as "binanceusdm" for USDT-M perpetuals or "binance" for spot; None for the setting
            `exchange.name`.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.
        **selection: `symbols` or `top`, `timeframe` (default "1h"), `start` and `end`, see `Selection`.

    Raises:
        ArgumentError: not either `symbols` or `top`, or not either `days` or `start`.
        UnknownSymbolError, UnknownTimeframeError: before anything is fetched.
        ExchangeError: the exchange could not be asked for its markets or its time.
        TooLittleHistoryError: fewer than `top` markets.
    """
    from quorate.market.exchange import Exchange, ranking
    from quorate.market.exchange import download as fetch
    from quorate.trading.account.contracts import ask_contracts, write_contracts

    start, end = span(selection)
    symbols, top = split_symbols(selection.get("symbols")), selection.get("top")
    if bool(symbols) == (top is not None):
        raise ArgumentError(
            "choose what to download", found="both" if symbols else "neither", expected="either `symbols` or `top`"
        )
    if (days is None) == (start is None):
        found = "neither" if days is None else "both"
        raise ArgumentError("choose what to download", found=found, expected="either `days` or `start`")
    timeframe = selection.get("timeframe") or DEFAULT_TIMEFRAME
    settings = load_settings() if settings is None else settings
    asked = settings.exchange if exchange is None else replace(settings.exchange, name=exchange)
    folder = Path("user_data/data") / _FOLDERS.get(asked.name, asked.name) if out is None else Path(out)
    with Exchange(asked) as source:
        first = _first_bar(source, timeframe, end, days or 0) if start is None else start
        rule = "as named"
        if top is not None:
            progress("ranking markets", 0, 1)
            ranked = ranking.top(source, top, first, settings.universe)
            progress("ranking markets", 1, 1)
            symbols, rule = ranked.symbols, ranked.rule
        files = fetch(source, folder, symbols, timeframe, first, end, progress=progress)
        write_contracts(folder, ask_contracts(source, symbols).values())
    return DownloadResult(asked.name, folder, symbols, rule, files)


def _first_bar(source: Exchange, timeframe: str, end: int | None, days: int) -> int:
    """Open time of the first bar: so many days before the end, or before the close of the newest bar."""
    if end is None:
        end = newest_closed_ms(timeframe, source.present().early) + timeframe_ms(timeframe)
    return end - days * DAY_MS
