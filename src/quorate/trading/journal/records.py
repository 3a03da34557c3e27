"""What a trading session writes down: one frozen record for each thing that happened.

A record is written before it takes effect. Its key is unique in its account, so nothing can be written twice; `time` is
the bar it belongs to. Rebuilding an account is reading its records in order and doing again what they say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from quorate.core.types import Abstention, Action, Forecast, Vote
from quorate.trading.account.costs import Fill
from quorate.trading.account.order import Order
from quorate.trading.account.position import Trade
from quorate.trading.account.sizing import Size

Phase = Literal["open", "close"]
GuardMode = Literal["ACTIVE", "REDUCING", "HALTED"]


class Mark(NamedTuple):
    """How an open position was valued.

    Attributes:
        price: last price.
        funding_known, mark_known: for every bar so far.
    """

    price: float
    funding_known: bool
    mark_known: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Base of all records.

    Attributes:
        time: open time in ms of the bar that the record belongs to; of `StartedRecord` and
            `HumanRecord`, that of the newest bar.
    """

    kind: ClassVar[str]

    time: int

    @property
    def key(self) -> str:
        """What no other record of the account is called."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class StartedRecord(Record):
    """A session began or went on.

    Attributes:
        at: wall clock in ms.
        mode: live candles, or stored ones played again.
        bundle_id: content address of the bundle that decides.
        settings_hash: of the settings.
        settings: the settings in force, as JSON has them.
        synthetic: the candles are made up.
    """

    kind: ClassVar[str] = "started"

    at: int
    mode: Literal["live", "replay"]
    bundle_id: str
    settings_hash: str
    strategy: str
    timeframe: str
    symbols: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False

    @property
    def key(self) -> str:
        return f"started:{self.at}"


@dataclass(frozen=True, slots=True)
class DecidedRecord(Record):
    """The ensemble's decision on one closed bar; the fields are `Signal`'s."""

    kind: ClassVar[str] = "decided"

    symbol: str
    action: Action
    confidence: float
    base: float
    consensus: str
    rule: str
    line: str
    volatility: float | None
    mode: Literal["full", "partial", "none"]
    votes: tuple[Vote, ...] = ()
    abstentions: tuple[Abstention, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    probabilities: tuple[float, float, float] | None = None

    @property
    def key(self) -> str:
        return f"decided:{self.symbol}:{self.time}"


@dataclass(frozen=True, slots=True)
class IntentRecord(Record):
    """An entry that will be tried at the next open. Its time is that of the decision's bar."""

    kind: ClassVar[str] = "intent"

    order_id: str
    order: Order

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def key(self) -> str:
        return f"intent:{self.order_id}"


@dataclass(frozen=True, slots=True)
class RefusedRecord(Record):
    """An order that came to nothing.

    Attributes:
        reason: one of `trading.Refusal`, or a guard's.
    """

    kind: ClassVar[str] = "refused"

    symbol: str
    order_id: str
    reason: str
    note: str = ""

    @property
    def key(self) -> str:
        return f"refused:{self.order_id}"


@dataclass(frozen=True, slots=True)
class FilledRecord(Record):
    """An entry that was filled at the open of the bar at `time`: the position as it began.

    Attributes:
        size: quantity, leverage, margin, stop, target and liquidation price at the entry.
        entry: the fill.
    """

    kind: ClassVar[str] = "filled"

    symbol: str
    order_id: str
    order: Order
    size: Size
    entry: Fill

    @property
    def key(self) -> str:
        return f"filled:{self.order_id}"


@dataclass(frozen=True, slots=True)
class SettledRecord(Record):
    """Funding paid or received for an open position.

    Attributes:
        phase: at the open, before any fill of the bar, or inside the bar.
        number: of the settlement within the bar and phase, from 0.
        rate: fraction of the position's value; a long pays a positive rate.
        price: mark price at the settlement.
        cash_usd: received; negative when paid.
    """

    kind: ClassVar[str] = "settled"

    symbol: str
    phase: Phase
    number: int
    rate: float
    price: float
    cash_usd: float

    @property
    def key(self) -> str:
        return f"settled:{self.symbol}:{self.time}:{self.phase}:{self.number}"


