"""Position sizing: quantity, leverage, margin and levels of an entry.

Four sizing methods, then the same limits for all: the share of margin, free margin, the exchange's tiers, whole lots,
the minimum order, and a stop at most half way to liquidation. The order's stake factor applies to what then results.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import DecidedBy
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import loss_at_stop, new_tuple
from quorate.trading.account.levels import stop_price, target_price
from quorate.trading.account.order import Order, Refusal


class Size(NamedTuple):
    """Size and levels of a position at its entry.

    Attributes:
        quantity: base units.
        leverage: value divided by margin.
        margin_usd: isolated margin.
        stop, target: prices; NaN for a position by target.
        liquidation_price: mark price; 0 without liquidation.
    """

    quantity: float
    leverage: float
    margin_usd: float
    stop: float
    target: float
    liquidation_price: float


class Funds(NamedTuple):
    """What an account has for a new position.

    Attributes:
        equity_usd: of the whole account.
        free_usd: cash that is not margin of a position.
        margin_usd: margin of the open positions.
    """

    equity_usd: float
    free_usd: float
    margin_usd: float


def sizing_for(policy: DecidedBy, account: AccountSettings) -> AccountSettings:
    """Account settings for decisions of a policy.

    Decisions of the calibrated policy are made by probabilities and sized by them: half Kelly. All others keep the
    configured sizing.

    Args:
        policy: that decides (`DecisionFrame.policy`, `Signal.policy`).
        account: as configured.

    >>> sizing_for("calibrated", AccountSettings()).sizing, sizing_for("classic", AccountSettings()).sizing
    ('half_kelly', 'risk')
    """
    return replace(account, sizing="half_kelly") if policy == "calibrated" else account


def kelly_fraction(probability: float, payoff: float) -> float:
    """Share of equity at risk that maximises the expected growth of its logarithm: p - (1 - p) / b (Kelly 1956).

    Args:
        probability: of winning, 0 to 1.
        payoff: gain of a win divided by the cost of a loss.

    >>> kelly_fraction(0.5, 2.0)
    0.25
    """
    return probability - (1 - probability) / payoff


def margin_share(equity_usd: float, margin_usd: float, account: AccountSettings) -> float:
    """Maximum margin of one more position: an equal share of the equity or of the capital, whichever is less.

    It never exceeds the rest of the capital, so the margins of all positions together stay within it.

    Args:
        equity_usd: of the whole account.
        margin_usd: margin of the open positions.
        account: settings.

    >>> margin_share(1_000.0, 0.0, AccountSettings(positions=2, capital_usd=100.0))
    50.0
    """
    if not account.capital_usd:
        return equity_usd / account.positions
    return min(min(equity_usd, account.capital_usd) / account.positions, account.capital_usd - margin_usd)


def plan(
    order: Order,
    entry_price: float,
    funds: tuple[float, float, float],
    contract: Contract,
    account: AccountSettings,
    costs: CostSettings,
    exits: ExitSettings,
) -> Size | Refusal:
    """Size of the position that an order opens at a price, or the reason to refuse it.

    A stop more than half way to liquidation lowers the leverage to the next whole number; at leverage 1, and for spot,
    it moves the stop nearer instead.

    Args:
        order: the entry.
        entry_price: fill price, slippage included.
        funds: of the account, as in `Funds`.
        contract: the market's rules.
        account: sizing method and limits.
        costs: of the fills.
        exits: distances of stop and target.
    """
    side, atr = order.side, order.atr
    if not (math.isfinite(atr) and atr > 0):
        return "no_atr"
    equity_usd, free_usd, margin_usd = funds
    if equity_usd <= 0 or free_usd <= 0:
        return "no_margin"
    share_usd = margin_share(equity_usd, margin_usd, account) if account.capital_usd else equity_usd / account.positions
    if share_usd <= 0:
        return "no_margin"
    spot, tick = contract.spot, contract.tick
    leverage = 1.0 if spot else account.leverage
    least_usd = contract.minimum_usd or account.minimum_usd
    if (share_usd if share_usd < free_usd else free_usd) * leverage < least_usd:
        return "below_minimum"
    distance = exits.stop_atr * atr
    reward = distance * exits.target_ratio
    while True:
        # Where the tick is unknown, levels are not rounded.
        stop = stop_price(entry_price, side, distance, contract) if tick else entry_price - side * distance
        if side * (entry_price - stop) <= 0:
            return "stop_too_near"
        target = target_price(entry_price, side, reward, contract) if tick else entry_price + side * reward
        wanted = _wanted_quantity(order, entry_price, stop, target, leverage, equity_usd, account, costs)
        if isinstance(wanted, str):
            return wanted
        value, leverage = _fit(wanted * entry_price, leverage, share_usd, free_usd, contract, costs.taker_fee)
        quantity = value / entry_price
        if contract.lot:
            quantity = contract.round_quantity(quantity)
        if quantity <= 0 or quantity < contract.minimum_amount or quantity * entry_price < least_usd:
            return "below_minimum"
        margin = quantity * entry_price / leverage
        liquidation = 0.0 if spot else contract.tiers.liquidation_price(side, quantity, entry_price, margin)
        room = side * (entry_price - liquidation) / 2
        if side * (entry_price - stop) > room:
            if leverage > 1:
                leverage = math.ceil(leverage) - 1.0
                continue
            # The quantity stays, so the position risks less than configured.
            stop = stop_price(entry_price, side, room, contract)
            target = target_price(entry_price, side, room * exits.target_ratio, contract)
            if side * (entry_price - stop) <= 0:
                return "stop_too_near"
        ordinary: Size = new_tuple(Size, (quantity, leverage, margin, stop, target, liquidation))
        return ordinary if order.stake_factor == 1 else _shrunk(ordinary, order, entry_price, contract, least_usd)


def _shrunk(ordinary: Size, order: Order, entry_price: float, contract: Contract, least_usd: float) -> Size | Refusal:
    """A share of the ordinary size at its leverage and levels.

    Shrinking what was wanted instead would change nothing where a limit decides, and a lower value may be allowed a
    higher leverage, with which it could exceed the ordinary one.
    """
    quantity = ordinary.quantity * order.stake_factor
    if contract.lot:
        quantity = contract.round_quantity(quantity)
    if quantity <= 0 or quantity < contract.minimum_amount or quantity * entry_price < least_usd:
        return "below_minimum"
    margin = quantity * entry_price / ordinary.leverage
    liquidation = ordinary.liquidation_price
    if liquidation:
        liquidation = contract.tiers.liquidation_price(order.side, quantity, entry_price, margin)
    return ordinary._replace(quantity=quantity, margin_usd=margin, liquidation_price=liquidation)


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
    sizing = account.sizing
    if sizing == "fixed":
        return account.stake_usd * leverage / entry_price
    if sizing == "atr":
        return account.risk * equity_usd / order.atr
    loss = loss_at_stop(entry_price, stop, order.side, costs)
    risk = account.risk
    if sizing == "half_kelly":
        if math.isnan(order.probability):
            return "no_probability"
        # The gain at the target is the loss at a stop there, with the sign reversed.
        gain = -loss_at_stop(entry_price, target, order.side, costs)
        if loss > 0:
            half = kelly_fraction(order.probability, gain / loss) / 2 if gain > 0 else 0.0
            risk = min(half, account.kelly_cap)
        if risk <= 0:
            return "no_edge"
    # With rebates even a stop can be profitable; then only the limits apply.
    return risk * equity_usd / loss if loss > 0 else math.inf


def _fit(
    value_usd: float, leverage: float, share_usd: float, free_usd: float, contract: Contract, fee: float
) -> tuple[float, float]:
    """Value and leverage within the margin share, the free margin (which pays the fee too) and the tiers."""
    most_usd = contract.tiers.most_usd
    while True:
        limit_usd = share_usd * leverage
        if limit_usd < value_usd:
            value_usd = limit_usd
        limit_usd = free_usd / (1 / leverage + fee)
        if limit_usd < value_usd:
            value_usd = limit_usd
        if contract.spot:
            return value_usd, leverage
        if most_usd < value_usd:
            value_usd = most_usd
        allowed = contract.tiers.leverage(value_usd)
        if allowed >= leverage:
            return value_usd, leverage
        leverage = allowed
