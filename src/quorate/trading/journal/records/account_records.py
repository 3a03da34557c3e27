"""Records of a session, its decisions, and what they do to the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from quorate.core.types import Abstention, Action, Forecast, Vote
from quorate.trading.account.costs import Fill
from quorate.trading.account.order import Order
from quorate.trading.account.sizing import Size
from quorate.trading.account.trade import Trade
from quorate.trading.entry_panel import PanelVote
from quorate.trading.journal.records.record import Phase, Record


class Mark(NamedTuple):
    """Valuation of an open position.

    Attributes:
        price: last price.
        funding_known, mark_known: whether complete for every bar so far.
    """

    price: float
    funding_known: bool
    mark_known: bool


@dataclass(frozen=True, slots=True)
class StartedRecord(Record):
    """A session started or resumed.

    Attributes:
        at: wall clock in ms.
        mode: live candles, or a replay of stored ones.
        bundle_id: content address of the bundle that decides.
        settings_hash: digest of the settings.
        strategy: part of every order's id.
        settings: `AccountConfig.to_json`.
        synthetic: whether the candles are synthetic.
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
class PanelRecord(Record):
    """What a panel of language models left of an entry; the fields are those of `PanelVote`."""

    kind: ClassVar[str] = "panel"

    symbol: str
    strength: str
    agreement: float
    combined: float
    multiplier: float
    share: float
    direction: Action | None = None
    confidence: float = 0.0
    contaminated: bool = False
    view: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"panel:{self.symbol}:{self.time}"

    @property
    def vote(self) -> PanelVote:
        """What was judged, as the account saw it."""
        return PanelVote(*(getattr(self, name) for name in PanelVote._fields))


@dataclass(frozen=True, slots=True)
class IntentRecord(Record):
    """An order for the next open. Its time is that of the decision's bar.

    Attributes:
        note: why it has less than the ordinary stake.
    """

    kind: ClassVar[str] = "intent"

    order_id: str
    order: Order
    note: str = ""

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def key(self) -> str:
        return f"intent:{self.order_id}"


@dataclass(frozen=True, slots=True)
class RefusedRecord(Record):
    """An order that was refused.

    Attributes:
        reason: one of `trading.Refusal`.
        note: reasons of the guards that stopped it.
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
    """An order that was filled at the open of the bar at `time`, and opened a position.

    Attributes:
        size: quantity, leverage, margin, stop, target and liquidation price at the entry.
        entry: the opening fill.
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
        phase: open, before any fill of the bar, or close, inside the bar.
        number: of the settlement within the bar and phase, from 0.
        rate: fraction of the position's value; longs pay a positive rate.
        price: mark price at the settlement.
        cash_usd: received; negative when paid.
        liquidation_price: of the position from then on; None in journals of earlier versions.
    """

    kind: ClassVar[str] = "settled"

    symbol: str
    phase: Phase
    number: int
    rate: float
    price: float
    cash_usd: float
    liquidation_price: float | None = None

    @property
    def key(self) -> str:
        return f"settled:{self.symbol}:{self.time}:{self.phase}:{self.number}"


@dataclass(frozen=True, slots=True)
class MovedRecord(Record):
    """A trailing stop that was moved at the bar's close."""

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
        exit: the closing fill; the trade's sums alone do not give it back to the last bit.
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
    """Valuation of the account after a step; a step with this record is complete.

    Attributes:
        phase: after the open of the bar at `time`, or after its close.
        equity_usd: cash plus the unrealised profit of open positions.
        cash_usd: deposits and realised results.
        marks: symbol -> valuation of each open position.
        valid: number of members that voted on the bars at `time`; None without decisions.
        heard: number of the newest `HumanRecord` that was applied or refused; 0 for none.
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
