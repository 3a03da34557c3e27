"""Checks of a journal's figures at recovery: everything that follows from earlier records is computed again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from quorate.core.clock import format_ms
from quorate.core.errors import JournalError
from quorate.core.settings import CostSettings, ExitSettings
from quorate.core.types import Action
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, taker_fill
from quorate.trading.account.order import Order
from quorate.trading.account.position import Holding, Position
from quorate.trading.account.rebalancing.adjustment import Addition, increased
from quorate.trading.account.sizing import Size
from quorate.trading.account.trade import Trade
from quorate.trading.engine import TradingEngine
from quorate.trading.journal import records
from quorate.trading.sizing.policy import SHARES

_Figures = Size | Fill | Holding | Trade
_OfTarget = records.UnfilledRecord | records.IncreasedRecord | records.ReducedRecord

# Of a limited exit, the price before the limit is not recorded: its figures agree within float error only.
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class RecordChecks:
    """Checks of records against the account before them.

    Attributes:
        engine: with the account as of the records so far.
        costs, exits: of the session that wrote the records.
        decided: symbol -> its newest decision.
        sized: whether the session that wrote the records had a sizing overlay.
        judged: symbol -> newest judgement of the panel; None where that session had no panel.
    """

    engine: TradingEngine
    costs: CostSettings
    exits: ExitSettings
    decided: dict[str, records.DecidedRecord]
    sized: bool = False
    judged: dict[str, records.PanelRecord] | None = None

    @classmethod
    def of(cls, engine: TradingEngine) -> RecordChecks:
        """Checks under the engine's own settings, until a session starts."""
        return cls(engine, engine.account.costs, engine.account.exits, {})

    def started(self, seq: int, record: records.StartedRecord) -> RecordChecks:
        """Checks under the settings of this session."""
        costs, exits = record.settings.get("costs"), record.settings.get("exits")
        known = replace(self, sized="overlay" in record.settings, judged={} if "panel" in record.settings else None)
        if costs is None or exits is None:
            return known
        try:
            return replace(known, costs=CostSettings(**costs), exits=ExitSettings(**exits))
        except TypeError as error:
            raise JournalError(
                "read the settings of a session",
                found=f"{error}, in record {seq}",
                expected="the settings of this version",
                remedy="The journal was written by another version of Quorate: read it with that one.",
            ) from error

    def check(self, seq: int, record: records.Record) -> None:
        """Compare a record with what follows from those before it.

        Raises:
            JournalError: a figure differs; record, figure, found and expected value are named.
        """
        match record:
            case records.DecidedRecord():
                self.decided[record.symbol] = record
            case records.PanelRecord():
                if self.judged is None:
                    _refuse(seq, record, "symbol", record.symbol, "no judgement in a session without a panel")
                if not 0 <= record.share <= 1:
                    _refuse(seq, record, "share", record.share, "a share from 0 to 1")
                self.judged[record.symbol] = record
            case records.DriftMovedRecord():
                _require(seq, record, {"before": (record.before, self.engine.drift.alarm)})
                if not 0 < record.stake_factor <= 1:
                    _refuse(seq, record, "stake_factor", record.stake_factor, "a share above 0, at most 1")
            case records.IntentRecord():
                self._intent(seq, record)
            case records.FilledRecord():
                self._filled(seq, record)
            case records.SettledRecord():
                self._settled(seq, record)
            case records.MovedRecord():
                position = self._position(seq, record, record.symbol)
                if not position.side * (record.stop - position.stop) > 0:
                    _refuse(seq, record, "stop", record.stop, f"a stop nearer to the price than {position.stop!r}")
            case records.ClosedRecord():
                self._closed(seq, record)
            case records.TargetRecord():
                expected = {"order_id": (record.order_id, self.engine.target_id(record.order))}
                _require(seq, record, expected | {"order.decided": (record.order.decided, record.time)})
            case records.UnfilledRecord():
                self._target(seq, record)
            case records.IncreasedRecord():
                self._increased(seq, record)
            case records.ReducedRecord():
                self._reduced(seq, record)

    def _intent(self, seq: int, record: records.IntentRecord) -> None:
        order = record.order
        expected: dict[str, tuple[Any, Any]] = {
            "order_id": (record.order_id, self.engine.order_id(order)),
            "order.decided": (order.decided, record.time),
            "order.stake_factor": (order.stake_factor, self._factor(order)),
        }
        decided = self.decided.get(order.symbol)
        if decided is not None and decided.time == record.time:
            side = {Action.BUY: 1, Action.SELL: -1}.get(decided.action, 0)
            confidence = decided.confidence if math.isfinite(decided.confidence) else 0.0
            expected |= {"order.side": (order.side, side), "order.confidence": (order.confidence, confidence)}
        _require(seq, record, expected)

    def _factor(self, order: Order) -> float:
        """The share of the ordinary stake that an order may have: overlay and panel multiply that of the drift."""
        drifted, found = self.engine.drift.stake_factor, order.stake_factor
        left = 1.0
        if self.judged is not None:
            vote = self.judged.get(order.symbol)
            left = vote.share if vote is not None and vote.time == order.decided else 0.0
        allowed = {drifted * share * left for share in SHARES if share} - {0.0}
        return found if self.sized and found in allowed else drifted * left

    def _filled(self, seq: int, record: records.FilledRecord) -> None:
        order, size, entry = record.order, record.size, record.entry
        known = next((held for held in self.engine.pending if self.engine.order_id(held) == record.order_id), None)
        if known is None:
            _refuse(seq, record, "order_id", record.order_id, "the order of an intent before it")
        expected = {f"order.{name}": (getattr(order, name), getattr(known, name)) for name in order._fields}
        fill = taker_fill(entry.reference_price, order.side, size.quantity, self.costs)
        expected |= {f"entry.{name}": (getattr(entry, name), getattr(fill, name)) for name in Fill._fields}
        expected["size.margin_usd"] = size.margin_usd, size.quantity * entry.price / size.leverage
        expected["time"] = record.time, order.decided + self.engine.length_ms
        _require(seq, record, expected)
        if not order.side * size.stop < order.side * entry.price:
            _refuse(seq, record, "size.stop", size.stop, "a stop on the other side of the entry price")
        if not order.side * size.target > order.side * entry.price:
            _refuse(seq, record, "size.target", size.target, "a target on the side of a profit")
        liquidation = size.liquidation_price
        _require_liquidation(seq, record, liquidation, size.margin_usd, order.side, size.quantity, entry.price)
        # A stop is nearer than the liquidation.
        if not order.side * size.liquidation_price < order.side * size.stop:
            _refuse(seq, record, "size.liquidation_price", size.liquidation_price, "a price beyond the stop")

    def _settled(self, seq: int, record: records.SettledRecord) -> None:
        position = self._position(seq, record, record.symbol)
        settled = self.engine.account.settlement(record.symbol, record.rate, record.price)
        before = self.engine.numbers if record.time == self.engine.time else {}
        number = before.get(f"settled:{record.symbol}:{record.phase}", 0)
        _require(seq, record, {"number": (record.number, number), "cash_usd": (record.cash_usd, settled.cash_usd)})
        if record.liquidation_price is not None:
            left_usd = min(position.size.margin_usd, position.margin_left_usd + settled.cash_usd)
            side, quantity, entry_price = position.side, position.size.quantity, position.entry.price
            _require_liquidation(seq, record, record.liquidation_price, left_usd, side, quantity, entry_price)

    def _closed(self, seq: int, record: records.ClosedRecord) -> None:
        position, trade, fill = self._position(seq, record, record.symbol), record.trade, record.exit
        name = self.engine.order_id(position.order)
        _require(seq, record, {"order_id": (record.order_id, name)})
        made = position.trade(record.time, trade.reason, fill)
        # In the bar of the exit, both may have become unknown.
        made = made._replace(
            funding_known=made.funding_known and trade.funding_known,
            mark_known=made.mark_known and trade.mark_known,
        )
        figures = zip(Trade._fields, trade, made, strict=True)
        _require(seq, record, {f"trade.{name}": (found, wanted) for name, found, wanted in figures})
        expected = position.exit_fill(fill.reference_price, trade.reason, self.costs, self.exits)
        if position.cross:
            expected = _with_lower_fee(expected, fill)
        for figure, found, wanted in zip(Fill._fields, fill, expected, strict=True):
            least = _TOLERANCE * (position.size.margin_usd if figure.endswith("_usd") else 0.0)
            if not math.isclose(found, wanted, rel_tol=_TOLERANCE, abs_tol=least):
                _refuse(seq, record, f"exit.{figure}", found, repr(wanted))
        self._require_reached(seq, record, position)

    def _target(self, seq: int, record: _OfTarget) -> None:
        """The record must be of a target before it, for this open."""
        if record.order not in self.engine.pending_targets:
            _refuse(seq, record, "order", record.order, "the order of a target before it")
        expected: dict[str, tuple[Any, Any]] = {"order_id": (record.order_id, self.engine.target_id(record.order))}
        if not isinstance(record, records.UnfilledRecord):
            expected["time"] = record.time, record.order.decided + self.engine.length_ms
        _require(seq, record, expected)

    def _increased(self, seq: int, record: records.IncreasedRecord) -> None:
        self._target(seq, record)
        position, size, fill = self.engine.account.positions.get(record.symbol), record.holding.size, record.fill
        side = 1 if record.order.quantity > 0 else -1
        if position is not None and position.side != side:
            _refuse(seq, record, "order.quantity", record.order.quantity, "the side of the open position")
        if not (record.quantity > 0 and size.leverage > 0):
            _refuse(seq, record, "quantity", record.quantity, "more than 0")
        # The leverage depends on the exchange's tiers, which are not in the journal, as liquidation prices do.
        added, contract = Addition(record.quantity, size.leverage, None), Contract(record.symbol)
        cross = self.engine.account.cross
        price = fill.reference_price
        made = increased(record.order, added, record.time, price, position, contract, self.costs, cross=cross)
        _require(seq, record, {f"fill.{n}": (getattr(fill, n), getattr(made.fill, n)) for n in Fill._fields})
        before, left = (0.0, 0.0) if position is None else (position.size.margin_usd, position.margin_left_usd)
        margin = size.quantity * record.holding.entry.price / size.leverage
        holding = made.holding
        if not cross:
            holding = holding._replace(
                size=holding.size._replace(margin_usd=margin), margin_left_usd=left + margin - before
            )
        _require_holding(seq, record, record.holding, holding, side)

    def _reduced(self, seq: int, record: records.ReducedRecord) -> None:
        self._target(seq, record)
        position, trade, kept = self._position(seq, record, record.symbol), record.trade, record.holding.size.quantity
        if not 0 < kept < position.size.quantity:
            _refuse(seq, record, "holding.size.quantity", kept, f"more than 0, less than {position.size.quantity!r}")
        part, rest = position.split(kept, Contract(record.symbol))
        made = part.trade(record.time, "rebalance", record.exit)
        made = made._replace(funding_known=made.funding_known and trade.funding_known)
        _require_near(seq, record, "trade", trade, made, position.size.margin_usd)
        fill = part.exit_fill(record.exit.reference_price, "rebalance", self.costs, self.exits)
        if position.cross:
            fill = _with_lower_fee(fill, record.exit)
        _require_near(seq, record, "exit", record.exit, fill, position.size.margin_usd)
        _require_holding(seq, record, record.holding, rest, position.side)

    def _require_reached(self, seq: int, record: records.ClosedRecord, position: Position) -> None:
        """The exit's price and time must fit its reason."""
        reason, side, price = record.trade.reason, position.side, record.exit.reference_price
        if reason not in ("liquidation", "end") and (reason == "rebalance") != position.targeted:
            _refuse(seq, record, "trade.reason", reason, "an exit that such a position has")
        if reason == "time" and record.time < position.order.due:
            _refuse(seq, record, "time", record.time, f"{position.order.due} or later for a time exit")
        limited = record.exit.price == price and price != position.stop
        if reason in ("stop", "trailing") and side * price > side * position.stop and not limited:
            _refuse(seq, record, "exit.reference_price", price, f"the stop {position.stop!r} or beyond")
        if (
            reason == "liquidation"
            and side * price > side * position.liquidation_price
            and not (position.margin_left_usd < 0 or position.cross)
        ):
            _refuse(seq, record, "exit.reference_price", price, f"{position.liquidation_price!r} or beyond")
        if reason == "target" and side * price < side * position.size.target:
            _refuse(seq, record, "exit.reference_price", price, f"the target {position.size.target!r} or beyond")

    def _position(self, seq: int, record: records.Record, symbol: str) -> Position:
        position = self.engine.account.positions.get(symbol)
        if position is None:
            _refuse(seq, record, "symbol", symbol, "a market with an open position")
        return position


