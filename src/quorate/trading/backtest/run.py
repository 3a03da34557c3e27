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
        self._step = 0

    def drive(self) -> None:
        """Trade all bars."""
        account, held, equity, entries = self._account, self._held, self.equity, self._entries
        orders, places = entries.order, entries.place
        bars, count, entry = len(self._time), len(orders), 0
        times = self._time.data
        while True:
            # The next step at which something happens: what a position waits for, or an entry that is not refused.
            step = 2 * bars
            for one in held.values():
                if one.wakes < step:
                    step = one.wakes
            while entry < count and 2 * places[entry] < step:
                refusal = account.refusal(orders[entry])
                if refusal is None:
                    step = 2 * places[entry]
                    break
                account.refuse(orders[entry], refusal)
                entry += 1
            place = step >> 1
            if place > len(equity):
                self._value(place)
            if place == bars:
                return
            self._step = step
            if step & 1:
                self._close(times[place])
                continue
            last = entry
            while last < count and places[last] == place:
                last += 1
            self._open(times[place], range(entry, last))
            entry = last

    def _open(self, time: int, entries: range) -> None:
        """An open with an event: of positions, of entries, or of both."""
        account, held, step = self._account, self._held, self._step
        awake = [one for one in held.values() if one.wakes == step]
        orders = self._entries.order
        if awake:
            account.at_open(time, self._bar_at(time), orders[entries.start : entries.stop])
            for one in awake:
                symbol = one.position.order.symbol
                if account.positions.get(symbol) is one.position:
                    one.opened()
                else:
                    del held[symbol]
        for number in entries:
            order = orders[number]
            position = account.positions.get(order.symbol) if awake else self._enter(number, time)
            if position is not None and position.order is order:
                held[order.symbol] = self._hold(position, number)

    def _enter(self, number: int, time: int) -> Position | None:
        """Fill an entry at an open without any other event; the position, or None where it is refused."""
        account, entries = self._account, self._entries
        order = entries.order[number]
        refusal = account.refusal(order)
        if refusal is None and not entries.rescaled[number]:
            return account.enter(order, time, entries.price[number])
        account.refuse(order, refusal or "new_scale")
        return None

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
        first, held = len(equity), list(self._held.values())
        if not held:
            equity += [account.equity_usd] * (last - first)
            return
        self.exposed += last - first
        cash = account.cash_usd
        values = [cash + profit for profit in held[0].profits(first, last)]
        for one in held[1:]:
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
        symbol = position.order.symbol
        tape = self._tapes[symbol]
        if symbol not in self._places:
            self._places[symbol] = np.searchsorted(self._time, np.asarray(tape.time)).data
        row, due = self._entries.row[number], self._entries.due[number]
        return Held(position, tape, self._places[symbol], row, due, trailing=self._account.exits.trail_atr > 0)
