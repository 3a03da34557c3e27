"""Cross margin: the whole equity backs every position by target, and all of them are liquidated together.

Binance's rule: the account is liquidated where its equity at mark prices does not exceed the sum of its positions'
maintenance margins (https://www.binance.com/en/support/faq/detail/b3c689c1f50a44cabb3a84e663b81d93). The exchange
bears what is lost beyond the equity; trades show it as a negative fee, so that they still add up to the cash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill
from quorate.trading.account.position import Position

#: Symbol -> mark price; None where there is none at this time.
MarkOf = Callable[[str], float | None]


#: A position and the price at which it is judged.
Marked = tuple[Position, float]


def marked_positions(positions: Iterable[Position], mark_of: MarkOf) -> list[Marked]:
    """The positions at their mark prices; at their last valuations where there is none."""
    found = []
    for position in positions:
        price = mark_of(position.order.symbol)
        found.append((position, position.mark if price is None else price))
    return found


def worth(cash_usd: float, marked: Iterable[Marked]) -> float:
    """Cash and profits; negative where more is lost than there was."""
    for position, price in marked:
        cash_usd += position.order.side * position.size.quantity * (price - position.entry.price)
    return cash_usd


def exhausted(worth_usd: float, marked: Sequence[Marked], contract_of: Callable[[str], Contract]) -> bool:
    """Whether what an account is worth does not exceed the maintenance margins of its positions."""
    gross = 0.0
    for position, price in marked:
        gross += position.size.quantity * price
    # A maintenance margin is less than the value, which nearly always settles it.
    if worth_usd > gross:
        return False
    needed = 0.0
    for position, price in marked:
        needed += contract_of(position.order.symbol).tiers.maintenance(position.size.quantity * price)
    return worth_usd <= needed


def liquidation_fills(worth_usd: float, marked: Sequence[Marked], rate: float) -> list[Fill]:
    """Fills that close all positions at their prices, with fees that leave the account no less than 0.

    Where the account is worth less than the fees, they share what there is in proportion to their values: less than
    nothing, where the exchange bears a loss.

    Args:
        worth_usd: of the account at these prices.
        marked: all of its positions.
        rate: of the fee, as a fraction of the value.
    """
    values = [position.size.quantity * price for position, price in marked]
    gross = sum(values)
    if worth_usd >= gross * rate:
        fees = [value * rate for value in values]
    else:
        fees = [worth_usd * value / gross for value in values]
    return [Fill(price, price, fee, 0.0) for (_, price), fee in zip(marked, fees, strict=True)]


def within(worth_usd: float, part: Position, fill: Fill) -> Fill:
    """An exit fill that leaves the account no less than 0: its fee is lowered by what would be lacking.

    Args:
        worth_usd: of the account at its last valuations.
        part: what is closed.
        fill: at which it is closed.
    """
    left = worth_usd + part.side * part.size.quantity * (fill.price - part.mark) - fill.fee_usd
    return fill if left >= 0 else fill._replace(fee_usd=fill.fee_usd + left)


def refuse_cross(settings: AccountSettings, attempted: str) -> None:
    """Refuse entries with stops in an account on cross margin.

    Raises:
        TradingError: on cross margin.
    """
    if settings.margin == "cross":
        raise TradingError(
            attempted,
            found="an account on cross margin",
            expected="isolated margin for entries with a stop, whose distance to the liquidation it limits",
            remedy='Set account.margin = "isolated". Books of target weights use cross margin by themselves.',
        )


def require_perpetual(contract: Contract) -> None:
    """Refuse spot in an account on cross margin.

    Raises:
        TradingError: a spot market.
    """
    if contract.spot:
        raise TradingError(
            f"trade {contract.symbol} on cross margin",
            found="a spot market",
            expected="a perpetual",
            remedy='Set account.margin = "isolated".',
        )
