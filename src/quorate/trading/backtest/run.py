"""The loop of a backtest without guards, from event to event.

Between two events nothing happens but the valuation of open positions, and without positions not even that. Entries
are known in advance; what ends a position is looked for when it opens and after each settlement (`held.Held`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorate.core.types import IntArray
from quorate.trading.account.account import Account, BarOf
from quorate.trading.account.bar import Bar
from quorate.trading.account.exits import ended_at_open
from quorate.trading.account.orders import Orders
from quorate.trading.account.position import Position
from quorate.trading.account.tape import Tape
from quorate.trading.backtest.entries import Entries
from quorate.trading.backtest.held import Held


class Run:
    """One run of an account over stored markets.

    The account changes exactly as if it were asked at every open and every close: a position at which nothing happens
    sees no bar.

    Args:
        account: a new account.
        orders: all have a bar to fill in.
        tapes: symbol -> market.
        time: (n,) open times of all their bars in ms, increasing.

    Attributes:
        equity: at the close of each bar so far.
        exposed: number of bars so far with a position after their open.
    """

    def __init__(self, account: Account, orders: Orders, tapes: Mapping[str, Tape], time: IntArray) -> None:
        self.equity: list[float] = []
        self.exposed = 0
        self._account, self._tapes, self._time = account, tapes, time
        self._entries = Entries.of(orders, tapes, time)
        self._places: dict[str, Sequence[int]] = {}
        self._held: dict[str, Held] = {}
        self._trailing = account.exits.trail_atr > 0
        self._step = 0

    def drive(self) -> None:
        """Trade all bars."""
        account, held, equity, entries = self._account, self._held, self.equity, self._entries
        orders, places = entries.order, entries.place
        bars, count, entry = len(self._time), len(orders), 0
        times = self._time.data
        while True:
            # The next step at which a position has an event.
            step = 2 * bars
            for one in held.values():
                if one.wakes < step:
                    step = one.wakes
            # Entries before it, at opens without any other event.
            before = (step + 1) >> 1
            while entry < count and (place := places[entry]) < before:
                order = orders[entry]
                refusal = account.refusal(order)
                if refusal is None:
                    if place > len(equity):
                        self._value(place)
                    opened = self._enter(entry, times[place])
                    if opened is not None and opened.wakes < step:
                        step = opened.wakes
                        before = (step + 1) >> 1
                else:
                    account.refuse(order, refusal)
                entry += 1
            place = step >> 1
            if place > len(equity):
                self._value(place)
            if place == bars:
                return
            self._step = step
            if step & 1:
                self._close(times[place])
            else:
                entry = self._open(times[place], place, entry)

    def _open(self, time: int, place: int, entry: int) -> int:
        """An open with an event of positions; the first entry that is left for later.

        Entries at the same open are left too, unless what happens to the positions decides about them.
        """
        account, held, step = self._account, self._held, self._step
        orders, places = self._entries.order, self._entries.place
        awake = [one for one in held.values() if one.wakes == step]
        if len(awake) == 1 and account.exits.reopen and not awake[0].tape.rescaled[awake[0].row]:
            self._leave(awake[0], time)
            return entry
        last = entry
        while last < len(places) and places[last] == place:
            last += 1
        account.at_open(time, self._bar_at(time), orders[entry:last])
        for one in awake:
            symbol = one.position.order.symbol
            if account.positions.get(symbol) is one.position:
                one.opened()
            else:
                del held[symbol]
        for number in range(entry, last):
            position = account.positions.get(orders[number].symbol)
            if position is not None and position.order is orders[number]:
                self._hold(position, number)
        return last

    def _leave(self, one: Held, time: int) -> None:
        """What `Account.at_open` does for the only position with an event at an open, without making its bar."""
        account, position, tape, row = self._account, one.position, one.tape, one.row
        symbol = position.order.symbol
        for rate, price in tape.settled_at_open.get(row, ()):
            account.settle(symbol, rate, price)
        if row < one.due:
            one.opened()
            return
        position.funding_known &= tape.open_funding_known[row]
        reason, price = ended_at_open(position, tape.mark_open[row], tape.open[row])
        account.close(symbol, time, price, reason)
        del self._held[symbol]

    def _enter(self, number: int, time: int) -> Held | None:
        """Fill an entry at an open without any other event; None where it is refused."""
        account, entries = self._account, self._entries
        if entries.rescaled[number]:
            account.refuse(entries.order[number], "new_scale")
            return None
        position = account.enter(entries.order[number], time, entries.price[number])
        return None if position is None else self._hold(position, number)

    def _close(self, time: int) -> None:
        """The rest of a bar with an event, up to its close."""
        account, held, place = self._account, self._held, self._step >> 1
        bar_at = self._bar_at(time)
        account.at_close(time, bar_at)
        account.end(time, bar_at, sorted(symbol for symbol in held if time == self._tapes[symbol].time[-1]))
        self.exposed += 1
        for symbol, one in list(held.items()):
            if symbol not in account.positions:
                del held[symbol]
            elif one.wakes == self._step:
                one.closed()
            else:
                one.profits(place, place + 1)
        self.equity.append(account.equity_usd)

    def _value(self, last: int) -> None:
        """Equity at the bars before `last`, at which nothing happens."""
        equity, account = self.equity, self._account
        first = len(equity)
        if not self._held:
            equity += [account.equity_usd] * (last - first)
            return
        self.exposed += last - first
        if len(self._held) == 1:
            (only,) = self._held.values()
            equity += only.equity(account.cash_usd, first, last)
            return
        values = [account.cash_usd] * (last - first)
        for one in self._held.values():
            values = [value + profit for value, profit in zip(values, one.profits(first, last), strict=True)]
        # As `Account.equity_usd`: less than 0 is float error.
        equity += [value if value > 0.0 else 0.0 for value in values]

    def _bar_at(self, time: int) -> BarOf:
        """Symbol -> its bar at a time; None for a position at which nothing happens now."""
        held, tapes, step = self._held, self._tapes, self._step

        def bar_of(symbol: str) -> Bar | None:
            one = held.get(symbol)
            if one is None:
                return tapes[symbol].at(time)
            return one.tape.bar(one.row) if one.wakes == step else None

        return bar_of

    def _hold(self, position: Position, number: int) -> Held:
        symbol, entries = position.order.symbol, self._entries
        tape = self._tapes[symbol]
        if symbol not in self._places:
            self._places[symbol] = np.searchsorted(self._time, np.asarray(tape.time)).data
        row, due = entries.row[number], entries.due[number]
        held = self._held[symbol] = Held(position, tape, self._places[symbol], row, due, trailing=self._trailing)
        return held
