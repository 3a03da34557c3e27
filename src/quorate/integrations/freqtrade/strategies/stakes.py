"""How much one trade stakes: as configured, by its confidence, or by what its stop would lose."""

from __future__ import annotations

from quorate.integrations.freqtrade.strategy_options import Options
from quorate.trading.account.costs import loss_at_stop


def stake(
    options: Options,
    *,
    proposed: float,
    confidence: float,
    atr: float,
    price: float,
    side: int,
    leverage: float,
    equity: float,
) -> float:
    """The stake of one trade, in the stake's currency; Freqtrade keeps it within its own limits.

    Args:
        options: whose setting `stake` chooses the way.
        proposed: Freqtrade's own.
        confidence: of the decision, 0 to 1.
        atr: ATR(14) in price units.
        price: of the entry.
        side: 1 long, -1 short.
        leverage: of the trade.
        equity: the account's, in the stake's currency.

    Returns:
        `confidence`: that share of the proposed stake. `risk`: the margin at which the stop loses the share
        `account.risk` of equity, fees and slippage included, and at most an equal part of equity for each position.
    """
    if options.own.stake == "confidence":
        return proposed * min(1.0, max(0.0, confidence))
    if options.own.stake == "risk" and atr > 0:
        account, settings = options.settings.account, options.settings
        stop = price - side * settings.exits.stop_atr * atr
        loss = loss_at_stop(price, stop, side, settings.costs)
        share = equity / account.positions
        return share if loss <= 0 else min(account.risk * equity / loss * price / leverage, share)
    return proposed
