"""An exchange's candles, mark prices and settlements into a folder: `quorate data download`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorate.core.clock import HOUR_MS, iso_ms, newest_closed_ms, timeframe_ms
from quorate.core.errors import DataError, ExchangeDownError
from quorate.core.types import Funding
from quorate.market.columns import Columns, FundingColumns
from quorate.market.exchange.download_plan import Job, Span, kinds, parts, plan, stored_times
from quorate.market.exchange.exchange_source import Exchange, as_candles
from quorate.market.files.candle_store import Merged, merge_candles, merge_funding
from quorate.market.files.names import Kind, market_path
from quorate.market.files.quarantine import quarantine

# After so many files without an answer the rest is not asked for: each would wait through all its attempts.
_GIVE_UP_AFTER = 3


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of one file.

    Attributes:
        symbol, timeframe, kind, path: which file.
        rows: how many it holds now; start, end: its first and last time in ms UTC, None where it is not there.
        added: how many of them came now.
        conflicts: rows that contradicted each other and were put aside.
        error: why not all of them came; empty when they did.
    """

    symbol: str
    timeframe: str
    kind: Kind
    path: Path
    rows: int = 0
    start: int | None = None
    end: int | None = None
    added: int = 0
    conflicts: int = 0
    error: str = ""

    @property
    def ok(self) -> bool:
        """Whether everything came that the exchange has."""
        return not self.error

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "kind": self.kind,
            "path": str(self.path),
            "rows": self.rows,
            "start": None if self.start is None else iso_ms(self.start),
            "end": None if self.end is None else iso_ms(self.end),
            "added": self.added,
            "conflicts": self.conflicts,
            "error": self.error or None,
        }


