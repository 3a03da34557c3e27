"""The loop of a backtest bar by bar: with guards, which see every bar, and with entries that are sized one by one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import NamedTuple

from quorate.core.types import FloatArray
from quorate.trading.account.bar import Bar
from quorate.trading.account.order import Order
from quorate.trading.account.orders import Orders
from quorate.trading.account.tape import Tape
from quorate.trading.engine import TradingEngine
from quorate.trading.oversight import GuardInputs
from quorate.trading.sizing.context import AccountState
from quorate.trading.sizing.overlay import Overlay

#: (symbol, time of the decision) -> (6,) context of the decision.
DecisionContexts = Mapping[tuple[str, int], FloatArray]


class OpenEntry(NamedTuple):
    """An entry that waits for its share of the ordinary stake.

    Attributes:
        order: at the ordinary stake.
        close: of the bar at whose close it was decided, ms.
        decision: (6,) its context.
        state: of the account after that close.
    """

    order: Order
    close: int
    decision: FloatArray
    state: AccountState


class SteppedRun:
    """One run of an engine over stored markets.

    Args:
        engine: with a new account.
        orders: all have a bar to fill in.
        tapes: symbol -> market.
        times: open times in ms of all their bars in the run, increasing.
        inputs: decisions and members for the guards; None without guards.
        contexts: of the orders that are to be sized; None where all have the ordinary stake.

    Attributes:
        equity: at the close of each bar so far.
        exposed: number of bars so far with a position after their open.
        sized: shares of the entries so far that an overlay sized.
    """

    def __init__(
        self,
        engine: TradingEngine,
        orders: Orders,
        tapes: Mapping[str, Tape],
        times: list[int],
        inputs: GuardInputs | None = None,
        contexts: DecisionContexts | None = None,
    ) -> None:
        self.engine = engine
        self.equity: list[float] = []
        self.exposed = 0
        self.sized: list[float] = []
        self._orders, self._tapes, self._times = orders, tapes, times
        self._inputs, self._contexts = inputs, contexts or {}

    def drive(self, overlay: Overlay | None = None) -> None:
        """Trade all bars; without an overlay every entry has its ordinary stake."""
        candidates = self.candidates()
        share: float | None = None
        while True:
            try:
                found = candidates.send(share)  # type: ignore[arg-type]  # None starts it
            except StopIteration:
                return
            share = 1.0 if overlay is None else overlay.share(found.close, found.decision, found.state)

    def candidates(self) -> Generator[OpenEntry, float, None]:
        """Trade all bars; each entry that may fill is given, and its share of the ordinary stake sent.

        Not given are entries that the guards stop, and those that find no slot or a position that is not due at the
        next open: their share changes nothing.
        """
        engine, orders, time = self.engine, self._orders, 0
        endings = _endings(self._tapes)

        def bar_of(symbol: str) -> Bar | None:
            return self._tapes[symbol].at(time)

        for time in self._times:
            engine.at_open(time, bar_of)
            self.exposed += bool(engine.account.positions)
            decisions, valid = ([], 0) if self._inputs is None else self._inputs.at(time)
            engine.at_close(time, bar_of, endings.get(time, ()), decisions, valid)
            close = time + engine.length_ms
            submitted = orders.at(close)
            if self._contexts:
                for order in submitted:
                    share, decision = 1.0, self._contexts.get((order.symbol, order.decided))
                    if decision is not None and engine.may_fill(order.symbol, close):
                        share = yield OpenEntry(order, close, decision, engine.state)
                        self.sized.append(share)
                    engine.submit([order], {order.symbol: share})
            else:
                engine.submit(submitted)
            self.equity.append(engine.account.equity_usd)


def _endings(tapes: Mapping[str, Tape]) -> dict[int, list[str]]:
    """Time of the last bar -> the symbols that end with it."""
    endings: dict[int, list[str]] = {}
    for symbol, tape in tapes.items():
        if len(tape.time):
            endings.setdefault(tape.time[-1], []).append(symbol)
    return endings