@dataclass(frozen=True, slots=True)
class MovedRecord(Record):
    """A trailing stop that followed the price, at the bar's close."""

    kind: ClassVar[str] = "moved"

    symbol: str
    stop: float

    @property
    def key(self) -> str:
        return f"moved:{self.symbol}:{self.time}"


@dataclass(frozen=True, slots=True)
class ClosedRecord(Record):
    """A position that was closed.

    Attributes:
        exit: the fill that closed it: the trade's sums cannot be taken apart again to the last bit.
    """

    kind: ClassVar[str] = "closed"

    order_id: str
    trade: Trade
    exit: Fill

    @property
    def symbol(self) -> str:
        return self.trade.symbol

    @property
    def key(self) -> str:
        return f"closed:{self.order_id}"


@dataclass(frozen=True, slots=True)
class ValuedRecord(Record):
    """The account after a step; a step that has this record is complete.

    Attributes:
        phase: after the open of the bar at `time`, or after its close.
        equity_usd: cash and what open positions are worth above their entries.
        cash_usd: deposits and everything realised.
        marks: symbol -> how each open position was valued.
        valid: members that voted on the bars at `time`; None where nothing was decided.
        heard: number of the newest `HumanRecord` record that had been listened to; 0 for none.
    """

    kind: ClassVar[str] = "valued"

    phase: Phase
    equity_usd: float
    cash_usd: float
    marks: Mapping[str, Mark] = field(default_factory=dict)
    valid: int | None = None
    heard: int = 0

    @property
    def key(self) -> str:
        return f"valued:{self.time}:{self.phase}"


@dataclass(frozen=True, slots=True)
class GuardMovedRecord(Record):
    """A guard changed what may be done.

    Attributes:
        guard: its name.
        symbol: the only market concerned; None for all.
        number: of the move within the bar, from 0.
        until: ms from which it may end by itself; None for when a human or an event ends it.
    """

    kind: ClassVar[str] = "guard"

    guard: str
    symbol: str | None
    number: int
    before: GuardMode
    after: GuardMode
    reason: str
    until: int | None = None

    @property
    def key(self) -> str:
        return f"guard:{self.guard}:{self.symbol or ''}:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class LadderMovedRecord(Record):
    """The account's step on the ladder changed, steps counted from 1."""

    kind: ClassVar[str] = "ladder"

    number: int
    before: int
    after: int
    reason: str

    @property
    def key(self) -> str:
        return f"ladder:{self.time}:{self.number}"


@dataclass(frozen=True, slots=True)
class HumanRecord(Record):
    """What a person asked for.

    Attributes:
        at: wall clock in ms.
        guard: to re-arm; empty for all, and for a promotion.
        who: the person.
    """

    kind: ClassVar[str] = "human"

    at: int
    action: Literal["rearm", "promote"]
    guard: str
    who: str
    note: str = ""

    @property
    def key(self) -> str:
        return f"human:{self.action}:{self.guard}:{self.at}"


@dataclass(frozen=True, slots=True)
class FeedRecord(Record):
    """Something about the candles: what a feed takes notice of.

    Attributes:
        symbol: the market; None for the whole feed.
        number: of the notice within the bar, from 0.
    """

    kind: ClassVar[str] = "feed"

    notice: str
    symbol: str | None
    number: int
    detail: str = ""

    @property
    def key(self) -> str:
        return f"feed:{self.notice}:{self.symbol or ''}:{self.time}:{self.number}"


RECORDS: dict[str, type[Record]] = {
    record.kind: record
    for record in (
        *(
            StartedRecord,
            DecidedRecord,
            IntentRecord,
            RefusedRecord,
            FilledRecord,
            SettledRecord,
            MovedRecord,
            ClosedRecord,
            ValuedRecord,
        ),
        *(GuardMovedRecord, LadderMovedRecord, HumanRecord, FeedRecord),
    )
}

# Fields that may be NaN, where the type itself cannot say so; the journal stores null.
NAN_FIELDS: dict[type, frozenset[str]] = {Order: frozenset({"atr", "probability"})}

# Most of what a journal weighs, and not needed to rebuild an account: a read without detail leaves out these.
DETAIL_FIELDS: dict[type[Record], tuple[str, ...]] = {
    DecidedRecord: ("votes", "abstentions", "forecasts", "probabilities"),
}
