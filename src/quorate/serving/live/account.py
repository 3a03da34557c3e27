"""The paper account that a service shows: its newest figures, kept up to date in the background, and its events."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from quorate.core.clock import iso_ms
from quorate.core.errors import (
    EvaluationError,
    JournalUnavailableError,
    MissingExtraError,
    QuorateError,
    UnknownAccountError,
)
from quorate.serving.champion import BundleSwap, Champion
from quorate.serving.live.events import RECORDS, EventKind, LiveEvent, event_of
from quorate.serving.live.hub import EventHub
from quorate.trading.entry_panel import PanelVote
from quorate.trading.journal import Entry
from quorate.trading.journal.records import PanelRecord
from quorate.workflows.paper import AccountView, PaperStatus
from quorate.workflows.paper.figures import EquityPoints
from quorate.workflows.paper.measured_bundle import bundle_of
from quorate.workflows.paper.performance import PaperPerformance

if TYPE_CHECKING:
    from quorate.evaluation.baselines import AccountBaselines
    from quorate.market.source import CandleSource

_log = logging.getLogger(__name__)

# Records that are read at once.
_MOST_NEWS = 1_000

# Before a journal that contradicts itself is read again, s.
_RETRY_S = 30.0

# Performance and baselines are measured after a new bar, and take at most this share of the time.
_LOAD = 0.1


class LiveAccount:
    """An account that runs in this process or elsewhere; requests read what the background has found.

    Args:
        view: of the account.
        hub: gets the account's events.
        champion: whose bundle is measured where the account trades by it.
        source: of candles, for outcomes and baselines.
        pause_s: between two looks at the journal.

    Attributes:
        view: as given.
        status: as of the newest records; None before the first reading.
        error: why the journal could not be read the last time.
        performance: of the model, as of a bar that may be a little older; None before the first.
        performance_error: why it could not be measured the last time; the one before stays where candles are missing.
        baselines: of the account, as of such a bar too; None before the first, and without candles.
        baselines_error: why they could not be traded the last time; those before stay.
        judged: market -> newest judgement of the account's panel of language models.
    """

    def __init__(
        self, view: AccountView, hub: EventHub, champion: Champion, source: CandleSource, *, pause_s: float
    ) -> None:
        self.view, self._hub, self._champion, self._source = view, hub, champion, source
        self._pause_s = pause_s
        self._after: int | None = None
        self._wake: Callable[[], object] = _nothing
        self.status: PaperStatus | None = None
        self.error: QuorateError | None = None
        self.performance: PaperPerformance | None = None
        self.performance_error: QuorateError | None = None
        self.baselines: AccountBaselines | None = None
        self.baselines_error: QuorateError | None = None
        self.judged: Mapping[str, PanelRecord] = {}

    def panel_vote(self, symbol: str, time: int) -> PanelVote | None:
        """What the account's panel judged of the decision on a bar; None where it was not asked.

        Args:
            symbol: market.
            time: open time of the bar, ms.
        """
        found = self.judged.get(symbol)
        return None if found is None or found.time != time else found.vote

    def look(self) -> None:
        """Look at the journal now; may be called from any thread."""
        self._wake()

    async def follow(self) -> None:
        """Publish events and keep the status up to date, as long as the service runs."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(woken.set)
        more = False  # the first prediction comes first: opening a journal loads its libraries
        while True:
            if not more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s if self._may_recover else _RETRY_S):
                        await woken.wait()
            woken.clear()
            try:
                more = await self._step()
            except MissingExtraError as error:
                self.error = error
                return

    async def measure(self) -> None:
        """Measure performance and baselines after new bars, as long as the service runs."""
        measured: object = None
        while True:
            bar = None if self.status is None else self.status.document["last_bar"]
            shown, began = (bar, self._champion.predictor.id), time.perf_counter()
            if bar is not None and shown != measured:
                await asyncio.to_thread(self._measure)
                measured = shown
                self._hub.publish(LiveEvent.of("measured", {"account": self.view.account.name, "time": bar}))
            await asyncio.sleep(max(self._pause_s, (time.perf_counter() - began) / _LOAD))

    def missed(self, after: int, wanted: Collection[EventKind], most: int) -> list[LiveEvent]:
        """Events of the records after a number; one that says so, where they are too many.

        Args:
            after: number of a record.
            wanted: kinds; empty for all.
            most: number of records.

        Raises:
            JournalError: the journal cannot be read.
        """
        entries, _ = self.view.news(after, RECORDS, most + 1)
        if len(entries) > most:
            reason = f"more than {most} events since number {after}"
            return [LiveEvent.of("skipped", {"after": after, "reason": reason})]
        events = [event for entry in entries if (event := event_of(self.view.account.name, entry)) is not None]
        return [event for event in events if not wanted or event.kind in wanted]

    def equity(self) -> EquityPoints:
        """Equity and drawdown at every bar, beside buy and hold up to the bar of the baselines.

        Raises:
            JournalError: the journal cannot be read.
        """
        return self.view.equity(self.baselines)

    @property
    def _may_recover(self) -> bool:
        """Whether the journal may be readable in a moment: not one that contradicts itself, which is read anew."""
        return self.error is None or isinstance(self.error, JournalUnavailableError | UnknownAccountError)

    async def _step(self) -> bool:
        """Read and publish what is new; whether there may be more."""
        try:
            entries, self._after = await asyncio.to_thread(self.view.news, self._after, RECORDS, _MOST_NEWS)
            if entries or self.status is None or self.error is not None:
                self._hub.publish(
                    *(event for entry in entries if (event := event_of(self.view.account.name, entry)) is not None)
                )
                if self.status is None:
                    self.judged = await asyncio.to_thread(self._judged)
                self.judged = {**self.judged, **_judgements(entries)}
                self.status = await asyncio.to_thread(self.view.status)
            self.error = None
        except MissingExtraError:
            raise
        except QuorateError as error:
            if str(error) != str(self.error):
                level = logging.INFO if isinstance(error, UnknownAccountError) else logging.ERROR
                _log.log(level, "account %s: %s", self.view.account.name, error)
            self.error = error
            if isinstance(error, UnknownAccountError):
                self._after, self.status = 0, None  # all records of an account that begins later are news
            elif not self._may_recover:
                self._after = None
            return False
        return len(entries) == _MOST_NEWS

    def _judged(self) -> dict[str, PanelRecord]:
        return _judgements(reversed(self.view.records(_MOST_NEWS, kinds="panel")))

    def _measure(self) -> None:
        try:
            measured = bundle_of(self.view.bundle(), self._champion.predictor, self._champion.store)
        except QuorateError as error:
            self.performance_error = self.baselines_error = _logged(error, self.performance_error)
            return
        try:
            self.performance = self.view.performance(measured, self._source, self.baselines)
            self.performance_error = None
        except QuorateError as error:
            self.performance_error = _logged(error, self.performance_error)
            if isinstance(error, EvaluationError):
                self.performance = None  # of a bundle that the account no longer trades by
        # They may take longer: those of the bar before are shown meanwhile.
        try:
            self.baselines = self.view.baselines(measured, self._source)
            self.baselines_error = None
        except QuorateError as error:
            self.baselines_error = _logged(error, self.baselines_error)
        if self.performance is not None:
            self.performance = self.performance.with_baselines(self.baselines)


def _judgements(entries: Iterable[Entry]) -> dict[str, PanelRecord]:
    """Market -> newest judgement among entries, the oldest first."""
    found = (entry.record for entry in entries)
    return {record.symbol: record for record in found if isinstance(record, PanelRecord)}


def bundle_event(swap: BundleSwap) -> LiveEvent:
    """The event of a new champion."""
    return LiveEvent.of(
        "bundle",
        {
            "result": swap.result,
            "bundle": swap.bundle,
            "previous": swap.previous,
            "time": iso_ms(swap.time),
            "reason": swap.reason,
        },
    )


def _logged(error: QuorateError, before: QuorateError | None) -> QuorateError:
    """The error, which is logged unless it is the same as before."""
    if str(error) != str(before):
        _log.warning("%s", error)
    return error


def _nothing() -> None:
    """There is no loop to wake yet."""
