"""Trading engine: one account with its guards and ladder, driven bar by bar.

Backtest and paper trading call `at_open` and then `at_close` for every bar, in order of time. With guards or a record
sink, everything that happens is emitted as a journal record, in the order in which it happens; a plain backtest emits
nothing.

Moves of the guards take effect in memory at once. A paper session publishes nothing before the records of a step are in
its journal, and discards the step when they cannot be written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from quorate.trading.account import events
from quorate.trading.account.account import Account, BarOf
from quorate.trading.account.order import Order, Refusal, TargetOrder
from quorate.trading.account.rebalancing import rebalance, refuse_targets
from quorate.trading.account.trade import Trade
from quorate.trading.decided_bar import DecidedBar
from quorate.trading.drift_state import NO_DRIFT, DriftState
from quorate.trading.entry_panel import PanelVote
from quorate.trading.guards import (
    GuardEvent,
    GuardMove,
    Guards,
    TradeClosed,
    decision_events,
    valuation_events,
)
from quorate.trading.journal import records
from quorate.trading.journal.order_id import order_id
from quorate.trading.ladder import Ladder, LadderMove
from quorate.trading.sizing.context import AccountState

# No overlay: every entry has the whole ordinary stake.
_WHOLE: Mapping[str, float] = MappingProxyType({})

#: Called with every record.
RecordSink = Callable[[records.Record], None]


class TradingEngine:
    """One account with what limits it.

    Args:
        account: the account that trades.
        length_ms: length of a bar.
        strategy: part of every order's id.
        guards: limits on entries; None for none.
        ladder: limits on capital, positions and leverage; None for the account's own settings.
        emit: called with every record; None for no records.

    Attributes:
        pending: orders for the next open, the best first.
        pending_targets: positions wanted after the next open.
        last_request: number of the newest `HumanRecord` that was applied or refused.
        time, phase: of the current step.
        numbers: records of a kind emitted at this bar.
        settled: symbols whose settlements at this bar's open have been paid.
        unlimited: the account's settings without the ladder.
        drift: of the bundle that decides, with the share of the ordinary stake of the next orders.
        peak_usd: highest valuation so far.
    """

    def __init__(
        self,
        account: Account,
        length_ms: int,
        *,
        strategy: str = "quorate",
        guards: Guards | None = None,
        ladder: Ladder | None = None,
        emit: RecordSink | None = None,
    ) -> None:
        self.account, self.guards, self.ladder = account, guards, ladder
        self.pending: list[Order] = []
        self.pending_targets: list[TargetOrder] = []
        self.last_request = 0
        self.length_ms, self._strategy = length_ms, strategy
        self._emit: RecordSink = emit or _discard
        self._watched = emit is not None or guards is not None
        self.time = -1
        self.phase: records.Phase = "open"
        self.numbers: Counter[str] = Counter()
        self._why = ""
        self.unlimited = account.settings
        if ladder is not None:
            account.settings = ladder.limits(account.settings)
        self.settled: set[str] = set()
        self.drift = NO_DRIFT
        self.peak_usd = account.equity_usd
        if self._watched:
            account.on_event = self._on_event

    def order_id(self, order: Order) -> str:
        """Id of an order; the same decision always has the same one."""
        return order_id(self._strategy, order.symbol, order.decided, order.side)

    def target_id(self, target: TargetOrder) -> str:
        """Id of a target; the same decision always has the same one."""
        side = (target.quantity > 0) - (target.quantity < 0)
        return order_id(self._strategy, target.symbol, target.decided, side)

    @property
    def state(self) -> AccountState:
        """What a sizing overlay sees of the account."""
        return AccountState.of(self.account, self.peak_usd)

    def begin(self, time: int, phase: records.Phase) -> None:
        """Begin the step of the bars at `time`: their open or their close."""
        if time != self.time:
            self.numbers.clear()
            self.settled.clear()
        self.time, self.phase = time, phase

    def next_number(self, kind: str) -> int:
        """Number of the next record of a kind at this bar, from 0."""
        number = self.numbers[kind]
        self.numbers[kind] += 1
        return number

    def at_open(self, time: int, bar_of: BarOf, refusal: Refusal | None = None) -> None:
        """Trade the open of the bars at `time`: funding, time exits, the pending orders and the pending targets.

        Args:
            time: open time in ms.
            bar_of: symbol -> the bar at `time`; only its open is used.
            refusal: why no order may be filled at this open; None where orders may be.
        """
        self.begin(time, "open")
        orders, self.pending = self.pending, []
        self.account.at_open(time, bar_of, self._admitted(orders, refusal) if self._watched else orders)
        if self.pending_targets:
            self._trade_targets(bar_of, refusal)
        self._value()

    def at_close(
        self,
        time: int,
        bar_of: BarOf,
        ended: Iterable[str] = (),
        decisions: Sequence[DecidedBar] = (),
        valid: int = 0,
    ) -> None:
        """Trade the bars at `time` up to their close: funding, stops, targets, liquidations, valuation, guards.

        Args:
            time: open time in ms.
            bar_of: symbol -> the bar at `time`.
            ended: markets without a further bar: their positions close at the bar's close or the last known price.
            decisions: on these bars.
            valid: number of members that voted on them.
        """
        self.begin(time, "close")
        self.account.at_close(time, bar_of)
        self.account.end(time, bar_of, ended)
        for decision in decisions:
            self._decide(decision)
        self._value(valid if decisions else None)

    def settle_late(self, bar_of: BarOf) -> None:
        """Pay settlements at the bars' open that were unknown then, for positions that were open before it."""
        for symbol, position in self.account.positions.items():
            bar = bar_of(symbol)
            if bar is not None and position.entry_time < self.time and symbol not in self.settled:
                for rate, price in bar.settled_at_open:
                    self.account.settle(symbol, rate, price)

    def submit(
        self,
        orders: Iterable[Order],
        shares: Mapping[str, float] = _WHOLE,
        votes: Mapping[str, PanelVote] | None = None,
    ) -> None:
        """Add orders for the next open, the best first; those that the guards stop already are refused.

        The share of the ordinary stake is the product of the drift's, the overlay's and the panel's.

        Args:
            orders: at the ordinary stake; in a backtest at the share that its panel leaves of it.
            shares: symbol -> share of it by the sizing overlay, 0 to 1; without stake the order is refused.
            votes: symbol -> judgement by a panel of each entry that `may_fill`; one without a share, and one that was
                not judged, is refused. None without a panel.
        """
        _, drifted, reason = self.drift
        for ordinary in orders:
            share = shares.get(ordinary.symbol, 1.0)
            vote = None if votes is None else votes.get(ordinary.symbol)
            factor = drifted * share * (1.0 if vote is None else vote.share) * ordinary.stake_factor
            order = ordinary if factor == ordinary.stake_factor else ordinary._replace(stake_factor=factor)
            why = self.stopped_by(order.symbol, order.decided + self.length_ms)
            if why is not None:
                self._refuse(order, "guarded", why)
            elif votes is not None and vote is None:
                self._refuse(order, self.account.refusal(order) or "vetoed", "the panel was not asked")
            elif vote is not None and vote.share == 0:
                self._refuse(order, "vetoed", f"{vote.strength} by the panel")
            elif share == 0:
                self._refuse(order, "no_stake", "sized to 0 by the overlay")
            else:
                self.pending.append(order)
                sized = f"sized to {share:.0%} by the overlay" if share != 1 else ""
                judged = "" if vote is None else f"{vote.strength} by the panel: {vote.share:.0%} of the stake"
                note = "; ".join(filter(None, (reason if drifted != 1 else "", sized, judged)))
                self._emit(records.IntentRecord(order.decided, self.order_id(order), order, note))

    def submit_targets(self, targets: Iterable[TargetOrder]) -> None:
        """Add positions that are wanted after the next open, at most one a market.

        Guards stop what would be added, at that open; what is wanted less is always sold.
        """
        for target in targets:
            self.pending_targets.append(target)
            self._emit(records.TargetRecord(target.decided, self.target_id(target), target))

    def _trade_targets(self, bar_of: BarOf, refusal: Refusal | None) -> None:
        targets, self.pending_targets = self.pending_targets, []
        late = [target for target in targets if target.decided + self.length_ms != self.time]
        refuse_targets(self.account, late, "no_next_bar")
        known = [target for target in targets if target.decided + self.length_ms == self.time]
        if refusal is not None:
            refuse_targets(self.account, known, refusal)
        else:
            rebalance(self.account, self.time, bar_of, known, self._stopped)

    def _stopped(self, target: TargetOrder) -> Refusal | None:
        """Whether guards stop what a target would add; a loss of the reductions before may have tripped one."""
        why = self.stopped_by(target.symbol, self.time)
        if why is None:
            return None
        self._why = why
        return "guarded"

    def on(self, *guard_events: GuardEvent) -> None:
        """Pass events to the guards one after the other, and apply the moves that each requests."""
        if self.guards is not None:
            for event in guard_events:
                if moves := self.guards.on(event):
                    self.apply_guard_moves(moves)

    def apply_guard_moves(self, moves: Iterable[GuardMove]) -> None:
        """Emit and apply moves of the guards, and the move of the ladder that a halt causes."""
        for move in moves:
            number = self.next_number(f"guard:{move.guard}:{move.symbol or ''}")
            self._emit(
                records.GuardMovedRecord(
                    time=self.time,
                    guard=move.guard,
                    symbol=move.symbol,
                    number=number,
                    before=move.before,
                    after=move.after,
                    reason=move.reason,
                    until=move.until,
                )
            )
            if self.guards is not None:
                self.guards.apply(move)
                if self.ladder is not None:
                    self.apply_ladder_moves(self.ladder.on_guard_mode(self.time, self.guards.mode))

    def apply_ladder_moves(self, moves: Iterable[LadderMove]) -> None:
        """Emit and apply moves of the ladder; its limits hold for the next orders."""
        for move in moves:
            number = self.next_number("ladder")
            self._emit(records.LadderMovedRecord(self.time, number, move.before, move.after, move.reason))
            if self.ladder is not None:
                self.ladder.apply(move)
                self.account.settings = self.ladder.limits(self.unlimited)

    def set_drift(self, drift: DriftState) -> None:
        """Emit and apply another state of drift; its stake holds for the next orders, not for open positions."""
        before = self.drift
        if drift[:2] == before[:2]:
            return
        number = self.next_number("drift")
        self._emit(
            records.DriftMovedRecord(
                time=self.time,
                number=number,
                before=before.alarm,
                after=drift.alarm,
                stake_factor=drift.stake_factor,
                reason=drift.reason,
            )
        )
        self.drift = drift

    def _decide(self, decision: DecidedBar) -> None:
        if decision.record is not None:
            self._emit(decision.record)
        symbol, action, base, volatility, _ = decision
        self.on(*decision_events(self.time, symbol, action, base, volatility))

    def _admitted(self, orders: Iterable[Order], refusal: Refusal | None) -> Iterator[Order]:
        """The orders that may be filled now; checked one by one after the exits, since a loss may trip a guard."""
        for order in orders:
            if order.decided + self.length_ms != self.time:
                self._refuse(order, "no_next_bar")
            elif refusal is not None:
                self._refuse(order, refusal)
            elif (why := self.stopped_by(order.symbol, self.time)) is not None:
                self._refuse(order, "guarded", why)
            else:
                yield order

    def may_fill(self, symbol: str, close: int) -> bool:
        """Whether an entry may fill at the next open, as far as is known at the close before it, in ms."""
        held = [other for other, position in self.account.positions.items() if position.order.due > close]
        free = symbol not in held and len(held) < self.account.settings.positions
        return free and self.stopped_by(symbol, close) is None

    def stopped_by(self, symbol: str, time: int) -> str | None:
        """Why the guards stop an entry; None where they do not."""
        if self.guards is None:
            return None
        check = self.guards.may_enter(symbol, time)
        return None if check.allowed else check.why

    def _refuse(self, order: Order, reason: Refusal, why: str = "") -> None:
        self._why = why
        self.account.refuse(order, reason)
        self._why = ""

    def _value(self, valid: int | None = None) -> None:
        """Emit the account's value after a step, and pass it to the guards."""
        equity = self.account.equity_usd
        self.peak_usd = max(self.peak_usd, equity)
        if not self._watched:
            return
        marks = {
            symbol: records.Mark(position.mark, position.funding_known, position.mark_known)
            for symbol, position in self.account.positions.items()
        }
        cash = self.account.cash_usd
        self._emit(records.ValuedRecord(self.time, self.phase, equity, cash, marks, valid, self.last_request))
        self.on(*valuation_events(self.time, equity, valid, self.account.gross if self.account.cross else None))

    def _on_event(self, event: events.AccountEvent) -> None:
        """Emit an event of the account as a record."""
        match event:
            case events.Refused(order, reason):
                self._emit(records.RefusedRecord(self.time, order.symbol, self.order_id(order), reason, self._why))
            case events.Filled(order, size, time, entry):
                self._emit(records.FilledRecord(time, order.symbol, self.order_id(order), order, size, entry))
            case events.Settled(symbol, rate, price, cash, liquidation):
                if self.phase == "open":
                    self.settled.add(symbol)
                number = self.next_number(f"settled:{symbol}:{self.phase}")
                self._emit(records.SettledRecord(self.time, symbol, self.phase, number, rate, price, cash, liquidation))
            case events.Moved(symbol, stop):
                self._emit(records.MovedRecord(self.time, symbol, stop))
            case events.Closed(trade, fill):
                name = order_id(self._strategy, trade.symbol, trade.decided, trade.side)
                self._emit(records.ClosedRecord(self.time, name, trade, fill))
                self._on_trade(trade)
            case events.Increased(target, time, fill, quantity, holding):
                name = self.target_id(target)
                self._emit(records.IncreasedRecord(time, name, target, fill, quantity, holding))
            case events.Reduced(target, trade, fill, holding):
                self._emit(records.ReducedRecord(self.time, self.target_id(target), target, trade, fill, holding))
                self._on_trade(trade)
            case events.Unfilled(target, quantity, reason):
                name, why, self._why = self.target_id(target), self._why, ""
                self._emit(records.UnfilledRecord(self.time, name, target, quantity, reason, why))

    def _on_trade(self, trade: Trade) -> None:
        """Count a closed trade for the ladder and the guards."""
        if self.ladder is not None:
            self.ladder.on_trade(trade)
        self.on(TradeClosed.of(trade))


def _discard(_: records.Record) -> None:
    """Sink of an engine without records."""
