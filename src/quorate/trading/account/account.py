"""Simulated account: cash, positions on isolated or cross margin, fills, funding, liquidation.

A state machine that backtest and paper trading drive with the same calls, bar by bar. At every open time, over all
symbols, `at_open` (funding, time exits, entries) and then, once those bars are closed, `at_close` (stops, targets,
liquidations, valuation). On cross margin, each ends with a check of the whole account (`liquidate`).

Every change of cash or positions is an event. An account that receives the events and valuations of another one, in
order, equals it to the last bit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading.account.bar import Bar
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, slipped, taker_fill
from quorate.trading.account.currency import account_currency, market_currency
from quorate.trading.account.events import (
    AccountEvent,
    Closed,
    Filled,
    Increased,
    Moved,
    Reduced,
    Refused,
    Settled,
    Unfilled,
)
from quorate.trading.account.exits import Exit, ended_at_open, reached, trailed_stop
from quorate.trading.account.margin.cross import (
    MarkOf,
    exhausted,
    liquidation_fills,
    marked_positions,
    refuse_cross,
    require_perpetual,
    within,
    worth,
)
from quorate.trading.account.order import Order, Refusal
from quorate.trading.account.position import Position
from quorate.trading.account.sizing import Size, plan
from quorate.trading.account.trade import Reason, Trade

# Of sums of amounts in the order of the start equity.
_FLOAT_ERROR = 1e-12

BarOf = Callable[[str], Bar | None]


class Account:
    """One account, in the currency of its markets.

    Attributes:
        cash_usd: deposits and realised results, fees and funding included; part of it is margin.
        positions: open positions by symbol, in the order they were opened.
        trades: closed positions and closed parts of them, in the order they were closed.
        refused: number of refused orders, by reason; of targets, those that were filled in part too.
        cross: whether positions, all of them by target, are on cross margin.
        liquidated: open time in ms of the bar in which the account on cross margin was last liquidated; -1 for never.
        on_event: called with every event after it has taken effect; None in a plain backtest.

    >>> account = Account(AccountSettings(equity_usd=500))
    >>> account.equity_usd, account.free_usd, account.slots
    (500, 500.0, 4)
    """

    def __init__(
        self,
        settings: AccountSettings | None = None,
        costs: CostSettings | None = None,
        exits: ExitSettings | None = None,
        contracts: Mapping[str, Contract] | None = None,
    ) -> None:
        self.settings = settings or AccountSettings()
        self.costs = costs or CostSettings()
        self.exits = exits or ExitSettings()
        self.cash_usd = self.settings.equity_usd
        self.cross = self.settings.margin == "cross"
        self.liquidated = -1
        self._least_usd = _FLOAT_ERROR * self.settings.equity_usd if self.cross else 0.0
        self.positions: dict[str, Position] = {}
        self.trades: list[Trade] = []
        self.refused: Counter[Refusal] = Counter()
        self.on_event: Callable[[AccountEvent], None] | None = None
        self._contracts: dict[str, Contract] = {}
        self._known_contracts = dict(contracts or {})

    @property
    def equity_usd(self) -> float:
        """Cash plus the unrealised profit of every position at its last valuation; never negative."""
        equity = self.cash_usd
        for position in self.positions.values():
            equity += position.unrealised_usd
        # Losses are limited to the margin, which cash covers: less than 0 is float error. On cross margin they are not
        # limited before the account is liquidated; what that leaves of a lost equity is float error, above 0 too.
        return equity if equity > self._least_usd else 0.0

    @property
    def gross(self) -> float:
        """Values of all positions at their last valuations, as a multiple of the equity; 0 without positions."""
        value = 0.0
        for position in self.positions.values():
            value += position.size.quantity * position.mark
        equity = self.equity_usd
        return value / equity if equity > 0 else math.inf if value > 0 else 0.0

    @property
    def margin_usd(self) -> float:
        """Margin of all positions; on cross margin, the initial margins of their values at the last valuation."""
        margin = 0.0
        for position in self.positions.values():
            margin += position.margin_usd
        return margin

    @property
    def free_usd(self) -> float:
        """Cash that is not margin of a position; funding was paid from the margin.

        On cross margin, equity that is not margin; negative where losses have used up some of it.
        """
        if self.cross:
            return self.equity_usd - self.margin_usd
        margin = 0.0
        for position in self.positions.values():
            if position.margin_left_usd > 0.0:
                margin += position.margin_left_usd
        return self.cash_usd - margin

    @property
    def slots(self) -> int:
        """Number of positions that may still be opened."""
        return self.settings.positions - len(self.positions)

    def contract(self, symbol: str) -> Contract:
        """The market's trading rules; conservative ones where the exchange's are unknown.

        Raises:
            TradingError: a market in another currency than the account's, or than those before it; spot on cross
                margin.
        """
        contract = self._contracts.get(symbol)
        if contract is None:
            # Where the first market has the same currency, it has been judged already.
            first = next(iter(self._contracts), None)
            if first is None or market_currency(symbol) != market_currency(first):
                account_currency([*self._contracts, symbol], self.settings)
            contract = self._known_contracts.get(symbol) or Contract(symbol)
            if self.cross:
                require_perpetual(contract)
            self._contracts[symbol] = contract
        return contract

    def at_open(self, time: int, bar_of: BarOf, orders: Iterable[Order] = ()) -> None:
        """Trade the open of the bars at `time`: funding, then time exits, then entries.

        A position that is due and whose mark price opens beyond its liquidation price is liquidated. Where prices
        continue at another scale, a position is closed at its last valuation, as where a market ends, and no order is
        filled. An account on cross margin is liquidated where its margin does not suffice at the open.

        Args:
            time: open time in ms.
            bar_of: symbol -> the bar at `time`, or None without one; only its open is used, and the funding settled up
                to then.
            orders: entries for this open, the best first.

        Raises:
            TradingError: an entry in an account on cross margin.
        """
        ended = self._leave_at_open(time, bar_of) if self.positions else {}
        if self.cross:
            self.liquidate(time, bar_of, opening=True)
        for order in orders:
            refusal = self.refusal(order)
            if refusal is None and not self.exits.reopen and ended.get(order.symbol) == order.side:
                refusal = "just_ended"
            bar = None if refusal else bar_of(order.symbol)
            if bar is None or bar.rescaled:
                self.refuse(order, refusal or ("no_next_bar" if bar is None else "new_scale"))
            else:
                self.enter(order, time, bar.open)

    def _leave_at_open(self, time: int, bar_of: BarOf) -> dict[str, int]:
        """Settle funding and close what is due at this open; symbol -> side of what was closed."""
        due: list[tuple[str, Exit]] = []
        for symbol, position in self.positions.items():
            bar = bar_of(symbol)
            if bar is None:
                continue
            if bar.rescaled:
                due.append((symbol, Exit("end", position.mark)))
            else:
                for rate, price in bar.settled_at_open:
                    self.settle(symbol, rate, price)
                if position.order.due <= time:
                    position.funding_known &= bar.open_funding_known
                    due.append((symbol, ended_at_open(position, bar.mark_open, bar.open)))
        ended: dict[str, int] = {}
        for symbol, (reason, price) in due:
            ended[symbol] = self.positions[symbol].order.side
            self.close(symbol, time, price, reason)
        return ended

    def at_close(self, time: int, bar_of: BarOf) -> None:
        """Trade the bars at `time` after their open: funding, then stops, targets and liquidations, then valuation.

        An account on cross margin is liquidated where its margin does not suffice at the close.
        """
        self.trade_bars(time, bar_of)
        if self.cross:
            self.liquidate(time, bar_of, opening=False)

    def trade_bars(self, time: int, bar_of: BarOf) -> None:
        """`at_close` without the liquidation of an account on cross margin."""
        for symbol, position in list(self.positions.items()):
            bar = bar_of(symbol)
            if bar is None:
                continue
            if bar.rescaled and position.entry_time < time:
                # The change became known with this bar only, since its open was missing.
                self.close(symbol, time, position.mark, "end")
                continue
            for rate, price in bar.settled_inside:
                self.settle(symbol, rate, price)
            position.funding_known &= bar.funding_known
            position.mark_known &= bar.mark_known
            exit_ = None if position.cross else reached(position, bar, self.exits)
            if exit_ is not None:
                self.close(symbol, time, exit_.price, exit_.reason)
                continue
            position.mark = bar.close
            if self.exits.trail_atr and not position.targeted:
                stop = trailed_stop(position, bar, self.exits, self.contract(symbol))
                if stop != position.stop:
                    position.stop = stop
                    if self.on_event is not None:
                        self.on_event(Moved(symbol, stop))

    def liquidate(self, time: int, bar_of: BarOf, *, opening: bool, mark_of: MarkOf | None = None) -> bool:
        """Close all positions of an account on cross margin whose equity no longer exceeds their maintenance margins.

        Each is closed at its mark price, where there is none at its last valuation, with the fee of a liquidation.
        What is lost beyond the equity is the exchange's loss.

        Args:
            time: open time in ms.
            bar_of: symbol -> the bar at `time`.
            opening: judge by the open of the bars, else by their close.
            mark_of: symbol -> the same mark prices where there is a shorter way to them; None for those of the bars.

        Returns:
            Whether it was liquidated.
        """
        if not self.positions:
            return False

        def mark_of_bar(symbol: str) -> float | None:
            bar = bar_of(symbol)
            if bar is None or bar.rescaled:
                return None
            if opening:
                return bar.mark_open
            return bar.close if math.isnan(bar.mark_close) else bar.mark_close

        marked = marked_positions(self.positions.values(), mark_of or mark_of_bar)
        worth_usd = worth(self.cash_usd, marked)
        if not exhausted(worth_usd, marked, self.contract):
            return False
        fills = liquidation_fills(worth_usd, marked, self.costs.liquidation_fee)
        for (position, _), fill in zip(marked, fills, strict=True):
            if opening and (bar := bar_of(position.symbol)) is not None:
                position.funding_known &= bar.open_funding_known
            self._end(position, time, fill, "liquidation")
        self.liquidated = time
        return True

    def end(self, time: int, bar_of: BarOf, symbols: Iterable[str]) -> None:
        """Close the positions in markets without a further bar: at this bar's close, or at their last valuation."""
        for symbol in symbols:
            position = self.positions.get(symbol)
            if position is not None:
                bar = bar_of(symbol)
                self.close(symbol, time, position.mark if bar is None else bar.close, "end")

    def open(self, order: Order, time: int, price: float) -> Position | None:
        """Fill an entry at this price before slippage; None where it is refused."""
        refusal = self.refusal(order)
        if refusal is not None:
            self.refuse(order, refusal)
            return None
        return self.enter(order, time, price)

    def enter(self, order: Order, time: int, price: float) -> Position | None:
        """Fill an entry that `refusal` lets through at this price before slippage; None where its size refuses it."""
        costs, side, cash = self.costs, order.side, self.cash_usd
        # Without positions all cash is equity and free margin.
        funds = (self.equity_usd, self.free_usd, self.margin_usd) if self.positions else (cash, cash, 0.0)
        filled_at = slipped(price, side, costs)
        size = plan(order, filled_at, funds, self.contract(order.symbol), self.settings, costs, self.exits)
        if isinstance(size, str):
            self.refuse(order, size)
            return None
        entry = taker_fill(price, side, size.quantity, costs)
        position = self._fill(order, size, time, entry)
        if self.on_event is not None:
            self.on_event(Filled(order, size, time, entry))
        return position

    def refuse(self, order: Order, reason: Refusal) -> None:
        """Refuse an order."""
        self.refused[reason] += 1
        if self.on_event is not None:
            self.on_event(Refused(order, reason))

    def settle(self, symbol: str, rate: float, price: float) -> float:
        """Pay or receive funding for an open position; returns the cash received.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        cash, liquidation_price = position.funding(rate, price, self.contract(symbol))
        self._settle(position, cash, liquidation_price)
        if self.on_event is not None:
            self.on_event(Settled(symbol, rate, price, cash, liquidation_price))
        return cash

    def settlement(self, symbol: str, rate: float, price: float) -> Settled:
        """The event of a funding settlement of an open position.

        Raises:
            TradingError: no such position.
        """
        return Settled(symbol, rate, price, *self._position(symbol).funding(rate, price, self.contract(symbol)))

    def close(self, symbol: str, time: int, price: float, reason: Reason) -> Trade:
        """Close a position at this price before slippage.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        fill = position.exit_fill(price, reason, self.costs, self.exits)
        return self._end(position, time, self.within(position, fill), reason)

    def within(self, part: Position, fill: Fill) -> Fill:
        """An exit fill of a position, or of a part of it, that on cross margin loses no more than the equity."""
        if not part.cross:
            return fill
        last = ((position, position.mark) for position in self.positions.values())
        return within(worth(self.cash_usd, last), part, fill)

    def apply(self, event: AccountEvent) -> None:
        """Apply an event.

        Raises:
            TradingError: an event of a position that is not open, or the fill of one that is.
        """
        match event:
            case Refused(reason=reason):
                self.refused[reason] += 1
            case Filled(order, size, time, entry):
                if order.symbol in self.positions:
                    raise TradingError(
                        f"open a position in {order.symbol}", found="an open position", expected="no open position"
                    )
                self._fill(order, size, time, entry)
            case Settled(symbol, _, _, cash, liquidation_price):
                self._settle(self._position(symbol), cash, liquidation_price)
            case Moved(symbol, stop):
                self._position(symbol).stop = stop
            case Closed(trade, fill):
                self._close(self._position(trade.symbol), trade, fill)
            case Unfilled(reason=reason):
                self.refused[reason] += 1
            case Increased() as increased:
                self._increase(increased)
            case Reduced(_, trade, fill, holding):
                position = self._position(trade.symbol)
                self.cash_usd += trade.side * trade.quantity * (fill.price - position.entry.price) - fill.fee_usd
                self.trades.append(trade)
                position.change(holding, fill.reference_price)

    def take(self, event: AccountEvent) -> None:
        """Apply an event of this account's own, and tell `on_event`."""
        self.apply(event)
        if self.on_event is not None:
            self.on_event(event)

    def value(self, symbol: str, mark: float, *, funding_known: bool, mark_known: bool) -> None:
        """Restore the valuation of an open position.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        position.mark, position.funding_known, position.mark_known = mark, funding_known, mark_known

    def _end(self, position: Position, time: int, fill: Fill, reason: Reason) -> Trade:
        trade = position.trade(time, reason, fill)
        self._close(position, trade, fill)
        if self.on_event is not None:
            self.on_event(Closed(trade, fill))
        return trade

    # The changes of an account that trades and of one that receives events. Events are made only for who receives them.

    def _fill(self, order: Order, size: Size, time: int, entry: Fill) -> Position:
        self.cash_usd -= entry.fee_usd
        position = self.positions[order.symbol] = Position.of(order, size, time, entry)
        return position

    def _settle(self, position: Position, cash: float, liquidation_price: float) -> None:
        position.funding_usd += cash
        if not position.cross:
            position.margin_left_usd = min(position.size.margin_usd, position.margin_left_usd + cash)
        position.liquidation_price = liquidation_price
        self.cash_usd += cash

    def _close(self, position: Position, trade: Trade, fill: Fill) -> None:
        gained = position.order.side * position.size.quantity * (fill.price - position.entry.price)
        self.cash_usd += gained - fill.fee_usd
        del self.positions[trade.symbol]
        self.trades.append(trade)

    def _increase(self, event: Increased) -> None:
        order, time, fill, _, holding = event
        position = self.positions.get(order.symbol)
        self.cash_usd -= fill.fee_usd
        if position is None:
            self.positions[order.symbol] = Position.by_target(order, time, holding, cross=self.cross)
        else:
            position.change(holding, fill.reference_price)

    def refusal(self, order: Order) -> Refusal | None:
        """Why an order is refused before its size is known; None where it is not.

        Raises:
            TradingError: an account on cross margin.
        """
        if self.cross:
            refuse_cross(self.settings, f"enter {order.symbol} with a stop")
        if order.symbol in self.positions:
            return "in_position"
        if len(self.positions) >= self.settings.positions:
            return "no_slot"
        if not order.confidence > 0:
            return "no_confidence"
        return "spot_short" if order.side < 0 and self.contract(order.symbol).spot else None

    def _position(self, symbol: str) -> Position:
        try:
            return self.positions[symbol]
        except KeyError:
            raise TradingError(
                f"change the position in {symbol}",
                found="no open position",
                expected=f"one of {', '.join(self.positions) or 'no open positions'}",
            ) from None
