"""A running challenge: two accounts on one feed in step, and a record of what both did on every bar.

    both accounts close bar t -> forecasts, equities and matured labels -> record -> verdict? -> bar t + 1

After a kill the account that is behind goes first, so both meet again at the bar that has no record yet.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from quorate.core.clock import format_ms, now_ms, timeframe_ms
from quorate.core.errors import JournalUnavailableError
from quorate.core.settings import PaperSettings
from quorate.lifecycle.challenge.evidence import ChallengeEnd, ChallengeEvidence, e_value
from quorate.lifecycle.challenge.forecasts import ForecastReader
from quorate.lifecycle.challenge.shared_feed import SharedFeed
from quorate.market.feed import BarReport
from quorate.targets.labels import Target
from quorate.trading.journal import ComparedRecord, HumanRecord, Journal, JudgedRecord, MaturedBar, Record
from quorate.trading.paper import PaperSession

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class ChallengeSides:
    """What both accounts of a challenge are made of.

    Attributes:
        champion, challenger: their sessions.
        forecasts: of both bundles; None where they cannot be compared.
        target: what both predict; None likewise.
    """

    champion: PaperSession
    challenger: PaperSession
    forecasts: ForecastReader | None
    target: Target | None


class ChallengeSession:
    """Runs a challenge from where its journal ends.

    Args:
        feed: of both accounts.
        sides: the accounts and their forecasts.
        journal: of the challenge, opened as a session.
        evidence: of its records so far.
        settings: pauses while a journal cannot be written.
        listener: called with every record of the challenge once it is written.
    """

    def __init__(
        self,
        feed: SharedFeed,
        sides: ChallengeSides,
        journal: Journal,
        evidence: ChallengeEvidence,
        settings: PaperSettings,
        listener: Callable[[Record], None] | None = None,
    ) -> None:
        self._feed, self._sides, self._journal, self.evidence = feed, sides, journal, evidence
        self._settings, self._listener = settings, listener
        self._length = timeframe_ms(feed.timeframe)
        self._stopped = threading.Event()

    def run(self) -> None:
        """Compare bar by bar until a verdict, the end of the feed, or `stop`.

        Raises:
            JournalError, TradingError: as `PaperSession.run`.
        """
        champion, challenger = self._sides.champion, self._sides.challenger
        champion.start()
        challenger.start()
        if self._ended():
            return
        while not self._stopped.is_set():
            bar = champion.closed_bar
            if bar is not None and bar == challenger.closed_bar and bar > self._last:
                record = self._patiently(partial(self._compared, bar))
                if record is None:
                    return
                self._append(record)
                self.evidence.add(record)
                self._log_bar(bar)
                if self._ended():
                    return
            behind = min(champion, challenger, key=lambda session: session.next_step)
            if not behind.step():
                return

    def stop(self) -> None:
        """End after the step at hand; may be called from any thread. The challenge can be resumed."""
        self._stopped.set()
        self._sides.champion.stop()
        self._sides.challenger.stop()

    def _log_bar(self, bar: int) -> None:
        """One line for each bar of a live challenge; a replay shows its end."""
        if self.evidence.start.mode == "live":
            values = (e_value(self.evidence.loss_test.log_above), e_value(self.evidence.loss_test.log_below))
            _log.info("%s: e-value by log-loss %.3g for the challenger, %.3g for the champion", format_ms(bar), *values)

    @property
    def _last(self) -> int:
        return -1 if self.evidence.last is None else self.evidence.last

    def _compared(self, bar: int) -> ComparedRecord | None:
        """The record of a bar that both accounts have closed; None if the feed ended meanwhile."""
        matured: tuple[MaturedBar, ...] = ()
        markets, bound = 0, 0.0
        if self._sides.forecasts is not None and self._sides.target is not None:
            report = self._feed.wait(bar)
            if report is None:
                return None
            matured = self._matured(report, self._sides.forecasts, self._sides.target)
            forecasts = self._sides.forecasts.at(bar)
            markets, bound = len(forecasts.symbols), forecasts.bound
        champion, challenger = self._sides.champion.engine.account, self._sides.challenger.engine.account
        return ComparedRecord(bar, champion.equity_usd, challenger.equity_usd, markets, bound, matured)

    def _matured(self, report: BarReport, reader: ForecastReader, target: Target) -> tuple[MaturedBar, ...]:
        """Outcomes of the bars whose horizon is over; a label that is late is waited for as long again."""
        found = []
        for time, markets in sorted(self.evidence.waiting.items()):
            past = (report.time - time) // self._length
            if past < target.horizon:
                break
            bar = reader.at(time).matured(report.candles, target)
            if bar.markets < markets and past < 2 * target.horizon:
                continue
            found.append(bar)
        return tuple(found)

    def _ended(self) -> bool:
        """Whether there is a verdict, which is then written."""
        judgement = self._patiently(self._asked_to_stop) or self.evidence.judge()
        if judgement is None:
            return False
        self._append(JudgedRecord(max(self._last, 0), now_ms(), judgement.verdict, judgement.reason))
        return True

    def _asked_to_stop(self) -> ChallengeEnd | None:
        for _, _, record in self._journal.read(kinds=[HumanRecord]):
            if isinstance(record, HumanRecord) and record.action == "stop":
                return ChallengeEnd("stopped", stop_reason(record))
        return None

    def _append(self, record: Record) -> None:
        self._patiently(lambda: self._journal.append([record], idempotent=True))
        if self._listener is not None:
            self._listener(record)

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do work on the journals, again and again while one of them cannot be used.

        Raises:
            JournalUnavailableError: still, when the challenge is stopped.
        """
        pause = self._settings.journal_pause_s
        while True:
            try:
                return work()
            except JournalUnavailableError as error:
                _log.error("the challenge waits for its journal: %s", error)
                if self._stopped.wait(pause):
                    raise
                pause = min(2 * pause, self._settings.longest_pause_s)


def stop_reason(request: HumanRecord) -> str:
    """Who stopped a challenge, and why."""
    return f"by {request.who}{f': {request.note}' if request.note else ''}"
