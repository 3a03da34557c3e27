"""Events that guards watch. Every feeder (engine, recovery, Freqtrade) passes them to `Guards.on`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from quorate.core.types import Action
from quorate.trading.account.trade import Trade


@dataclass(frozen=True, slots=True)
class GuardEvent:
    """Base of all events.

    Attributes:
        time: of the event in ms.
    """

    time: int

    @property
    def market(self) -> str | None:
        """Symbol of the only market concerned; None for the whole account."""
        return None


@dataclass(frozen=True, slots=True)
class TradeClosed(GuardEvent):
    """A position was closed, at the trade's `exit_time`. Trades of one bar come in the order in which they were closed.

    Attributes:
        trade: the closed position.
    """

    trade: Trade

    @classmethod
    def of(cls, trade: Trade) -> TradeClosed:
        """The event of a trade."""
        return cls(trade.exit_time, trade)

    @property
    def market(self) -> str:
        return self.trade.symbol


@dataclass(frozen=True, slots=True)
class AccountValued(GuardEvent):
    """The account was valued at the open or close of a bar.

    Attributes:
        equity_usd: open positions at their marks, costs paid so far included; not finite where unknown.
    """

    equity_usd: float


@dataclass(frozen=True, slots=True)
class ExposureMeasured(GuardEvent):
    """The positions by target of the account were measured after the open or close of a bar.

    Attributes:
        gross: values of all positions divided by the equity; infinite where there is none of it.
    """

    gross: float


@dataclass(frozen=True, slots=True)
class MembersCounted(GuardEvent):
    """The valid members at a bar were counted; see `valid_members`.

    Attributes:
        valid: number of members, 0 or more.
    """

    valid: int


@dataclass(frozen=True, slots=True)
class SignalDecided(GuardEvent):
    """A BUY or SELL was decided.

    Attributes:
        base: weighted mean score before the boost, 0 to 1.
    """

    base: float


@dataclass(frozen=True, slots=True)
class VolatilityMeasured(GuardEvent):
    """The volatility of a market was measured on a closed bar.

    Attributes:
        symbol: the market.
        volatility: volatility_20 as a fraction; not finite where unknown.
    """

    symbol: str
    volatility: float

    @property
    def market(self) -> str:
        return self.symbol


@dataclass(frozen=True, slots=True)
class ClocksCompared(GuardEvent):
    """The local clock was compared with the exchange's.

    Attributes:
        skew_ms: exchange time minus local time; None where unknown.
        close: whether the difference allows entries, by the settings of the feed.
    """

    skew_ms: int | None
    close: bool


@dataclass(frozen=True, slots=True)
class FeedChecked(GuardEvent):
    """The freshness of the feed was checked at a bar.

    Attributes:
        stale: no candles for longer than the feed's settings allow.
        symbol: the market; None for the whole feed.
    """

    stale: bool
    symbol: str | None = None

    @property
    def market(self) -> str | None:
        return self.symbol


def decision_events(time: int, symbol: str, action: Action, base: float, volatility: float) -> Iterator[GuardEvent]:
    """The events of a decision on one closed bar.

    Args:
        time: open time of the bar in ms.
        symbol: the market.
        action: the decision.
        base: weighted mean score before the boost.
        volatility: volatility_20 as a fraction; NaN where unknown.
    """
    yield VolatilityMeasured(time, symbol, volatility)
    if action != Action.HOLD:
        yield SignalDecided(time, base)


def valuation_events(
    time: int, equity_usd: float, valid: int | None, gross: float | None = None
) -> Iterator[GuardEvent]:
    """The events of a valuation of the account.

    Args:
        time: open time of the bar in ms.
        equity_usd: not finite where unknown.
        valid: number of valid members; None where nothing was decided.
        gross: of positions by target as a multiple of the equity; None where it is not measured.
    """
    yield AccountValued(time, equity_usd)
    if gross is not None:
        yield ExposureMeasured(time, gross)
    if valid is not None:
        yield MembersCounted(time, valid)
