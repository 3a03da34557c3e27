"""Download of market statistics from an exchange into a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from quorate.core.clock import format_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError, ExchangeRefusedError
from quorate.core.progress import Progress, silent
from quorate.core.types import STATISTICS, IntArray, MarketStatistics
from quorate.market.exchange.download import Downloaded
from quorate.market.exchange.download_funding import Span
from quorate.market.exchange.download_plan import missing, parts
from quorate.market.exchange.exchange_source import Exchange
from quorate.market.exchange.statistics.feeds import StatisticFeed, feeds_of
from quorate.market.statistics.checks import StatisticRows, check_statistics
from quorate.market.statistics.store import merge_statistics, read_statistics, set_aside, statistics_path


def download_statistics(
    exchange: Exchange,
    folder: Path | str,
    symbols: Sequence[str],
    timeframe: str,
    start: int,
    end: int | None = None,
    *,
    progress: Progress = silent,
) -> tuple[Downloaded, ...]:
    """Download the market statistics that a folder lacks of some perpetuals.

    Taker volumes and the premium index are read in intervals of `timeframe`, for the whole span. Open interest and
    long/short ratios are read in intervals of five minutes; Binance keeps them for 30 days, so that they begin there
    whatever `start` is, and a download at least every 30 days leaves no gap. Only missing values are requested: an
    interrupted download continues where it was, and a second run changes nothing. An error of one kind is in the result
    of its file; the others are downloaded.

    Args:
        exchange: the source.
        folder: a data folder; created if missing.
        symbols: the markets; spot has no statistics and is left out.
        timeframe: of taker volumes and the premium index.
        start: first interval, inclusive, in ms UTC.
        end: exclusive, in ms UTC; None for the current time.
        progress: called with the pages done and in all.

    Returns:
        A result for each file.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: before any request for statistics.
        ExchangeRefusedError: an exchange without any market statistics.
        ExchangeError: the exchange's markets or time could not be read.
    """
    for symbol in symbols:
        exchange.require(symbol, timeframe)
    wanted = {symbol: found for symbol in symbols if (found := feeds_of(exchange, symbol))}
    if not wanted:
        raise ExchangeRefusedError(
            f"download market statistics from {exchange.settings.name}",
            found=f"none of {', '.join(symbols[:5])}",
            expected="perpetuals, and an exchange that gives open interest, ratios or the premium index",
            remedy="Leave `statistics` out, or name perpetuals such as BTC/USDT:USDT of binanceusdm.",
        )
    present = exchange.present().early
    run = _Run(exchange, Path(folder), min(present, present if end is None else end), progress)
    jobs = [job for symbol, feeds in wanted.items() for job in run.plan(symbol, feeds, timeframe, start)]
    return exchange.connection.run(run.all(jobs))


@dataclass(slots=True)
class _Job:
    """One file: its feeds, each with the spans to request; and why some rows are not requested."""

    symbol: str
    timeframe: str
    feeds: list[tuple[StatisticFeed, tuple[Span, ...]]] = field(default_factory=list)
    note: str = ""


@dataclass(slots=True)
class _Run:
    """State of one download."""

    exchange: Exchange
    folder: Path
    end: int
    progress: Progress
    done: int = 0
    total: int = 0

    def plan(self, symbol: str, feeds: Sequence[StatisticFeed], timeframe: str, start: int) -> list[_Job]:
        """The files of a market, and what each lacks; a file that cannot be read is all requested, and fails then."""
        jobs: dict[str, _Job] = {}
        first = max(start, self.exchange.listed(symbol))
        for feed in feeds:
            frame = feed.timeframe or timeframe
            job = jobs.setdefault(frame, _Job(symbol, frame))
            kept = first
            if feed.kept_ms is not None:
                kept = max(first, newest_closed_ms(frame, self.exchange.present().early - feed.kept_ms))
            if kept > first:
                job.note = f"the exchange keeps 30 days of these; requested from {format_ms(kept)}"
            spans = tuple(missing(self._known(job, feed), frame, kept, self._closed(frame)))
            job.feeds.append((feed, spans))
            self.total += sum(self._pages(span, feed, frame) for span in spans)
        return list(jobs.values())

    async def all(self, jobs: Sequence[_Job]) -> tuple[Downloaded, ...]:
        slots = asyncio.Semaphore(self.exchange.settings.requests)

        async def one(job: _Job) -> Downloaded:
            async with slots:
                return await self._file(job)

        return tuple(await asyncio.gather(*(one(job) for job in jobs)))

    async def _file(self, job: _Job) -> Downloaded:
        conflicts = 0
        errors: list[str] = []
        before = self._stored(job)
        for feed, spans in job.feeds:
            try:
                for span in spans:
                    conflicts += await self._span(job, feed, span)
            except DataError as error:
                errors.append(str(error))
        path = statistics_path(self.folder, job.symbol, job.timeframe)
        result = Downloaded(job.symbol, job.timeframe, "statistics", path, conflicts=conflicts, note=job.note)
        try:
            stored = read_statistics(self.folder, job.symbol, job.timeframe, now=self._now())
        except DataError as error:
            return replace(result, error=" ".join(dict.fromkeys((*errors, str(error)))))
        first, last = (int(stored.time[0]), int(stored.time[-1])) if len(stored) else (None, None)
        added = _gained(before, stored)
        return replace(result, rows=len(stored), start=first, end=last, added=added, error=" ".join(errors))

    async def _span(self, job: _Job, feed: StatisticFeed, span: Span) -> int:
        """Download and store the rows of a span: the number of contradicting rows."""
        conflicts = 0
        length, rows = timeframe_ms(job.timeframe), feed.page_rows(self.exchange)
        for part in parts(span, length, rows * self.exchange.settings.flush_pages):
            pages = []
            for first, last in parts(part, length, rows):
                count = -(-(last - first) // length)
                pages.append(await feed.page(self.exchange, job.symbol, job.timeframe, first, count))
                self.done += 1
                self.progress("downloading statistics", self.done, self.total)
            conflicts += await asyncio.to_thread(self._store, job, StatisticRows.joined(pages))
        return conflicts

    def _store(self, job: _Job, rows: StatisticRows) -> int:
        name, now = self.exchange.settings.name, self._now()
        checked = check_statistics(rows, job.symbol, job.timeframe, now, f"{job.symbol} of {name}")
        if len(checked.quarantined):
            set_aside(statistics_path(self.folder, job.symbol, job.timeframe), checked.quarantined, name)
        if not len(checked.kept):
            return len(checked.quarantined)
        merged = merge_statistics(self.folder, checked.kept, source=name, now=now)
        return merged.conflicts + len(checked.quarantined)

    def _stored(self, job: _Job) -> MarketStatistics:
        """What the file holds; nothing where it cannot be read, which the result of the file says."""
        try:
            return read_statistics(self.folder, job.symbol, job.timeframe, now=self._now())
        except DataError:
            return MarketStatistics.of(job.symbol, job.timeframe, np.zeros(0, np.int64), {})

    def _known(self, job: _Job, feed: StatisticFeed) -> IntArray:
        """Times of the intervals of which the file has all that a feed gives."""
        stored = self._stored(job)
        known = np.logical_and.reduce([np.isfinite(getattr(stored, name)) for name in feed.names])
        return np.asarray(stored.time[known])

    def _closed(self, timeframe: str) -> int:
        """End of the newest interval that has ended, and lies before the end of the download."""
        return newest_closed_ms(timeframe, self.end) + timeframe_ms(timeframe)

    def _now(self) -> int:
        return self.exchange.known_present().late

    def _pages(self, span: Span, feed: StatisticFeed, timeframe: str) -> int:
        return -(-(span[1] - span[0]) // (timeframe_ms(timeframe) * feed.page_rows(self.exchange)))


def _gained(before: MarketStatistics, after: MarketStatistics) -> int:
    """Number of intervals of which a value is known after and was not before."""
    gained = ~np.isin(after.time, before.time)
    there = np.flatnonzero(~gained)
    rows = np.searchsorted(before.time, after.time[there])
    for name in STATISTICS:
        gained[there] |= np.isfinite(getattr(after, name)[there]) & np.isnan(getattr(before, name)[rows])
    return int(np.count_nonzero(gained))
