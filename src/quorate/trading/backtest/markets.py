"""Markets that backtests over one span share, prepared once for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from quorate.core.scale_changes import scale_change_times
from quorate.core.types import Candles, FloatArray, Funding
from quorate.trading.account.orders import order_atr
from quorate.trading.account.tape import Tape


class TradedMarkets:
    """Candles, funding and mark prices of markets; what a backtest needs of each is made when it is first needed.

    Args:
        candles: symbol -> candles; those before `start` warm ATR up.
        funding: symbol -> settlements; None where unknown.
        marks: symbol -> mark prices of the same timeframe.
        start, end: of the run, in ms, inclusive and exclusive; None for all.
    """

    def __init__(
        self,
        candles: Mapping[str, Candles],
        funding: Mapping[str, Funding | None],
        marks: Mapping[str, Candles | None] | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        self.candles, self.start, self.end = candles, start, end
        self._funding, self._marks = funding, marks or {}
        self._bars: dict[str, Candles] = {}
        self._tapes: dict[str, Tape] = {}
        self._atr: dict[str, FloatArray] = {}

    def bars(self, symbol: str) -> Candles:
        """The candles of the run."""
        if symbol not in self._bars:
            self._bars[symbol] = self.candles[symbol].between(self.start, self.end)
        return self._bars[symbol]

    def tape(self, symbol: str) -> Tape:
        """The bars of the run, as an account sees them."""
        if symbol not in self._tapes:
            rescaled = scale_change_times(self.candles[symbol])
            self._tapes[symbol] = Tape(self.bars(symbol), self._funding.get(symbol), self._marks.get(symbol), rescaled)
        return self._tapes[symbol]

    def atr(self, symbol: str) -> FloatArray:
        """(n,) ATR of the bars of decisions, of all candles."""
        if symbol not in self._atr:
            self._atr[symbol] = order_atr(self.candles[symbol])
        return self._atr[symbol]
