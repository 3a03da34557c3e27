"""How large a position is, and how much leverage it takes.

Four ways to want a size, then the same limits for all: the share of margin, free margin, the exchange's tiers, whole
lots, the least order, and a stop that is at most half the way to liquidation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import loss_at_stop
from quorate.trading.account.levels import stop_price, target_price
from quorate.trading.account.order import Order, Refusal


class Size(NamedTuple):
    """A position as planned at its entry.

    Attributes:
        quantity: base units.
        leverage: value over margin.
        margin_usd: isolated margin.
        stop, target: prices.
        liquidation_price: mark price; 0 where there is none.
    """

    quantity: float
    leverage: float
    margin_usd: float
    stop: float
    target: float
    liquidation_price: float


def kelly_fraction(probability: float, payoff: float) -> float:
    """Share of equity to put at risk so that its logarithm grows fastest: p - (1 - p) / b (Kelly 1956).

    Args:
        probability: of winning, 0 to 1.
        payoff: what a win gains over what a loss costs.

    >>> kelly_fraction(0.5, 2.0)
    0.25
    """
    return probability - (1 - probability) / payoff


def margin_share(equity_usd: float, margin_usd: float, account: AccountSettings) -> float:
    """The most margin of one more position: an even share of the equity or of the capital, whichever is less.

    What a position may take is never more than the capital has left, so all of them together keep within it.

    Args:
        equity_usd: of the whole account.
        margin_usd: of the positions that are open.
        account: the settings.

    >>> margin_share(1_000.0, 0.0, AccountSettings(positions=2, capital_usd=100.0))
    50.0
    """
    if not account.capital_usd:
        return equity_usd / account.positions
    return min(min(equity_usd, account.capital_usd) / account.positions, account.capital_usd - margin_usd)


def plan(
    order: Order,
    entry_price: float,
    equity_usd: float,
    free_usd: float,
    margin_usd: float,
    contract: Contract,
    account: AccountSettings,
    costs: CostSettings,
    exits: ExitSettings,
) -> Size | Refusal:
    """The position that this order becomes at this price, or why it becomes none.

    Where the stop would lie more than half the way to liquidation, leverage is lowered to the next whole number; at 1,
    and for spot, the stop is drawn in instead.

    Args:
        order: what was decided.
        entry_price: the fill, slippage included.
        equity_usd: of the whole account.
        free_usd: cash that is no position's margin.
        margin_usd: of the positions that are open.
        contract: the market's rules.
        account: how to size, and the limits.
        costs: of the fills.
        exits: where the stop and the target go.
    """
    if not (math.isfinite(order.atr) and order.atr > 0):
        return "no_atr"
    if equity_usd <= 0 or free_usd <= 0:
        return "no_margin"
    share_usd = margin_share(equity_usd, margin_usd, account)
    if share_usd <= 0:
        return "no_margin"
    leverage = 1.0 if contract.spot else account.leverage
    least_usd = contract.minimum_usd or account.minimum_usd
    if min(share_usd, free_usd) * leverage < least_usd:
        return "below_minimum"
    distance = exits.stop_atr * order.atr
    while True:
        stop = stop_price(entry_price, order.side, distance, contract)
        if order.side * (entry_price - stop) <= 0:
            return "stop_too_near"
        target = target_price(entry_price, order.side, distance * exits.target_ratio, contract)
        wanted = _wanted_quantity(order, entry_price, stop, target, leverage, equity_usd, account, costs)
        if isinstance(wanted, str):
            return wanted
        value, leverage = _fit(wanted * entry_price, leverage, share_usd, free_usd, contract, costs.taker_fee)
        quantity = contract.round_quantity(value / entry_price)
        if quantity <= 0 or quantity * entry_price < least_usd:
            return "below_minimum"
        margin = quantity * entry_price / leverage
        liquidation = (
            0.0 if contract.spot else contract.tiers.liquidation_price(order.side, quantity, entry_price, margin)
        )
        room = order.side * (entry_price - liquidation) / 2
        if order.side * (entry_price - stop) > room:
            if leverage > 1:
                leverage = math.ceil(leverage) - 1.0
                continue
            # The quantity stays: it now risks less than it was meant to.
            stop = stop_price(entry_price, order.side, room, contract)
            target = target_price(entry_price, order.side, room * exits.target_ratio, contract)
            if order.side * (entry_price - stop) <= 0:
                return "stop_too_near"
        return Size(quantity, leverage, margin, stop, target, liquidation)


def _wanted_quantity(
    order: Order,
    entry_price: float,
    stop: float,
    target: float,
    leverage: float,
    equity_usd: float,
    account: AccountSettings,
    costs: CostSettings,
) -> float | Refusal:
    """Base units, before any limit."""
    if account.sizing == "fixed":
        return account.stake_usd * leverage / entry_price
    if account.sizing == "atr":
        return account.risk * equity_usd / order.atr
    loss = loss_at_stop(entry_price, stop, order.side, costs)
    risk = account.risk
    if account.sizing == "half_kelly":
        if math.isnan(order.probability):
            return "no_probability"
        # A target that is hit is a stop with the sign turned round.
        gain = -loss_at_stop(entry_price, target, order.side, costs)
        if loss > 0:
            half = kelly_fraction(order.probability, gain / loss) / 2 if gain > 0 else 0.0
            risk = min(half, account.kelly_cap)
        if risk <= 0:
            return "no_edge"
    # Rebates can make even a stop profitable; then only the limits count.
    return risk * equity_usd / loss if loss > 0 else math.inf


def _fit(
    value_usd: float, leverage: float, share_usd: float, free_usd: float, contract: Contract, fee: float
) -> tuple[float, float]:
    """Value and leverage within the margin share, the free margin (the fee comes out of it too) and the tiers."""

    def limited(value: float, leverage: float) -> float:
        return min(value, share_usd * leverage, free_usd / (1 / leverage + fee))

    value_usd = limited(value_usd, leverage)
    if contract.spot:
        return value_usd, leverage
    value_usd = min(value_usd, contract.tiers.most_usd)
    while (allowed := contract.tiers.leverage(value_usd)) < leverage:
        leverage = allowed
        value_usd = limited(value_usd, leverage)
    return value_usd, leverage
