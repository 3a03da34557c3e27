"""Paper session of an account that follows target weights.

    bar t closes:    requests of people, state of the feed, valuation, guards, targets
    bar t+1 opens:   funding, liquidation, targets, valuation

Targets are quantities. They are in the journal with the valuation of the close at which they were decided, before any
of them takes effect.

Live, weights wait where too few markets have the bar that closed, and targets whose open has passed are refused; at the
next bar all weights are then decided, as at the first bar of an account and where none were decided since the day
began.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from quorate.core.clock import DAY_MS
from quorate.core.settings import PaperSettings
from quorate.core.types import Candles
from quorate.market.feed import BarReport, Feed, Freshness
from quorate.trading.account.order import TargetOrder
from quorate.trading.account.rebalancing import held_weights, weight_orders
from quorate.trading.engine import RecordSink
from quorate.trading.journal import Journal, records
from quorate.trading.paper.account_bars import closed_bars
from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.paper_session import PaperSession

# Refusals of targets that would have been filled had the session been there in time.
_MISSED = ("late", "no_trust")


class DecideTargets(Protocol):
    """The weights to hold after the close of a bar."""

    def __call__(
        self, report: BarReport, equity_usd: float, held: Mapping[str, float], *, whole: bool
    ) -> Mapping[str, float] | None:
        """Symbol -> weight, a fraction of equity, negative for a short; those of 0 may be left out.

        Args:
            report: of the bar.
            equity_usd: of the account at its close.
            held: symbol -> weight then.
            whole: decide all weights, also where none are due at this bar.

        Returns:
            The weights; None to leave everything as it is.
        """
        ...


class TargetSession(PaperSession):
    """A session of one account that follows target weights, from the state in its journal.

    While a guard is HALTED, all positions are closed and nothing is decided; while one is REDUCING, positions are
    reduced but not added to.

    Args:
        feed: source of closed bars.
        decide_weights: called after the close of each bar with an equity above 0. What it reads must be known then.
        fresh: share of the markets, without those that are gone, that must have a bar for weights to be decided at it.
        journal: opened as a session.
        config: of the account.
        bundle_id: of what decides.
        mode: live or replay.
        synthetic: whether the candles, or those that trained the bundle, are synthetic.
        settings: pauses and timeouts; defaults where None.
        listener: called with every record after it is written.
    """

    def __init__(
        self,
        feed: Feed,
        decide_weights: DecideTargets,
        journal: Journal,
        config: AccountConfig,
        *,
        fresh: float = 0.0,
        bundle_id: str,
        mode: Literal["live", "replay"],
        synthetic: bool = False,
        settings: PaperSettings | None = None,
        listener: RecordSink | None = None,
    ) -> None:
        super().__init__(
            feed,
            lambda *_: [],
            journal,
            config,
            bundle_id=bundle_id,
            mode=mode,
            synthetic=synthetic,
            settings=settings,
            listener=listener,
        )
        self._decide_weights, self._fresh = decide_weights, fresh
        # Whether all weights are to be decided at the next bar.
        self._owed = False

    def start(self) -> None:
        """Rebuild the account, and write the start of the session.

        Raises:
            JournalError, TradingError: as `run`.
        """
        super().start()
        self._owed = self._mode == "live" and not self._decided_today()

    def _trade(self, report: BarReport, candles: Mapping[str, Candles]) -> None:
        time, engine = report.time, self.engine
        ended = [symbol for symbol, status in report.status.items() if status is Freshness.GONE]
        seen = {}
        for symbol, position in engine.account.positions.items():
            seen[symbol] = max(self._seen(symbol, report), position.entry_time - 1)
        bars = closed_bars(self._feed, time, candles, seen)
        engine.settle_late(bars)
        engine.at_close(time, bars, ended)
        engine.submit_targets(self._targets(report))

    def _open(self, time: int, wanted: set[str]) -> None:
        super()._open(time, wanted)
        refused = [record for record in self._written if isinstance(record, records.UnfilledRecord)]
        self._owed |= self._mode == "live" and any(record.reason in _MISSED for record in refused)

    def _targets(self, report: BarReport) -> list[TargetOrder]:
        """The positions wanted after the next open; none where nothing is to change."""
        time, engine = report.time, self.engine
        account = engine.account
        if engine.guards is not None and engine.guards.mode == "HALTED":
            return [TargetOrder(symbol, time, 0.0) for symbol in account.positions]
        equity = account.equity_usd
        if not equity > 0 or self._waits(report):
            return []
        wanted = self._decide_weights(report, equity, held_weights(account), whole=self._owed)
        if wanted is None:
            return []
        self._owed = False

        def close_of(symbol: str) -> float | None:
            known = report.candles.get(symbol)
            return float(known.close[-1]) if known is not None and len(known) else None

        targets, _ = weight_orders(account, time, wanted, self._feed.symbols, close_of)
        return targets

    def _waits(self, report: BarReport) -> bool:
        """Whether too few markets have the bar to decide any weight."""
        here = [status for status in report.status.values() if status is not Freshness.GONE]
        fresh = here.count(Freshness.FRESH)
        if fresh >= self._fresh * len(here):
            return False
        self._owed = True
        number = self.engine.next_number("feed:waiting:")
        text = f"no weights decided: {fresh} of {len(here)} markets have the bar, fewer than {self._fresh:.0%}"
        self._written.append(records.FeedRecord(report.time, "waiting", None, number, text))
        return True

    def _decided_today(self) -> bool:
        """Whether the newest targets were decided since the day of the next bar began, and not refused as late."""
        first = self.next_step[0] // DAY_MS * DAY_MS - self._length_ms
        decided = max((entry.record.time for entry in self._journal.newest(1, [records.TargetRecord])), default=0)
        refused = (entry.record for entry in self._journal.newest(len(self._feed.symbols), [records.UnfilledRecord]))
        late = any(
            isinstance(record, records.UnfilledRecord) and record.time > decided and record.reason in _MISSED
            for record in refused
        )
        return decided >= first and not late

    def _seen(self, symbol: str, report: BarReport) -> int:
        """The bar of a held market that was traded last; after a restart, the newest one before the report's."""
        if symbol not in self.recovered.seen:
            known = report.candles.get(symbol)
            before = None if known is None else known.time[known.time < report.time]
            self.recovered.seen[symbol] = 0 if before is None or not len(before) else int(before[-1])
        return self.recovered.seen[symbol]
