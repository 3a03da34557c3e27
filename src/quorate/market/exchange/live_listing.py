"""Delistings, by the exchange's own word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from quorate.core.errors import ExchangeDownError, ExchangeRefusedError, QuorateError
from quorate.core.sections.exchange import FeedSettings
from quorate.market.exchange.exchange_source import Exchange

# A market list that lacks more than this share of the markets that were traded at the start is not believed: it is the
# list of another address, or of a fault.
_MOST_ABSENT = 0.5


class Delistings:
    """Markets that the exchange no longer trades.

    A refusal of candles (403, 404, 451, an unknown symbol) is no delisting. It is one where the exchange's market list,
    read again, lacks the market, marks it as not traded, or has a delivery date that has passed; or, while the list
    cannot be read, where the market alone is refused for `feed.gone_bars` bars in a row.

    Args:
        exchange: source of the market list.
        settings: number of bars, attempts.
    """

    def __init__(self, exchange: Exchange, settings: FeedSettings) -> None:
        self._exchange, self._settings = exchange, settings
        self._known = frozenset(name for name, market in exchange.markets.items() if not _is_ended(market, 0))
        self._refused: Counter[str] = Counter()
        self._gone: set[str] = set()
        self._wanted: set[str] = set()
        self._refusing: set[str] = set()
        self._alone = False

    def is_gone(self, symbol: str) -> bool:
        """Whether the market was found to be delisted."""
        return symbol in self._gone

    def note(self, bar: int, length: int, newest: Mapping[str, int | None], errors: Mapping[str, QuorateError]) -> bool:
        """Note what was received of a bar; to be called once a bar, after its last request.

        Args:
            bar: its open time in ms UTC.
            length: its length in ms.
            newest: market -> open time of its newest candle; None without one.
            errors: market -> error of its last request.

        Returns:
            Whether the market list must be read, with `look`: a market is refused, or has not come for
            `feed.stale_bars`.
        """
        missing = {symbol for symbol, time in newest.items() if (time or 0) < bar}
        here = newest.keys() - missing
        self._gone -= here
        self._alone = bool(here)
        self._refusing = {symbol for symbol in missing if isinstance(errors.get(symbol), ExchangeRefusedError)}
        for symbol in newest.keys() - self._refusing if here else newest.keys():
            self._refused.pop(symbol, None)
        long = bar - self._settings.stale_bars * length
        down = {symbol for symbol in missing if isinstance(errors.get(symbol), ExchangeDownError)}
        stale = {symbol for symbol in missing - down if (newest[symbol] or bar) <= long}
        self._wanted = (self._refusing | stale) - self._gone
        return bool(self._wanted)

    async def look(self) -> None:
        """Read the market list for the markets that were noted."""
        try:
            listed = self._believed(await self._exchange.read_market_list(self._settings.attempts))
        except QuorateError:
            listed = None
        now = self._exchange.known_present().early
        for symbol in self._wanted:
            if listed is not None:
                market = listed.get(symbol)
                self._refused.pop(symbol, None)
                if market is None or _is_ended(market, now):
                    self._gone.add(symbol)
            elif symbol in self._refusing and self._alone:
                self._refused[symbol] += 1
                if self._refused[symbol] >= self._settings.gone_bars:
                    self._gone.add(symbol)

    def _believed(self, listed: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]] | None:
        """The list; None for one that cannot be that of this exchange, or that trades nothing at all."""
        absent = sum(name not in listed for name in self._known)
        now = self._exchange.known_present().early
        traded = sum(name in listed and not _is_ended(listed[name], now) for name in self._known)
        if absent > _MOST_ABSENT * len(self._known) or (not traded and len(self._known) > 1):
            return None
        return listed


def _is_ended(market: Mapping[str, Any], now: int) -> bool:
    """Whether a market is not traded, or its delivery date in ms UTC has passed."""
    delivery = market.get("expiry")
    if delivery is None:
        found = (market.get("info") or {}).get("deliveryDate")
        delivery = int(found) if isinstance(found, int) or (isinstance(found, str) and found.isdecimal()) else None
    return market.get("active") is False or (isinstance(delivery, int) and 0 < delivery <= now)
