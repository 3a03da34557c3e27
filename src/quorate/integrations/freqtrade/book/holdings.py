"""What Freqtrade's open trades hold, and what the account is worth with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def held_quantities(trades: Iterable[Any]) -> dict[str, float]:
    """Pair -> signed quantity in base units of open trades."""
    held: dict[str, float] = {}
    for trade in trades:
        held[trade.pair] = held.get(trade.pair, 0.0) + (-1 if trade.is_short else 1) * float(trade.amount)
    return held


def account_equity(
    wallets: Any, config: Mapping[str, Any], trades: Iterable[Any], closes: Mapping[str, float], *, live: bool
) -> float:
    """What may be traded with: Freqtrade's balance with the positions at the last closes, in the stake currency.

    `available_capital` and `tradable_balance_ratio` limit it, as they limit Freqtrade's own stakes.

    Args:
        wallets: Freqtrade's.
        config: Freqtrade's configuration.
        trades: all open ones.
        closes: pair -> its last close; a position without one counts at its entry price.
        live: a balance of an exchange, from which fees and funding of open trades are gone already.
    """
    gained = sum(_unrealised(trade, closes.get(trade.pair), live=live) for trade in trades)
    share = 1.0 if "available_capital" in config else float(config.get("tradable_balance_ratio", 1.0))
    return float(wallets.get_total_stake_amount()) + share * gained


def _unrealised(trade: Any, close: float | None, *, live: bool) -> float:
    """Gain of an open trade at a close that Freqtrade's balance does not have yet."""
    # Freqtrade rounds the average price of several entries to a tick; their sum is exact.
    value = float(trade.stake_amount) * float(trade.leverage or 1.0)
    moved = 0.0 if close is None else float(trade.amount) * close - value
    gain = -moved if trade.is_short else moved
    if live:
        return gain
    # The balance has a trade's fees and funding from the exit that realises them on.
    return gain - value * float(trade.fee_open or 0.0) + _open_funding(trade)


def _open_funding(trade: Any) -> float:
    """Funding of a trade since its last exit; that before it was realised with it."""
    realised = 0.0
    paid = 0.0
    for order in trade.orders:
        if order.ft_is_open or not order.filled:
            continue
        paid += float(order.funding_fee or 0.0)
        if order.ft_order_side == trade.exit_side:
            realised = paid
    return float(trade.funding_fees or 0.0) - realised
