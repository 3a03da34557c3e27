"""A paper session: bars of a feed, decisions, a desk, and a journal that knows of everything before it takes effect.

Every bar has two steps, its open and its close, and every step is one transaction of records; an open at which nothing
can happen shares its bar's. The state in memory is what those records make of the state before; where they cannot be
written, it is thrown away and read from the journal again, exactly as at a start. So a kill, a full disk and a lost
connection all end the same way: at the last step that was completed.

    bar t closes:    what people asked for, the feed's state, decisions, exits, valuation, guards, intents
    bar t+1 opens:   funding, time exits, entries, valuation

A replay and a live session differ in their feed and in nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Literal

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import JournalUnavailableError, TradingError
from quorate.core.settings import PaperSettings
from quorate.market.feed import BarReport, Feed, Freshness
from quorate.market.quality.quality_report import LEAST, MOST
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import valid_members
from quorate.trading.journal import Journal, records
from quorate.trading.paper.account_bars import closed_bars, opening_bars
from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.decided_signals import Decide, ask, hear, orders
from quorate.trading.paper.notices import apply_notices
from quorate.trading.paper.recovery import Recovered, peek, redo
from quorate.trading.paper.requests import apply_requests

_log = logging.getLogger(__name__)

Listener = Callable[[records.Record], None]


class PaperSession:
    """One account, from where its journal says it is.

    Args:
        feed: closing bars.
        decide: markets whose newest candle has just closed, and that moment in ms -> a signal for each.
        journal: opened as a session.
        terms: what the account trades under.
        bundle_id: of the bundle that decides.
        mode: live or replay.
        synthetic: the candles, or those that trained the bundle, are made up.
        settings: pauses and patience; the defaults where None.
        listener: is told every record once it is written.

    Attributes:
        desk: the account as of the last completed step.
        recovered: how far the journal had come at the last start or recovery.
    """

    def __init__(
        self,
        feed: Feed,
        decide: Decide,
        journal: Journal,
        terms: AccountConfig,
        *,
        bundle_id: str,
        mode: Literal["live", "replay"],
        synthetic: bool = False,
        settings: PaperSettings | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._feed, self._decide, self._journal, self._terms = feed, decide, journal, terms
        self._bundle_id, self._mode, self._synthetic = bundle_id, mode, synthetic
        self._settings = settings or PaperSettings()
        self._listener = listener
        self._length_ms = timeframe_ms(feed.timeframe)
        self._written: list[records.Record] = []
        # Records of which it is not known whether they were written.
        self._doubted: list[records.Record] = []
        self._report: BarReport | None = None
        self._stopped = threading.Event()
        self._next: tuple[int, records.Phase] = (0, "open")
        self._human = 0
        self._pause_s = self._settings.journal_pause_s
        self._refused = False
        self.desk: TradingEngine
        self.recovered = Recovered()

    def run(self) -> None:
        """Go on until the feed ends or the session is stopped.

        Raises:
            JournalError: the journal is damaged, or not this account's.
            TradingError: an account of another timeframe or mode, or a replay that leaves bars out.
        """
        self._start()
        while not self._stopped.is_set():
            try:
                if not self._advance():
                    break
            except JournalUnavailableError as error:
                self._wait_for_journal(error)

    def stop(self) -> None:
        """End after the step at hand; from another thread or a signal handler."""
        self._stopped.set()
        self._feed.stop()

    def _start(self) -> None:
        """Read where the account is, and write down that a session begins."""
        while not self._stopped.is_set():
            try:
                self._recover()
                self._begin()
            except JournalUnavailableError as error:
                self._wait_for_journal(error)
            else:
                return

    def _recover(self) -> None:
        """The account as the journal has it."""
        self._written, self._report = [], None
        started, entries = peek(self._journal.read(detail=False))
        began = self._feed.begin() if started is None else started.time
        terms = self._terms if started is None else self._terms.founded(started)
        self.desk = terms.desk(self._length_ms, began, lambda record: self._written.append(record))
        self.recovered = redo(self.desk, entries)
        self._human = self.recovered.seq
        self._next = self.recovered.next_step(self._length_ms) or (began, "open")

    def _begin(self) -> None:
        known = self.recovered.started
        time = self._next[0]
        if known is not None:
            self._require_same(known)
            first = self._feed.begin()
            if self._mode == "replay" and first > time:
                if self.desk.account.positions or self.desk.pending:
                    raise TradingError(
                        f"go on with the account '{self._journal.account}' at {format_ms(first)}",
                        found=f"positions that have been open since {format_ms(time)}",
                        expected=f"a replay from {format_ms(time)} or earlier",
                        remedy="Choose an earlier --from, or another --account.",
                    )
                self._next = first, "open"
        started = records.StartedRecord(
            time=self._next[0],
            at=now_ms(),
            mode=self._mode,
            bundle_id=self._bundle_id,
            settings_hash=self._terms.hash,
            strategy=self._terms.strategy,
            timeframe=self._feed.timeframe,
            symbols=self._feed.symbols,
            settings=self._terms.to_json(),
            synthetic=self._synthetic,
        )
        self._append([started])
        self.recovered.started = started
        _log.info(
            "account %s: equity %.2f USD, %d positions, next bar %s",
            *(self._journal.account, self.desk.account.equity_usd, len(self.desk.account.positions)),
            format_ms(self._next[0]),
        )

    def _require_same(self, known: records.StartedRecord) -> None:
        for name, before, now in (
            ("timeframe", known.timeframe, self._feed.timeframe),
            ("mode", known.mode, self._mode),
            ("strategy", known.strategy, self._terms.strategy),
        ):
            if before != now:
                raise TradingError(
                    f"go on with the account '{self._journal.account}'",
                    found=f"the {name} {before}",
                    expected=f"{now}",
                    remedy="Choose another --account for it.",
                )
        if (known.bundle_id, known.settings_hash) != (self._bundle_id, self._terms.hash):
            _log.warning("account %s goes on under another bundle or other settings", self._journal.account)

    def _advance(self) -> bool:
        """The next step; whether there was one."""
        time, phase = self._next
        if phase == "close":
            report = self._feed.wait(time)
            if report is None:
                return False
            self._close(report)
            self._append(self._written)
            self._next = time + self._length_ms, "open"
            return True
        wanted = {*self.desk.account.positions, *(order.symbol for order in self.desk.pending)}
        self._open(time, wanted)
        # An open at which nothing can happen waits for the bar's close and is written down with it.
        if wanted:
            self._append(self._written)
        self._next = time, "close"
        return True

    def _open(self, time: int, wanted: set[str]) -> None:
        """The open of the bars at `time`, of which those of these markets matter."""
        if not wanted:
            self.desk.opening(time, lambda _: None)
            return
        if self._report is None:
            # After a restart the bar before is asked for once more.
            self._report = self._feed.wait(time - self._length_ms)
        report = self._report
        opens = self._opens(time, wanted)
        bars = opening_bars(self._feed, time, {} if report is None else report.candles, opens, wanted)
        late = self._feed.age_ms(time) > self._settings.late_s * 1000
        distrusted = report is not None and not report.may_enter
        self.desk.opening(time, bars, "late" if late else "no_trust" if distrusted else None)

    def _opens(self, time: int, wanted: set[str]) -> dict[str, float]:
        """First prices of the bars at `time`; where one is missing, it is asked for until patience runs out."""
        patience = monotonic() + self._settings.open_patience_s
        while True:
            # The first price of a bar that still runs has been judged by nobody yet.
            known = self._feed.opens(time)
            opens = {symbol: price for symbol, price in known.items() if LEAST <= price <= MOST}
            if self._mode == "replay" or wanted <= opens.keys() or monotonic() >= patience:
                return opens
            if self._stopped.wait(self._settings.open_pause_s):
                return opens

    def _close(self, report: BarReport) -> None:
        """The close of the bars of a report."""
        time, desk = report.time, self.desk
        desk.enter(time, "close")
        self._obey(time)
        apply_notices(desk, report, self._written.append)
        candles = {
            symbol: known
            for symbol, known in report.candles.items()
            if report.status.get(symbol) in (Freshness.FRESH, Freshness.GONE) and len(known) and known.time[-1] == time
        }
        signals = ask(self._decide, list(candles.values()), time + self._length_ms)
        gone = [symbol for symbol, status in report.status.items() if status is Freshness.GONE]
        held = desk.account.positions.items()
        # What came before the entry is none of the position's.
        seen = {symbol: max(self.recovered.seen.get(symbol, 0), position.entry_time - 1) for symbol, position in held}
        bars = closed_bars(self._feed, time, candles, seen)
        desk.settle_late(bars)
        watch = self._terms.oversight
        valid = 0 if watch is None else valid_members(signals, time, watch.trained_until, watch.guards)
        desk.closing(time, bars, gone, hear(signals, time), valid)
        desk.propose(orders(signals, candles, time, self._length_ms, self._terms.holding_bars))
        self.recovered.seen.update(dict.fromkeys(candles, time))
        self._report = report

    def _obey(self, time: int) -> None:
        """What people asked for since the last bar."""
        for seq, _, record in self._journal.read(after=self._human, kinds=[records.HumanRecord]):
            if isinstance(record, records.HumanRecord):
                self.recovered.requests[seq] = record
                self._human = seq
        apply_requests(self.desk, self.recovered.requests, time)
        self.recovered.requests.clear()

    def _append(self, written: Sequence[records.Record]) -> None:
        """Records into the journal; only then anybody hears of them."""
        self._doubted = list(written)
        self._journal.append(written)
        self._doubted, self._written = [], []
        if self._refused:
            self._refused, self._pause_s = False, self._settings.journal_pause_s
            _log.warning("the journal is written again, from %s on", format_ms(self._next[0]))
        if self._listener is not None:
            for record in written:
                self._listener(record)

    def _wait_for_journal(self, error: JournalUnavailableError) -> None:
        """Until the journal answers again; then the account is what it says, and nothing else.

        A journal that can be read need not take a record: pauses grow until one was written.
        """
        while True:
            if not self._refused:
                _log.error("nothing is entered until the journal can be written again: %s", error)
            self._refused = True
            if self._stopped.wait(self._pause_s):
                return
            self._pause_s = min(2 * self._pause_s, self._settings.longest_pause_s)
            try:
                written = self._doubted
                held = bool(written) and self._journal.holds(written)
                self._doubted = []
                if held and self._listener is not None:
                    for record in written:
                        self._listener(record)
                self._recover()
            except JournalUnavailableError as again:
                _log.debug("still: %s", again)
            else:
                return
