"""Paper session: bars of a feed, decisions, a trading engine, and a write-ahead journal.

Every bar has two steps, its open and its close. The records of a step are one transaction; an open at which nothing can
happen is written with its bar's close. When records cannot be written, the state in memory is discarded and rebuilt
from the journal, as at a start: after a kill, a full disk or a lost connection, the session continues from the last
completed step.

    bar t closes:    requests of people, state of the feed, decisions, exits, valuation, guards, orders
    bar t+1 opens:   funding, time exits, entries, valuation

A replay and a live session differ in their feed only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Literal

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import JournalUnavailableError, TradingError
from quorate.core.settings import PaperSettings
from quorate.core.types import Candles, Signal
from quorate.market.feed import BarReport, Feed, Freshness
from quorate.market.quality.quality_report import LEAST, MOST
from quorate.trading.account.currency import account_currency, currencies
from quorate.trading.drift_state import NO_DRIFT, DriftStateAt
from quorate.trading.engine import RecordSink, TradingEngine
from quorate.trading.guards import valid_members
from quorate.trading.journal import Journal, records
from quorate.trading.paper.account_bars import closed_bars, opening_bars
from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.benched_members import bench_moves, selection_move, shadows
from quorate.trading.paper.decided_signals import Decide, decide_markets, decided_bars, entry_orders
from quorate.trading.paper.notices import apply_notices
from quorate.trading.paper.panel_votes import panel_records, panel_votes
from quorate.trading.paper.recovery import Recovered, peek, redo
from quorate.trading.paper.requests import apply_requests

_log = logging.getLogger(__name__)


class PaperSession:
    """A session of one account, from the state in its journal.

    Args:
        feed: source of closed bars.
        decide: markets whose newest candle has just closed, and that time in ms -> a signal for each.
        journal: opened as a session.
        config: of the account.
        bundle_id: of the bundle that decides.
        mode: live or replay.
        synthetic: whether the candles, or those that trained the bundle, are synthetic.
        settings: pauses and timeouts; defaults where None.
        drift_at: drift of the bundle at the close of a bar.
        listener: called with every record after it is written.

    Attributes:
        engine: the account as of the last completed step.
        recovered: progress in the journal at the last start or recovery.
    """

    def __init__(
        self,
        feed: Feed,
        decide: Decide,
        journal: Journal,
        config: AccountConfig,
        *,
        bundle_id: str,
        mode: Literal["live", "replay"],
        synthetic: bool = False,
        settings: PaperSettings | None = None,
        drift_at: DriftStateAt = lambda _: NO_DRIFT,
        listener: RecordSink | None = None,
    ) -> None:
        self._feed, self._decide, self._journal, self._config = feed, decide, journal, config
        self._bundle_id, self._mode, self._synthetic = bundle_id, mode, synthetic
        self._settings = settings or PaperSettings()
        self._listener, self._drift_at = listener, drift_at
        self._length_ms = timeframe_ms(feed.timeframe)
        self._written: list[records.Record] = []
        # Records that may or may not have been written.
        self._uncertain: list[records.Record] = []
        self._report: BarReport | None = None
        self._stopped = threading.Event()
        self._next: tuple[int, records.Phase] = (0, "open")
        self._last_read = 0  # number of the newest request that was read
        self._pause_s = self._settings.journal_pause_s
        self._unavailable = False
        self.engine: TradingEngine
        self.recovered = Recovered()

    def run(self) -> None:
        """Run until the feed ends or the session is stopped.

        Raises:
            JournalError: a damaged journal, or one of another account.
            TradingError: an account of another timeframe, mode or currency, markets in several currencies, or a replay
                that skips bars with open positions.
        """
        self.start()
        while self.step():
            pass

    @property
    def next_step(self) -> tuple[int, int]:
        """Open time in ms of the bar of the next step, and 0 for its open or 1 for its close."""
        time, phase = self._next
        return time, int(phase == "close")

    @property
    def closed_bar(self) -> int | None:
        """Open time in ms of the bar whose close was the last step; None after an open, and before the first bar."""
        engine, (time, phase) = self.engine, self._next
        before = time - self._length_ms
        return before if (phase, engine.phase, engine.time) == ("open", "close", before) else None

    def step(self) -> bool:
        """Perform the next step of a session that was started; returns False at the end of the feed and once stopped.

        Where the journal cannot be written, the step is not done, and the account is rebuilt.

        Raises:
            JournalError, TradingError: as `run`.
        """
        try:
            return not self._stopped.is_set() and self._advance()
        except JournalUnavailableError as error:
            self._wait_for_journal(error)
            return not self._stopped.is_set()

    def stop(self) -> None:
        """End after the current step; for other threads and signal handlers."""
        self._stopped.set()
        self._feed.stop()

    def start(self) -> None:
        """Rebuild the account, and write the start of the session.

        Raises:
            JournalError, TradingError: as `run`.
        """
        while not self._stopped.is_set():
            try:
                self._recover()
                self._begin()
            except JournalUnavailableError as error:
                self._wait_for_journal(error)
            else:
                return

    def _recover(self) -> None:
        """Rebuild the account from the journal."""
        self._written, self._report = [], None
        started, entries = peek(self._journal.read(detail=False))
        began = self._feed.begin() if started is None else started.time
        if started is not None:
            self._require_same(started)  # order ids of another strategy would look altered
        config = self._config if started is None else self._config.with_start_equity(started)
        # Not the list's own `append`: every step has a new list.
        self.engine = config.engine(
            self._length_ms, began, strategy=config.strategy, emit=lambda record: self._written.append(record)
        )
        self.recovered = redo(self.engine, entries)
        self._last_read = self.recovered.seq
        self._next = self.recovered.next_step(self._length_ms) or (began, "open")

    def _begin(self) -> None:
        account_currency(self._feed.symbols, self._config.account)
        known = self.recovered.started
        time = self._next[0]
        if known is not None:
            self._require_same(known)
            if (known.bundle_id, known.settings_hash) != (self._bundle_id, self._config.hash):
                _log.warning("account %s resumes with another bundle or other settings", self._journal.account)
            first = self._feed.begin()
            if self._mode == "replay" and first > time:
                engine = self.engine
                if engine.account.positions or engine.pending or engine.pending_targets:
                    raise TradingError(
                        f"resume the account '{self._journal.account}' at {format_ms(first)}",
                        found=f"positions or orders that are open at {format_ms(time)}",
                        expected=f"a replay from {format_ms(time)} or earlier",
                        remedy="Choose an earlier `start`, or another `account`.",
                    )
                self._next = first, "open"
        started = records.StartedRecord(
            time=self._next[0],
            at=now_ms(),
            mode=self._mode,
            bundle_id=self._bundle_id,
            settings_hash=self._config.hash,
            strategy=self._config.strategy,
            timeframe=self._feed.timeframe,
            symbols=self._feed.symbols,
            settings=self._config.to_json(),
            synthetic=self._synthetic,
        )
        self._append([started])
        self.recovered.started = started
        _log.info(
            "account %s: equity %.2f %s, %d positions, next bar %s",
            *(self._journal.account, self.engine.account.equity_usd, currencies(self._feed.symbols)),
            len(self.engine.account.positions),
            format_ms(self._next[0]),
        )

    def _require_same(self, known: records.StartedRecord) -> None:
        for name, before, now in (
            ("timeframe", known.timeframe, self._feed.timeframe),
            ("mode", known.mode, self._mode),
            ("strategy", known.strategy, self._config.strategy),
            ("currency", currencies(known.symbols), currencies(self._feed.symbols)),
        ):
            if before != now:
                raise TradingError(
                    f"resume the account '{self._journal.account}'",
                    found=f"the {name} {before}",
                    expected=f"{now}",
                    remedy="Choose another `account` for it.",
                )

    def _advance(self) -> bool:
        """Perform the next step; returns whether there was one."""
        time, phase = self._next
        if phase == "close":
            report = self._feed.wait(time)
            if report is None:
                return False
            self._close(report)
            self._append(self._written)
            self._next = time + self._length_ms, "open"
            return True
        engine = self.engine
        wanted = {*engine.account.positions, *(order.symbol for order in engine.pending)}
        wanted |= {target.symbol for target in engine.pending_targets}
        self._open(time, wanted)
        # An open at which nothing can happen is written with the bar's close.
        if wanted:
            self._append(self._written)
        self._next = time, "close"
        return True

    def _open(self, time: int, wanted: set[str]) -> None:
        """Trade the open of the bars at `time` of the markets with positions or orders."""
        if not wanted:
            self.engine.at_open(time, lambda _: None)
            return
        if self._report is None:
            # After a restart, read the previous bar once more.
            self._report = self._feed.wait(time - self._length_ms)
        report = self._report
        opens = self._opens(time, wanted)
        bars = opening_bars(self._feed, time, {} if report is None else report.candles, opens, wanted)
        late = self._feed.age_ms(time) > self._settings.late_s * 1000
        unreliable = report is not None and not report.may_enter
        self.engine.at_open(time, bars, "late" if late else "no_trust" if unreliable else None)

    def _opens(self, time: int, wanted: set[str]) -> dict[str, float]:
        """First prices of the bars at `time`; missing ones are requested again until a timeout."""
        deadline = monotonic() + self._settings.open_patience_s
        while True:
            # The first price of an open bar has passed no candle checks yet.
            known = self._feed.opens(time)
            opens = {symbol: price for symbol, price in known.items() if LEAST <= price <= MOST}
            if self._mode == "replay" or wanted <= opens.keys() or monotonic() >= deadline:
                return opens
            if self._stopped.wait(self._settings.open_pause_s):
                return opens

    def _close(self, report: BarReport) -> None:
        """Trade the close of the bars of a report."""
        time, engine = report.time, self.engine
        engine.begin(time, "close")
        self._apply_requests(time)
        apply_notices(engine, report, self._written.append)
        candles = {
            symbol: known
            for symbol, known in report.candles.items()
            if report.status.get(symbol) in (Freshness.FRESH, Freshness.GONE) and len(known) and known.time[-1] == time
        }
        self._trade(report, candles)
        self.recovered.seen.update(dict.fromkeys(candles, time))
        self._report = report

    def _trade(self, report: BarReport, candles: Mapping[str, Candles]) -> None:
        """Trade the bars of a report up to their close, and decide for the next open.

        Args:
            report: of the feed.
            candles: market -> candles, of those whose newest bar is the report's.
        """
        time, engine = report.time, self.engine
        signals = decide_markets(self._decide, list(candles.values()), time + self._length_ms)
        ended = [symbol for symbol, status in report.status.items() if status is Freshness.GONE]
        held = engine.account.positions.items()
        # Bars before the entry do not concern the position.
        seen = {symbol: max(self.recovered.seen.get(symbol, 0), position.entry_time - 1) for symbol, position in held}
        bars = closed_bars(self._feed, time, candles, seen)
        engine.settle_late(bars)
        oversight = self._config.oversight
        valid = 0 if oversight is None else valid_members(signals, time, oversight.trained_until, oversight.guards)
        engine.at_close(time, bars, ended, decided_bars(signals, time), valid)
        self._note_bench(signals, time)
        drift = self._drift_at(time + self._length_ms)
        if drift is not None:
            engine.set_drift(drift)
        orders = entry_orders(signals, candles, time, self._length_ms, self._config.holding_bars)
        overlay = self._config.overlay
        shares = {} if overlay is None else overlay.shares(time + self._length_ms, signals, engine.state)
        votes = panel_votes(self._config.panel, engine, signals, candles, time + self._length_ms)
        self._written.extend(panel_records(votes, time))
        engine.submit(orders, shares, votes)

    def _note_bench(self, signals: Sequence[Signal], time: int) -> None:
        """Write who was benched or votes again, who is chosen to vote, and what benched members would have voted."""
        benched = self.recovered.benched
        for move in bench_moves(signals, time, benched):
            self._written.append(move)
            if move.benched:
                benched[move.model] = move.reason
            else:
                del benched[move.model]
        selected = selection_move(signals, time, self.recovered.selected)
        if selected is not None:
            self._written.append(selected)
            self.recovered.selected = selected.after
        self._written.extend(shadows(signals, time))

    def _apply_requests(self, time: int) -> None:
        """Apply the requests of people since the last bar."""
        for seq, _, record in self._journal.read(after=self._last_read, kinds=[records.HumanRecord]):
            if isinstance(record, records.HumanRecord):
                self.recovered.requests[seq] = record
                self._last_read = seq
        apply_requests(self.engine, self.recovered.requests, time)
        self.recovered.requests.clear()

    def _append(self, written: Sequence[records.Record]) -> None:
        """Write records to the journal, then pass them to the listener."""
        self._uncertain = list(written)
        self._journal.append(written)
        self._uncertain, self._written = [], []
        if self._unavailable:
            self._unavailable, self._pause_s = False, self._settings.journal_pause_s
            _log.warning("the journal can be written again, from %s on", format_ms(self._next[0]))
        if self._listener is not None:
            for record in written:
                self._listener(record)

    def _wait_for_journal(self, error: JournalUnavailableError) -> None:
        """Wait until the journal can be read, and rebuild the account from it.

        Pauses grow until a record is written: a journal that can be read need not be writable.
        """
        while True:
            if not self._unavailable:
                _log.error("no entries until the journal can be written again: %s", error)
            self._unavailable = True
            if self._stopped.wait(self._pause_s):
                return
            self._pause_s = min(2 * self._pause_s, self._settings.longest_pause_s)
            try:
                written = self._uncertain
                held = bool(written) and self._journal.holds(written)
                self._uncertain = []
                if held and self._listener is not None:
                    for record in written:
                        self._listener(record)
                self._recover()
            except JournalUnavailableError as again:
                _log.debug("journal still unavailable: %s", again)
            else:
                return