def download(
    exchange: Exchange,
    folder: Path | str,
    symbols: Sequence[str],
    timeframe: str,
    start: int,
    end: int | None = None,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[Downloaded, ...]:
    """Fetch what a folder lacks of some markets, and merge it.

    Candles of each market, and for perpetuals mark prices and settlements where the exchange tells them. Only closed
    candles, and only bars that are not there: after an interruption it goes on where it was, and a second run changes
    nothing. One market's trouble is told in its result; the others go on.

    Args:
        exchange: where they come from.
        folder: a Freqtrade data folder; made if it is not there.
        symbols: the markets.
        timeframe: of candles and mark prices.
        start: first bar, inclusive, in ms UTC.
        end: exclusive; None for the present.
        progress: told of pages, done and in all.

    Raises:
        UnknownSymbolError, UnknownTimeframeError: before anything is fetched.
        ExchangeError: the exchange tells neither its markets nor its time.
    """
    for symbol in symbols:
        exchange.require(symbol, timeframe)
    present = exchange.present().early
    closed = newest_closed_ms(timeframe, present) + timeframe_ms(timeframe)
    run = _Run(exchange, Path(folder), timeframe, progress or (lambda *_: None))
    wanted = [
        (symbol, kind, max(start, exchange.listed(symbol)), min(present if kind == "funding_rate" else closed, until))
        for symbol in symbols
        for kind in kinds(symbol, mark=exchange.has_mark(symbol), funding=exchange.has_funding(symbol))
        for until in [present if end is None else end]
    ]
    return exchange.connection.run(run.all(wanted))


class _Run:
    """One download: its jobs, and how far they are."""

    def __init__(
        self, exchange: Exchange, folder: Path, timeframe: str, progress: Callable[[str, int, int], None]
    ) -> None:
        self.exchange = exchange
        self.folder = folder
        self.timeframe = timeframe
        self.progress = progress
        self.done = 0
        self.total = 0
        self.unanswered = 0
        # As many files as requests: no file waits for an exchange of which others have learned that it is down.
        self._slots = asyncio.Semaphore(exchange.settings.requests)

    async def all(self, wanted: Sequence[tuple[str, Kind, int, int]]) -> tuple[Downloaded, ...]:
        jobs: list[Job | Downloaded] = []
        for symbol, kind, start, end in wanted:
            try:
                jobs.append(plan(self.folder, symbol, self.timeframe, kind, start, end))
            except DataError as error:
                jobs.append(self._result(Job(symbol, self.timeframe, kind, ()), error=str(error)))
        self.total = sum(self._pages(span, job) for job in jobs if isinstance(job, Job) for span in job.spans)
        return tuple(await asyncio.gather(*(self._one(job) for job in jobs)))

    async def _one(self, job: Job | Downloaded) -> Downloaded:
        if isinstance(job, Downloaded):
            return job
        async with self._slots:
            return await self._fetch(job)

    async def _fetch(self, job: Job) -> Downloaded:
        added = conflicts = 0
        length = timeframe_ms(job.timeframe)
        settings = self.exchange.settings
        for span in job.spans:
            for part in parts(span, length, settings.page_rows * settings.flush_pages):
                try:
                    if self.unanswered >= _GIVE_UP_AFTER:
                        raise ExchangeDownError(
                            f"ask {settings.name} for {job.kind} of {job.symbol}",
                            found=f"no answer for {self.unanswered} other files",
                            remedy="Run it again: what has come is kept.",
                        )
                    merged, put_aside = await self._part(job, part)
                except DataError as error:
                    self.unanswered += isinstance(error, ExchangeDownError)
                    return self._result(job, added, conflicts, str(error))
                added += 0 if merged is None else merged.added
                conflicts += put_aside
                self.done += self._pages(part, job)
                self.progress("downloading pages", self.done, self.total)
        return self._result(job, added, conflicts)

    async def _part(self, job: Job, span: Span) -> tuple[Merged | None, int]:
        """Fetch and store one part; how many rows contradicted each other comes beside what became of the merge."""
        exchange = self.exchange
        if job.kind == "funding_rate":
            funding = await exchange.read_funding_verdict(job.symbol, *span)
            return await asyncio.to_thread(self._store_funding, job, funding.kept, funding.quarantined)
        mark = job.kind == "mark"
        candles = await exchange.read_verdict(job.symbol, job.timeframe, *span, mark=mark)
        return await asyncio.to_thread(self._store_candles, job, candles.kept, candles.quarantined)

    def _store_candles(self, job: Job, kept: Columns, quarantined: Columns) -> tuple[Merged | None, int]:
        merged = None
        if len(kept):
            candles = as_candles(job.symbol, job.timeframe, kept)
            now, source = self.exchange.present().late, self.exchange.settings.name
            merged = merge_candles(self.folder, candles, source=source, mark=job.kind == "mark", now=now)
        return merged, self._put_aside(job, quarantined)

    def _store_funding(self, job: Job, kept: FundingColumns, quarantined: FundingColumns) -> tuple[Merged | None, int]:
        merged = None
        if len(kept):
            funding = Funding(job.symbol, kept.time, kept.rate)
            now, source = self.exchange.present().late, self.exchange.settings.name
            merged = merge_funding(self.folder, funding, source=source, now=now)
        return merged, self._put_aside(job, quarantined)

    def _put_aside(self, job: Job, rows: Columns | FundingColumns) -> int:
        if len(rows):
            quarantine(self._path(job), rows, self.exchange.settings.name)
        return len(rows)

    def _result(self, job: Job, added: int = 0, conflicts: int = 0, error: str = "") -> Downloaded:
        path = self._path(job)
        what = (job.symbol, job.timeframe, job.kind, path)
        try:
            times = stored_times(self.folder, job.symbol, job.timeframe, job.kind)
        except DataError as unreadable:
            return Downloaded(*what, added=added, conflicts=conflicts, error=error or str(unreadable))
        first, last = (int(times[0]), int(times[-1])) if len(times) else (None, None)
        return Downloaded(*what, len(times), first, last, added, conflicts, error)

    def _path(self, job: Job) -> Path:
        return market_path(self.folder, job.symbol, job.timeframe, job.kind)

    def _pages(self, span: Span, job: Job) -> int:
        length = timeframe_ms(job.timeframe) if job.kind != "funding_rate" else HOUR_MS
        return -(-(span[1] - span[0]) // (length * self.exchange.settings.page_rows))
