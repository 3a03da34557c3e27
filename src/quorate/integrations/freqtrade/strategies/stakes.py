"""Stake of one trade: as configured, by confidence, or by the loss at its stop."""

from __future__ import annotations

from quorate.integrations.freqtrade.strategy_options import StrategyOptions
from quorate.trading.account.costs import loss_at_stop


def stake(
    options: StrategyOptions,
    *,
    proposed: float,
    confidence: float,
    atr: float,
    price: float,
    side: int,
    leverage: float,
    equity: float,
) -> float:
    """Compute the stake of one trade, in the stake currency; Freqtrade applies its own limits to it.

    Args:
        options: the setting `stake` selects the method.
        proposed: stake that Freqtrade proposes.
        confidence: of the decision, 0 to 1.
        atr: ATR(14) in price units.
        price: of the entry.
        side: 1 long, -1 short.
        leverage: of the trade.
        equity: of the account, in the stake currency.

    Returns:
        With `confidence`, that share of the proposed stake. With `risk`, the margin at which the stop loses the
        fraction `account.risk` of equity, fees and slippage included; at most equity / `account.positions`. With
        `config`, and without an ATR, the proposed stake.
    """
    if options.freqtrade.stake == "confidence":
        return proposed * min(1.0, max(0.0, confidence))
    if options.freqtrade.stake == "risk" and atr > 0:
        account, settings = options.settings.account, options.settings
        stop = price - side * settings.exits.stop_atr * atr
        loss = loss_at_stop(price, stop, side, settings.costs)
        share = equity / account.positions
        return share if loss <= 0 else min(account.risk * equity / loss * price / leverage, share)
    return proposed
