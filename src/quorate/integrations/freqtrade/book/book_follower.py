"""Decisions of a book for Freqtrade: when they are made, by which candles, and what is left of them to order."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from quorate.core.clock import DAY_MS, MINUTE_MS, format_ms, timeframe_ms
from quorate.core.errors import QuorateError
from quorate.integrations.freqtrade.book.book_decision import BookDecision, DecisionFile
from quorate.integrations.freqtrade.book.book_markets import TIMEFRAME, late_pairs, live_markets, stored_markets
from quorate.integrations.freqtrade.book.book_source import BookSource
from quorate.integrations.freqtrade.book.holdings import account_equity, held_quantities
from quorate.integrations.freqtrade.book.known_weights import KnownWeights
from quorate.integrations.freqtrade.strategy_options import StrategyOptions

_log = logging.getLogger(__name__)

# How long a live decision waits for candles that the exchange does not have yet; then their markets count as missing.
_PATIENCE_MS = 10 * MINUTE_MS


class BookFollower:
    """Decides at the close of each candle, by the positions and the equity at that close.

    Args:
        options: of the strategy.
        config: Freqtrade's configuration.

    Attributes:
        source: of the book.
        pairs: of the book's panel, whether they are traded or not: they rank each other.
        decision: the newest one; None before the first.
        ordered: pairs whose position was adjusted to it already.
    """

    def __init__(self, options: StrategyOptions, config: Mapping[str, Any]) -> None:
        self.source = BookSource(options)
        self.pairs: tuple[str, ...] = ()
        self.decision: BookDecision | None = None
        self.ordered: set[str] = set()
        self._options, self._config = options, config
        self._known: KnownWeights | None = None
        self._file: DecisionFile | None = None
        self._failed = 0

    def start(self, pairs: tuple[str, ...]) -> None:
        """Decide by these pairs from now on; the decision of a dry or live bot before its restart stays."""
        self.pairs, self._known, self.decision = pairs, None, None
        if self._options.live:
            name = f"book-{self._options.runmode}-{self._config.get('bot_name', 'freqtrade')}.json"
            self._file = DecisionFile(self._options.path(f"quorate/{name}"))
            self.decision = self._file.read()

    def target(self, pair: str) -> float | None:
        """Signed quantity of the newest decision in base units, 0 to close; None where it leaves the pair alone."""
        return None if self.decision is None else self.decision.quantities.get(pair)

    def known(self, end: int | None) -> KnownWeights | None:
        """Weights over the candles that are known; None in a dry or live bot before its first decision.

        Args:
            end: ms, exclusive, of the candles of a backtest; None for all that are stored.
        """
        if self._known is None and not self._options.live:
            self._known = KnownWeights(self.source.book, stored_markets(self._config, self.pairs, end))
        return self._known

    def update(self, now: int, end: int | None, provider: Any, wallets: Any, trades: Iterable[Any]) -> None:
        """Decide where a candle has closed since the last decision.

        Args:
            now: ms.
            end: as of `known`.
            provider: Freqtrade's data provider.
            wallets: Freqtrade's.
            trades: all open ones.
        """
        moment = now - now % timeframe_ms(TIMEFRAME)
        if self.decision is not None and self.decision.moment >= moment:
            return
        if not self._options.live:
            self._decide(moment, self.known(end), wallets, trades)
            return
        if now < moment + _PATIENCE_MS and late_pairs(provider, self.pairs, moment):
            return
        self.source.refresh()
        # What a start or an outage has missed since midnight is decided now.
        missed = self.decision is None or self.decision.moment < moment - moment % DAY_MS
        try:
            self._known = KnownWeights(self.source.book, live_markets(provider, self.pairs, moment))
            wallets.update(require_update=False)
            self._decide(moment, self._known, wallets, trades, whole=missed)
        except QuorateError as error:
            if self._failed != moment:
                _log.error("no decision at %s, positions stay as they are: %s", format_ms(moment), error)
            self._failed = moment

    def _decide(
        self, moment: int, known: KnownWeights | None, wallets: Any, trades: Iterable[Any], *, whole: bool = False
    ) -> None:
        manifest = self.source.book.manifest
        trained = moment < manifest.training_end and not self._options.freqtrade.allow_training_span
        quantities: Mapping[str, float] | None = None
        equity = 0.0
        if known is not None and not trained and known.covers(moment):
            open_trades = list(trades)
            real = self._options.runmode == "live"
            equity = account_equity(wallets, self._config, open_trades, known.closes(moment), live=real)
            if equity > 0:
                quantities = known.decide(moment, equity, held_quantities(open_trades), whole=whole)
        decision = BookDecision(moment, manifest.id, equity, quantities or {})
        if self._file is not None:
            self._file.write(decision)
            _log.info("%s: equity %.2f, %d targets", format_ms(moment), equity, len(decision.quantities))
        self.decision = decision
        self.ordered.clear()
