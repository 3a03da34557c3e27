"""Download of candles, mark prices and funding from an exchange into a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quorate.core.clock import HOUR_MS, format_ms, iso_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError, ExchangeAnswerError, ExchangeDownError
from quorate.core.progress import Progress, silent
from quorate.core.types import Funding
from quorate.market.columns import Columns, FundingColumns
from quorate.market.exchange.download_funding import Span, missing_settlements
from quorate.market.exchange.download_plan import Job, kinds, parts, plan, stored_times
from quorate.market.exchange.exchange_source import Exchange, as_candles
from quorate.market.exchange.paging.candle_walk import joined_spans
from quorate.market.files.candle_store import merge_candles, merge_funding
from quorate.market.files.names import Kind, MarketFile, candle_kind, market_path
from quorate.market.files.quarantine import quarantine
from quorate.market.files.stored import Merged

# Files without a response after which the rest is not requested, since each would go through all its attempts.
_GIVE_UP_AFTER = 3

# Missing spans that an error lists.
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Downloaded(MarketFile):
    """Result of the download of one file.

    Attributes:
        rows: number of rows the file holds now.
        start, end: its first and last time in ms UTC; None without a file.
        added: number of rows that were added.
        conflicts: number of contradicting rows, which were quarantined.
        missing: spans of which the exchange gives no rows though the market traded: start and exclusive end in ms UTC.
        error: why the file is incomplete; empty if it is complete.
        note: why it begins later than requested; empty if it does not.
    """

    rows: int = 0
    start: int | None = None
    end: int | None = None
    added: int = 0
    conflicts: int = 0
    missing: tuple[Span, ...] = ()
    error: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the file holds all of the span in which the market traded."""
        return not self.error

    def to_json(self) -> dict[str, Any]:
        return {
            **MarketFile.to_json(self),
            "rows": self.rows,
            "start": None if self.start is None else iso_ms(self.start),
            "end": None if self.end is None else iso_ms(self.end),
            "added": self.added,
            "conflicts": self.conflicts,
            "missing": [{"start": iso_ms(first), "end": iso_ms(last)} for first, last in self.missing],
            "error": self.error or None,
            **({"note": self.note} if self.note else {}),
        }


def download(
    exchange: Exchange,
    folder: Path | str,
    symbols: Sequence[str],
    timeframe: str,
    start: int,
    end: int | None = None,
    *,
    progress: Progress = silent,
) -> tuple[Downloaded, ...]:
    """Download what a folder lacks of some markets.

    Candles of each market, and for perpetuals mark prices and funding where the exchange has them. Only closed candles
    and only missing bars are requested: an interrupted download continues where it was, and a second run changes
    nothing. An error of one file is in its result; the other files are downloaded.

    A span before the listing of a market, or in which it did not trade, is no error: longer bars of the exchange show
    none. Where they show trades, or settlements are missing while there are candles, the result names the span as
    missing, and the next run requests it again.

    Args:
        exchange: the source.
        folder: a Freqtrade data folder; created if missing.
        symbols: the markets.
        timeframe: of candles and mark prices.
        start: first bar, inclusive, in ms UTC.
        end: exclusive, in ms UTC; None for the current time.
        progress: called with the pages done and in all.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: before any request for candles.
        ExchangeError: the exchange's markets or time could not be read.
    """
    for symbol in symbols:
        exchange.require(symbol, timeframe)
    present = exchange.present().early
    closed = newest_closed_ms(timeframe, present) + timeframe_ms(timeframe)
    run = _Run(exchange, Path(folder), timeframe, progress)
    wanted = [
        (symbol, kind, max(start, exchange.listed(symbol)), min(present if kind == "funding_rate" else closed, until))
        for symbol in symbols
        for kind in kinds(symbol, mark=exchange.has_mark(symbol), funding=exchange.has_funding(symbol))
        for until in [present if end is None else end]
    ]
    return exchange.connection.run(run.all(wanted))


