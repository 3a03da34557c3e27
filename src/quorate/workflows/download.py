"""Download of an exchange's candles into a Freqtrade data folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from quorate.core.arguments import require_texts, require_type
from quorate.core.clock import DAY_MS, newest_closed_ms, timeframe_ms
from quorate.core.errors import ArgumentError
from quorate.core.progress import Progress, silent
from quorate.workflows.inputs.arguments import (
    folder_of,
    require_arguments,
    require_callback,
    require_count,
    require_flags,
    require_timeframe_text,
    settings_of,
)
from quorate.workflows.inputs.selection import DEFAULT_TIMEFRAME, Selection, span, split_names, timeframe_of
from quorate.workflows.results.market_files import DownloadResult

if TYPE_CHECKING:
    from quorate.core.settings import Settings
    from quorate.market.exchange import Downloaded, Exchange
    from quorate.market.files.join_scales import JoinedFile
    from quorate.market.files.splits import Split

# Freqtrade stores spot and perpetuals of an exchange in one folder with the name of the exchange.
_FOLDERS = {"binanceusdm": "binance"}


def download(
    out: str | Path | None = None,
    *,
    days: int | None = None,
    exchange: str | None = None,
    splits: str | Iterable[str] = (),
    statistics: bool = False,
    settings: Settings | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> DownloadResult:
    """Download candles, and of perpetuals mark prices and funding, into a Freqtrade data folder.

    Only rows that the folder lacks are downloaded: an interrupted download is resumed, and a second run changes
    nothing. A file that is incomplete is part of the result, with its error.

    Args:
        out: the Freqtrade data folder; None for user_data/data/EXCHANGE.
        days: the newest days, instead of `start`.
        exchange: ccxt's name, such as "binanceusdm" for USDT-M perpetuals or "binance" for spot; None for the setting
            `exchange.name`.
        splits: changes of a price scale, as "BNX/USDT:USDT=100@2023-02-22T08:00": once the rows are stored, older
            prices are multiplied by 100 and volumes divided by it, as `quorate data split` does.
        statistics: also download the market statistics of perpetuals: taker volumes and the premium index in intervals
            of `timeframe`; open interest and long/short ratios in intervals of 5 minutes, which Binance keeps for 30
            days.
        settings: None for those of quorate.toml and the environment.
        progress: called with each stage's name, units done and units in all.
        **selection: `symbols` or `top`, `timeframe` (default "1h"), `start` and `end`, see `Selection`.

    Raises:
        ArgumentError: not either `symbols` or `top`, not either `days` or `start`, or a split that cannot be read or is
            of another market.
        DataError: the stored rows do not show a split; they are kept as downloaded.
        UnknownSymbolError, UnknownTimeframeError: before anything is downloaded.
        ExchangeError: a request for the markets or the time failed.
        TooLittleHistoryError: fewer than `top` markets.
    """
    from quorate.market.exchange import Exchange, ranking
    from quorate.market.exchange import download as fetch
    from quorate.market.exchange.statistics import download_statistics
    from quorate.market.files.splits import parse_splits
    from quorate.trading.account.contracts import ask_contracts, write_contracts

    require_arguments(download, selection, Selection.__optional_keys__)
    settings = settings_of(settings)
    require_count("days", days)
    require_callback(progress=progress)
    require_flags(statistics=statistics)
    if exchange is not None:
        require_type("choose the exchange", "exchange", exchange, str, "the name of an exchange of ccxt")
    require_timeframe_text(selection.get("timeframe"))
    if not isinstance(splits, str):
        require_texts("download candles", "splits", splits, "texts such as BNX/USDT:USDT=100@2023-02-22T08:00")
    start, end = span(selection)
    symbols, top = split_names(selection.get("symbols")), selection.get("top")
    require_count("top", top)
    if bool(symbols) == (top is not None):
        raise ArgumentError(
            "choose what to download",
            found="both `symbols` and `top`" if symbols else "neither `symbols` nor `top`",
            expected="either `symbols` or `top`",
        )
    if (days is None) == (start is None):
        found = "neither `days` nor `start`" if days is None else "both `days` and `start`"
        raise ArgumentError("choose what to download", found=found, expected="either `days` or `start`")
    changes = parse_splits(splits)
    timeframe = timeframe_of(selection) or DEFAULT_TIMEFRAME
    asked = settings.exchange if exchange is None else replace(settings.exchange, name=exchange)
    folder = Path("user_data/data") / _FOLDERS.get(asked.name, asked.name) if out is None else folder_of("out", out)
    with Exchange(asked) as source:
        first = _first_bar(source, timeframe, end, days or 0) if start is None else start
        rule = "as named"
        if top is not None:
            progress("ranking markets", 0, 1)
            ranked = ranking.top(source, top, first, settings.universe)
            progress("ranking markets", 1, 1)
            symbols, rule = ranked.symbols, ranked.rule
        _require_downloaded(changes, symbols)
        files = fetch(source, folder, symbols, timeframe, first, end, progress=progress)
        if statistics:
            files += download_statistics(source, folder, symbols, timeframe, first, end, progress=progress)
        write_contracts(folder, ask_contracts(source, symbols).values())
    joined, unjoined = _join(folder, files, changes)
    return DownloadResult(asked.name, folder, symbols, rule, files, joined, unjoined)


def _require_downloaded(splits: Sequence[Split], symbols: Sequence[str]) -> None:
    for split in splits:
        if split.symbol not in symbols:
            raise ArgumentError(
                f"use the split {split}",
                found=f"{split.symbol}, which is not downloaded",
                expected=f"one of {', '.join(symbols[:10])}",
                remedy="Join markets that are stored already with `quorate data split`.",
            )


def _join(
    folder: Path, files: Sequence[Downloaded], splits: Sequence[Split]
) -> tuple[tuple[JoinedFile, ...], tuple[Split, ...]]:
    """Join the splits of markets that were read to the end; the other splits are left to the next run."""
    from quorate.market.files.join_scales import settle_split

    # A file whose missing spans are known was read to the end: the next run gives no more of it.
    broken = {file.symbol for file in files if file.error and not file.missing}
    waiting = tuple(split for split in splits if split.symbol in broken)
    return tuple(file for split in splits if split not in waiting for file in settle_split(folder, split)), waiting


def _first_bar(source: Exchange, timeframe: str, end: int | None, days: int) -> int:
    """Open time in ms of the first bar: `days` before the end, or before the close of the newest bar."""
    if end is None:
        end = newest_closed_ms(timeframe, source.present().early) + timeframe_ms(timeframe)
    return end - days * DAY_MS
