"""Paper session of an account that follows target weights.

    bar t closes:    requests of people, state of the feed, valuation, guards, targets
    bar t+1 opens:   funding, liquidation, targets, valuation

Targets are quantities. They are in the journal with the valuation of the close at which they were decided, before any
of them takes effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from quorate.core.settings import PaperSettings
from quorate.core.types import Candles
from quorate.market.feed import BarReport, Feed, Freshness
from quorate.trading.account.order import TargetOrder
from quorate.trading.account.rebalancing import DecideWeights, held_weights, weight_orders
from quorate.trading.engine import RecordSink
from quorate.trading.journal import Journal
from quorate.trading.paper.account_bars import closed_bars
from quorate.trading.paper.account_config import AccountConfig
from quorate.trading.paper.paper_session import PaperSession


class TargetSession(PaperSession):
    """A session of one account that follows target weights, from the state in its journal.

    While a guard is HALTED, all positions are closed and nothing is decided; while one is REDUCING, positions are
    reduced but not added to.

    Args:
        feed: source of closed bars.
        decide_weights: called after the close of each bar with an equity above 0. What it reads must be known then.
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
        decide_weights: DecideWeights,
        journal: Journal,
        config: AccountConfig,
        *,
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
        self._decide_weights = decide_weights

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

    def _targets(self, report: BarReport) -> list[TargetOrder]:
        """The positions wanted after the next open; none where nothing is to change."""
        time, engine = report.time, self.engine
        account = engine.account
        if engine.guards is not None and engine.guards.mode == "HALTED":
            return [TargetOrder(symbol, time, 0.0) for symbol in account.positions]
        equity = account.equity_usd
        if not equity > 0:
            return []
        wanted = self._decide_weights(time, equity, held_weights(account))
        if wanted is None:
            return []

        def close_of(symbol: str) -> float | None:
            known = report.candles.get(symbol)
            return float(known.close[-1]) if known is not None and len(known) else None

        targets, _ = weight_orders(account, time, wanted, self._feed.symbols, close_of)
        return targets

    def _seen(self, symbol: str, report: BarReport) -> int:
        """The bar of a held market that was traded last; after a restart, the newest one before the report's."""
        if symbol not in self.recovered.seen:
            known = report.candles.get(symbol)
            before = None if known is None else known.time[known.time < report.time]
            self.recovered.seen[symbol] = 0 if before is None or not len(before) else int(before[-1])
        return self.recovered.seen[symbol]