def _with_lower_fee(expected: Fill, found: Fill) -> Fill:
    """On cross margin a fee may be lower, as what is lost beyond the equity is not paid: see the next valuation."""
    return expected._replace(fee_usd=min(found.fee_usd, expected.fee_usd))


def _require_holding(seq: int, record: records.Record, found: Holding, expected: Holding, side: int) -> None:
    """A position after a change; its liquidation prices are compared with the margin only."""
    size, quantity, price, margin = found.size, found.size.quantity, found.entry.price, found.size.margin_usd
    unknown = {"liquidation_price": size.liquidation_price}
    _require_near(seq, record, "holding.size", size, expected.size._replace(**unknown), 0.0)
    _require_near(seq, record, "holding.entry", found.entry, expected.entry, margin)
    expected = expected._replace(size=size, entry=found.entry, liquidation_price=found.liquidation_price)
    _require_near(seq, record, "holding", found, expected, margin)
    _require_liquidation(seq, record, size.liquidation_price, margin, side, quantity, price)
    _require_liquidation(seq, record, found.liquidation_price, found.margin_left_usd, side, quantity, price)


def _require_near(
    seq: int, record: records.Record, where: str, found: _Figures, expected: _Figures, least_usd: float
) -> None:
    """Figures that lots and sums leave equal within float error only; amounts also relative to a margin."""
    for name in found._fields:
        one, other = getattr(found, name), getattr(expected, name)
        if isinstance(one, float) and isinstance(other, float) and one == one:
            least = _TOLERANCE * least_usd if name.endswith("_usd") else 0.0
            if math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=least):
                continue
        _require(seq, record, {f"{where}.{name}": (one, other)})


def _require_liquidation(
    seq: int, record: records.Record, price: float, left_usd: float, side: int, quantity: float, entry_price: float
) -> None:
    """At the liquidation the position is worth a maintenance margin: the exchange's tiers are not in the journal."""
    worth = left_usd + side * quantity * (price - entry_price)
    least = -_TOLERANCE * (abs(left_usd) + quantity * entry_price)
    if not (price == 0 or least <= worth < quantity * price):
        _refuse(seq, record, "liquidation_price", price, f"one at which {left_usd!r} of margin are nearly lost")


def _require(seq: int, record: records.Record, figures: Mapping[str, tuple[Any, Any]]) -> None:
    for name, (found, expected) in figures.items():
        if found != expected and not (found != found and expected != expected):
            _refuse(seq, record, name, found, repr(expected))


def _refuse(seq: int, record: records.Record, name: str, found: object, expected: str) -> NoReturn:
    raise JournalError(
        f"rebuild the account at {format_ms(record.time)} from the journal",
        found=f"{name} {found!r} in record {seq} ({record.kind})",
        expected=expected,
        remedy="The journal was altered, or written by another version of Quorate.",
    )