class _Run:
    """State of one download: its jobs and their progress."""

    def __init__(self, exchange: Exchange, folder: Path, timeframe: str, progress: Progress) -> None:
        self.exchange = exchange
        self.folder = folder
        self.timeframe = timeframe
        self.progress = progress
        self.done = 0
        self.total = 0
        self.unanswered = 0
        # As many files as requests at once, so that no file starts after others found the exchange down.
        self._slots = asyncio.Semaphore(exchange.settings.requests)

    async def all(self, wanted: Sequence[tuple[str, Kind, int, int]]) -> tuple[Downloaded, ...]:
        jobs: list[Job | Downloaded] = []
        for symbol, kind, start, end in wanted:
            try:
                jobs.append(plan(self.folder, symbol, self.timeframe, kind, start, end))
            except DataError as error:
                jobs.append(self._result(Job(symbol, self.timeframe, kind, ()), error=str(error)))
        self.total = sum(self._pages(span, job) for job in jobs if isinstance(job, Job) for span in job.spans)
        results = await asyncio.gather(*(self._one(job) for job in jobs))
        return tuple(self._judged(result, *span) for result, (_, _, *span) in zip(results, wanted, strict=True))

    def _judged(self, result: Downloaded, start: int, end: int) -> Downloaded:
        """Name the settlements that are missing, once the candles are stored."""
        if result.kind != "funding_rate" or not result.ok:
            return result
        try:
            candles = stored_times(self.folder, result.symbol, self.timeframe, candle_kind(result.symbol))
            times = stored_times(self.folder, result.symbol, self.timeframe, result.kind)
        except DataError:  # in the result of the candles
            return result
        missing = missing_settlements(times, candles, timeframe_ms(self.timeframe), start, end)
        return replace(result, missing=missing, error=self._missing_text(result.symbol, result.kind, missing))

    def _missing_text(self, symbol: str, kind: Kind, missing: Sequence[Span]) -> str:
        if not missing:
            return ""
        spans = [f"{format_ms(first)} to {format_ms(last)}" for first, last in missing]
        shown = ", ".join(spans[:_MOST_SHOWN]) + (
            f" and {len(spans) - _MOST_SHOWN} more" if spans[_MOST_SHOWN:] else ""
        )
        what = {"funding_rate": "settlements", "mark": "mark prices"}.get(kind, "candles")
        refused = ExchangeAnswerError(
            f"download all {what} of {symbol}",
            found=f"none from {shown}",
            expected=f"{what} of {self.exchange.settings.name}, where the market traded then",
            remedy="The next download asks again. Exchanges that give the newest rows only never give these: choose a "
            "later start, or import them.",
        )
        return str(refused)

    async def _one(self, job: Job | Downloaded) -> Downloaded:
        if isinstance(job, Downloaded):
            return job
        async with self._slots:
            return await self._fetch(job)

    async def _fetch(self, job: Job) -> Downloaded:
        added = conflicts = 0
        missing: list[Span] = []
        length = timeframe_ms(job.timeframe)
        settings = self.exchange.settings
        for span in job.spans:
            for part in parts(span, length, settings.page_rows * settings.flush_pages):
                try:
                    if self.unanswered >= _GIVE_UP_AFTER:
                        raise ExchangeDownError(
                            f"read {job.kind} of {job.symbol} from {settings.name}",
                            found=f"no response for {self.unanswered} other files",
                            remedy="Run the download again: stored rows are kept.",
                        )
                    merged, quarantined, withheld = await self._part(job, part)
                except DataError as error:
                    self.unanswered += isinstance(error, ExchangeDownError)
                    return self._result(job, added, conflicts, str(error))
                added += 0 if merged is None else merged.added
                conflicts += quarantined
                missing += withheld
                self.done += self._pages(part, job)
                self.progress("downloading pages", self.done, self.total)
        spans = joined_spans(missing)
        return self._result(job, added, conflicts, self._missing_text(job.symbol, job.kind, spans), spans)

    async def _part(self, job: Job, span: Span) -> tuple[Merged | None, int, Sequence[Span]]:
        """Download and store one part: result of the merge, number of contradicting rows, spans that are missing."""
        exchange = self.exchange
        if job.kind == "funding_rate":
            funding = await exchange.read_checked_funding(job.symbol, *span)
            return *await asyncio.to_thread(self._store_funding, job, funding.kept, funding.quarantined), ()
        mark = job.kind == "mark"
        candles, withheld = await exchange.read_checked_candles(job.symbol, job.timeframe, *span, mark=mark)
        return *await asyncio.to_thread(self._store_candles, job, candles.kept, candles.quarantined), withheld

    def _store_candles(self, job: Job, kept: Columns, quarantined: Columns) -> tuple[Merged | None, int]:
        merged = None
        if len(kept):
            candles = as_candles(job.symbol, job.timeframe, kept)
            now, source = self.exchange.present().late, self.exchange.settings.name
            merged = merge_candles(self.folder, candles, source=source, mark=job.kind == "mark", now=now)
        return merged, self._quarantine(job, quarantined)

    def _store_funding(self, job: Job, kept: FundingColumns, quarantined: FundingColumns) -> tuple[Merged | None, int]:
        merged = None
        if len(kept):
            funding = Funding(job.symbol, kept.time, kept.rate)
            now, source = self.exchange.present().late, self.exchange.settings.name
            merged = merge_funding(self.folder, funding, source=source, now=now)
        return merged, self._quarantine(job, quarantined)

    def _quarantine(self, job: Job, rows: Columns | FundingColumns) -> int:
        if len(rows):
            quarantine(self._path(job), rows, self.exchange.settings.name)
        return len(rows)

    def _result(
        self, job: Job, added: int = 0, conflicts: int = 0, error: str = "", missing: tuple[Span, ...] = ()
    ) -> Downloaded:
        path = self._path(job)
        what = (job.symbol, job.timeframe, job.kind, path)
        try:
            times = stored_times(self.folder, job.symbol, job.timeframe, job.kind)
        except DataError as unreadable:
            return Downloaded(*what, added=added, conflicts=conflicts, missing=missing, error=error or str(unreadable))
        first, last = (int(times[0]), int(times[-1])) if len(times) else (None, None)
        return Downloaded(*what, len(times), first, last, added, conflicts, missing, error)

    def _path(self, job: Job) -> Path:
        return market_path(self.folder, job.symbol, job.timeframe, job.kind)

    def _pages(self, span: Span, job: Job) -> int:
        length = timeframe_ms(job.timeframe) if job.kind != "funding_rate" else HOUR_MS
        return -(-(span[1] - span[0]) // (length * self.exchange.settings.page_rows))
