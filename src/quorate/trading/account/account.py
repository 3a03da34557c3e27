"""The simulated account: cash, positions with isolated margin, fills, funding, liquidation.

A state machine: backtest and paper trading drive it with the same calls, bar by bar. At every open time it expects,
over all symbols, `at_open` (funding, time exits, entries) and then, once those bars are closed, `at_close` (stops,
targets, liquidations, valuation).

Whatever changes its money is an event, and `apply` is the only place where one takes effect: an account that is given
the events of another, in order, and its valuations, is that other account to the last bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.trading.account.bar import Bar
from quorate.trading.account.contract import Contract
from quorate.trading.account.costs import Fill, maker_fill, slipped, taker_fill
from quorate.trading.account.events import AccountEvent, Closed, Filled, Moved, Refused, Settled
from quorate.trading.account.exits import reached, trailed_stop
from quorate.trading.account.order import Order, Refusal
from quorate.trading.account.position import Position, Reason, Trade
from quorate.trading.account.sizing import plan

BarOf = Callable[[str], Bar | None]


class Account:
    """One account in USDT.

    Attributes:
        cash_usd: deposits and everything realised, fees and funding included; part of it is margin.
        positions: open ones by symbol, in the order they were opened.
        trades: closed ones, in the order they were closed.
        refused: how many orders came to nothing, by reason.
        tell: is told every event once it has taken effect; None where nobody listens, as in a backtest.

    >>> account = Account(AccountSettings(equity_usd=500))
    >>> account.equity_usd, account.free_usd, account.slots
    (500, 500, 4)
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
        self.positions: dict[str, Position] = {}
        self.trades: list[Trade] = []
        self.refused: Counter[Refusal] = Counter()
        self.tell: Callable[[AccountEvent], None] | None = None
        self._contracts = dict(contracts or {})

    @property
    def equity_usd(self) -> float:
        """Cash and the unrealised profit of every position at its last valuation."""
        equity = self.cash_usd
        for position in self.positions.values():
            equity += position.unrealised_usd
        return equity

    @property
    def margin_usd(self) -> float:
        """Margin of all positions together."""
        return sum(position.size.margin_usd for position in self.positions.values())

    @property
    def free_usd(self) -> float:
        """Cash that is no position's margin."""
        return self.cash_usd - self.margin_usd

    @property
    def slots(self) -> int:
        """How many more positions may be opened."""
        return self.settings.positions - len(self.positions)

    def contract(self, symbol: str) -> Contract:
        """The market's rules; where the exchange's are not known, conservative ones."""
        if symbol not in self._contracts:
            self._contracts[symbol] = Contract(symbol)
        return self._contracts[symbol]

    def at_open(self, time: int, bar_of: BarOf, orders: Iterable[Order] = ()) -> None:
        """What happens at the open of the bars at `time`: funding, then time exits, then entries.

        Args:
            time: open time in ms.
            bar_of: the bar at `time` of a symbol, or None where it has none; only its open is looked at, and the
                funding settled up to then.
            orders: entries for this open, the best first.
        """
        due: list[tuple[str, float]] = []
        for symbol, position in self.positions.items():
            bar = bar_of(symbol)
            if bar is not None:
                for rate, price in bar.settled_at_open:
                    self.settle(symbol, rate, price)
                if position.order.due <= time:
                    due.append((symbol, bar.open))
        ended: dict[str, int] = {}
        for symbol, price in due:
            ended[symbol] = self.positions[symbol].side
            self.close(symbol, time, price, "time")
        for order in orders:
            refusal = self._refusal(order)
            if refusal is None and not self.exits.reopen and ended.get(order.symbol) == order.side:
                refusal = "just_ended"
            bar = None if refusal else bar_of(order.symbol)
            if bar is None:
                self.refuse(order, refusal or "no_next_bar")
            else:
                self.open(order, time, bar.open)

    def at_close(self, time: int, bar_of: BarOf) -> None:
        """What happens inside the bars at `time`: funding, then stops, targets and liquidations, then valuation."""
        for symbol, position in list(self.positions.items()):
            bar = bar_of(symbol)
            if bar is None:
                continue
            for rate, price in bar.settled_inside:
                self.settle(symbol, rate, price)
            position.funding_known &= bar.funding_known
            position.mark_known &= bar.mark_known
            exit_ = reached(position, bar, self.exits)
            if exit_ is not None:
                self.close(symbol, time, exit_.price, exit_.reason)
                continue
            position.mark = bar.close
            if self.exits.trail_atr:
                stop = trailed_stop(position, bar, self.exits, self.contract(symbol))
                if stop != position.stop:
                    self._happen(Moved(symbol, stop))

    def open(self, order: Order, time: int, price: float) -> Position | None:
        """Fill an entry at this price before slippage; None where it is refused, which is counted by reason."""
        refusal = self._refusal(order)
        if refusal is None:
            contract = self.contract(order.symbol)
            entry_price = slipped(price, order.side, self.costs)
            size = plan(
                order,
                entry_price,
                self.equity_usd,
                self.free_usd,
                self.margin_usd,
                contract,
                self.settings,
                self.costs,
                self.exits,
            )
            if not isinstance(size, str):
                entry = taker_fill(price, order.side, size.quantity, self.costs)
                self._happen(Filled(order, size, time, entry))
                return self.positions[order.symbol]
            refusal = size
        self.refuse(order, refusal)
        return None

    def refuse(self, order: Order, reason: Refusal) -> None:
        """Let an order come to nothing."""
        self._happen(Refused(order, reason))

    def settle(self, symbol: str, rate: float, price: float) -> float:
        """Pay or receive funding for an open position; returns the cash received.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        cash = -position.order.side * position.size.quantity * price * rate
        self._happen(Settled(symbol, rate, price, cash))
        return cash

    def close(self, symbol: str, time: int, price: float, reason: Reason) -> Trade:
        """Close a position at this price before slippage.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        order, size, entry = position.order, position.size, position.entry
        if reason == "liquidation":
            fill = self._liquidation_fill(position, price)
        elif reason == "target" and self.exits.maker_target:
            fill = maker_fill(price, size.quantity, self.costs)
        else:
            fill = taker_fill(price, -order.side, size.quantity, self.costs)
        trade = Trade(
            symbol=symbol,
            side=order.side,
            quantity=size.quantity,
            leverage=size.leverage,
            margin_usd=size.margin_usd,
            confidence=order.confidence,
            decided=order.decided,
            entry_time=position.entry_time,
            entry_price=entry.price,
            exit_time=time,
            exit_price=fill.price,
            stop=size.stop,
            target=size.target,
            reason=reason,
            gross_usd=order.side * size.quantity * (fill.reference_price - entry.reference_price),
            fee_usd=entry.fee_usd + fill.fee_usd,
            slippage_usd=entry.slippage_usd + fill.slippage_usd,
            funding_usd=position.funding_usd,
            funding_known=position.funding_known,
            mark_known=position.mark_known,
        )
        self._happen(Closed(trade, fill))
        return trade

    def apply(self, event: AccountEvent) -> None:
        """Let an event take effect.

        Raises:
            TradingError: an event of a position that is not open, or that is open already.
        """
        match event:
            case Refused(reason=reason):
                self.refused[reason] += 1
            case Filled(order, size, time, entry):
                if order.symbol in self.positions:
                    raise TradingError(f"open a position in {order.symbol}", found="one that is open", expected="none")
                self.cash_usd -= entry.fee_usd
                self.positions[order.symbol] = Position(
                    order, size, time, entry, stop=size.stop, mark=entry.reference_price
                )
            case Settled(symbol, _, _, cash):
                self._position(symbol).funding_usd += cash
                self.cash_usd += cash
            case Moved(symbol, stop):
                self._position(symbol).stop = stop
            case Closed(trade, fill):
                position = self._position(trade.symbol)
                gained = position.order.side * position.size.quantity * (fill.price - position.entry.price)
                self.cash_usd += gained - fill.fee_usd
                del self.positions[trade.symbol]
                self.trades.append(trade)

    def value(self, symbol: str, mark: float, *, funding_known: bool, mark_known: bool) -> None:
        """Value an open position as it was valued before a restart.

        Raises:
            TradingError: no such position.
        """
        position = self._position(symbol)
        position.mark, position.funding_known, position.mark_known = mark, funding_known, mark_known

    def _happen(self, event: AccountEvent) -> None:
        self.apply(event)
        if self.tell is not None:
            self.tell(event)

    def _refusal(self, order: Order) -> Refusal | None:
        if order.symbol in self.positions:
            return "in_position"
        if self.slots <= 0:
            return "no_slot"
        if not order.confidence > 0:
            return "no_confidence"
        if order.side < 0 and self.contract(order.symbol).spot:
            return "spot_short"
        return None

    def _liquidation_fill(self, position: Position, price: float) -> Fill:
        """The exchange takes over: no more than the margin can be lost, the fee included."""
        side, size = position.order.side, position.size
        bankruptcy_price = position.entry.price - side * size.margin_usd / size.quantity
        price = side * max(side * price, side * bankruptcy_price)
        left = size.margin_usd + side * size.quantity * (price - position.entry.price)
        fee = min(size.quantity * price * self.costs.liquidation_fee, max(0.0, left))
        return Fill(price, price, fee, 0.0)

    def _position(self, symbol: str) -> Position:
        try:
            return self.positions[symbol]
        except KeyError:
            raise TradingError(
                f"change the position in {symbol}",
                found="none",
                expected=f"one of {', '.join(self.positions) or 'no open positions'}",
            ) from None
