"""Records of positions by target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from quorate.trading.account.costs import Fill
from quorate.trading.account.order import TargetOrder
from quorate.trading.account.position import Holding
from quorate.trading.account.trade import Trade
from quorate.trading.journal.records.record import Record


@dataclass(frozen=True, slots=True)
class RecordOfTarget(Record):
    """What was decided about a market by target, or came of it.

    Attributes:
        order_id: the same decision always has the same one.
        order: the target.
    """

    order_id: str
    order: TargetOrder

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.order_id}"


@dataclass(frozen=True, slots=True)
class TargetRecord(RecordOfTarget):
    """A position that is wanted after the next open. Its time is that of the decision's bar."""

    kind: ClassVar[str] = "target"


@dataclass(frozen=True, slots=True)
class IncreasedRecord(RecordOfTarget):
    """A target that opened a position or added to it at the open of the bar at `time`.

    Attributes:
        fill: of what was added.
        quantity: that was added, in base units.
        holding: figures of the position after it.
    """

    kind: ClassVar[str] = "increased"

    fill: Fill
    quantity: float
    holding: Holding


@dataclass(frozen=True, slots=True)
class ReducedRecord(RecordOfTarget):
    """A target that closed a part of a position; one that closes all of it is a `ClosedRecord`.

    Attributes:
        trade: of that part.
        exit: its closing fill.
        holding: figures of the rest.
    """

    kind: ClassVar[str] = "reduced"

    trade: Trade
    exit: Fill
    holding: Holding


@dataclass(frozen=True, slots=True)
class UnfilledRecord(RecordOfTarget):
    """A target, or the rest of its change, that was not filled.

    Attributes:
        quantity: that was not traded, in base units; negative for a sale.
        reason: one of `trading.Refusal`.
        note: reasons of the guards that stopped it.
    """

    kind: ClassVar[str] = "unfilled"

    quantity: float
    reason: str
    note: str = ""
