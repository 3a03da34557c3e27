"""What a book needs of Freqtrade's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quorate.book.bundle import Book
from quorate.core.errors import FreqtradeError
from quorate.integrations.freqtrade.book.book_markets import TIMEFRAME
from quorate.integrations.freqtrade.book.known_weights import lookback_bars


def require_configuration(strategy: Any, *, spot: bool) -> None:
    """Check the settings of Freqtrade without which the targets of a book cannot be followed.

    Args:
        strategy: with Freqtrade's configuration applied to it.
        spot: whether it trades spot markets.

    Raises:
        FreqtradeError: the first of them that is wrong.
    """
    if spot:
        _refuse("spot markets", "perpetuals", 'Set "trading_mode": "futures" and "margin_mode": "cross" or "isolated".')
    if strategy.timeframe != TIMEFRAME:
        _refuse(f"the timeframe {strategy.timeframe}", TIMEFRAME, f'Set "timeframe": "{TIMEFRAME}".')
    if not strategy.position_adjustment_enable:
        _refuse(
            '"position_adjustment_enable": false',
            "true: positions are added to and reduced",
            "Remove it from the configuration.",
        )
    if strategy.max_entry_position_adjustment != -1:
        _refuse(
            f'"max_entry_position_adjustment": {strategy.max_entry_position_adjustment}',
            "-1: positions are added to day by day",
            "Remove it from the configuration.",
        )
    if not strategy.use_exit_signal or strategy.exit_profit_only:
        _refuse(
            '"use_exit_signal": false or "exit_profit_only": true',
            "exits where a target ends",
            "Remove them from the configuration.",
        )


def require_pairs(strategy: Any, book: Book, pairs: Sequence[str], currency: str, *, live: bool) -> tuple[str, ...]:
    """The pairs of the whitelist that the book knows. The others are left alone.

    Args:
        strategy: with Freqtrade's configuration applied to it.
        book: that decides.
        pairs: the whitelist.
        currency: of stakes.
        live: whether the bot trades dry or live, with start-up candles from the exchange.

    Raises:
        FreqtradeError: none of them, too few open trades or start-up candles, or another stake currency.
    """
    known = tuple(pair for pair in sorted(pairs) if pair in book.manifest.symbols)
    if not known:
        _refuse(
            f"no pair of the book {book.manifest.id} in a whitelist of {len(pairs)}",
            f"{', '.join(book.manifest.symbols[:3])} ...",
            "Name the book's markets in exchange.pair_whitelist; `quorate freqtrade init --bundle BOOK` writes them.",
        )
    other = sorted({pair.partition(":")[2] for pair in known} - {currency})
    if other:
        _refuse(f"pairs settled in {', '.join(other)} and stakes in {currency}", "one currency", "Set stake_currency.")
    if 0 <= strategy.max_open_trades < len(known):
        _refuse(
            f'"max_open_trades": {strategy.max_open_trades:g} with {len(known)} pairs',
            "-1: every pair may be held",
            'Set "max_open_trades": -1 and a small "stake_amount", which is only the size that Freqtrade proposes.',
        )
    needed = lookback_bars(book)
    if live and strategy.startup_candle_count < needed:
        _refuse(
            f"{strategy.startup_candle_count} start-up candles",
            f"{needed} for the book {book.manifest.id}",
            f"Set startup_candle_count = {needed} in the strategy's file.",
        )
    return known


def _refuse(found: str, expected: str, remedy: str) -> None:
    raise FreqtradeError("follow a book in Freqtrade", found=found, expected=expected, remedy=remedy)
