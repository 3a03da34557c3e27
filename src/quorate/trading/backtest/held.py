"""An open position of a backtest between its events: where the next one can be, and its value until then."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from quorate.trading.account.position import Position
from quorate.trading.account.tape import Tape


class Held:
    """An open position that is left alone until its next event.

    Steps count the opens and closes of a run: step 2k is the open of its k-th bar, step 2k + 1 what follows it up to
    the close. At each step before `wakes`, the account would find nothing to do for the position but to value it.

    Args:
        position: just opened.
        tape: its market.
        places: row of the tape -> number of the bar in the run, over all markets.
        row: of the tape, at whose open it opened.
        due: row at whose open it closes at the latest; the number of rows where there is none.
        trailing: whether its stop may move at every close.

    Attributes:
        due: as given.
        row: first row that is not valued yet.
        wakes: first step at which the account has to look at the position.
    """

    __slots__ = ("_places", "_price", "_signed", "_trailing", "due", "position", "row", "tape", "wakes")

    def __init__(
        self, position: Position, tape: Tape, places: Sequence[int], row: int, due: int, *, trailing: bool
    ) -> None:
        self.position, self.tape, self._places, self.row, self.due = position, tape, places, row, due
        self._trailing = trailing
        self._signed, self._price = position.order.side * position.size.quantity, position.entry.price
        self.opened()

    def opened(self) -> None:
        """Find the next step that matters after the open of the row.

        Levels are compared with the extremes of bars, open and mark price included, so nothing that `exits.reached`
        finds is passed over.
        """
        row, tape = self.row, self.tape
        if self._trailing or row in tape.settled_inside:
            self.wakes = 2 * self._places[row] + 1
            return
        # The open of `last` is the next one at which something happens, if it is not past the end of the market.
        last, special, rows = self.due, tape.next_special[row], len(tape.time)
        if special < last:
            last = special
        final = last if last < rows else rows - 1
        position = self.position
        stop, target, liquidation = position.stop, position.size.target, position.liquidation_price
        if self._signed > 0:
            worst, best, marked = tape.lowest, tape.highest, tape.mark_lowest
            while row < final and worst[row] > stop and best[row] < target and marked[row] > liquidation:
                row += 1
        else:
            worst, best, marked = tape.highest, tape.lowest, tape.mark_highest
            while row < final and worst[row] < stop and best[row] > target and marked[row] < liquidation:
                row += 1
        self.wakes = 2 * self._places[row] + (row != last)

    def closed(self) -> None:
        """Find the next step that matters after the close of the row, at which the account has valued the position."""
        row = self.row
        self.row = row + 1
        if row + 1 in (self.due, self.tape.next_special[row]):
            self.wakes = 2 * self._places[row + 1]
        else:
            self.opened()

    def equity(self, cash: float, first: int, last: int) -> list[float]:
        """Value the only position of an account at the bars from `first` to before `last` of the run.

        Returns:
            The account's equity at each of their closes, as `Account.equity_usd`.
        """
        signed, price, least = self._signed, self._price, -self.position.margin_left_usd
        return [
            value if (value := cash + (profit if (profit := signed * (mark - price)) > least else least)) > 0.0 else 0.0
            for mark in self._marks(first, last)
        ]

    def profits(self, first: int, last: int) -> list[float]:
        """Value one position of several at the bars from `first` to before `last` of the run.

        Returns:
            Its unrealised profit at each of their closes, as `Position.unrealised_usd`.
        """
        signed, price, least = self._signed, self._price, -self.position.margin_left_usd
        return [profit if (profit := signed * (mark - price)) > least else least for mark in self._marks(first, last)]

    def _marks(self, first: int, last: int) -> list[float]:
        """Last prices at the closes of these bars; where its market has no bar, those before it."""
        row, tape, places, position = self.row, self.tape, self._places, self.position
        end = row + last - first
        if end <= len(places) and places[end - 1] == last - 1:
            prices: list[Any] = tape.close[row:end].tolist()
        else:
            end = bisect_left(places, last, row)
            prices, price, next_row = [], position.mark, row
            for place in range(first, last):
                if next_row < end and places[next_row] == place:
                    price, next_row = tape.close[next_row], next_row + 1
                prices.append(price)
        if end > row:
            self.row, position.mark = end, prices[-1]
            if position.funding_known and tape.funding_missing is not None:
                position.funding_known = _known(tape.funding_missing, row, end)
            if position.mark_known and tape.mark_missing is not None:
                position.mark_known = _known(tape.mark_missing, row, end)
        return prices


def _known(missing: Sequence[int], first: int, last: int) -> bool:
    """Whether nothing is missing at rows from `first` to before `last`."""
    return missing[last - 1] == (missing[first - 1] if first else 0)
