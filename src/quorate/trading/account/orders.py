"""Entry orders of decision frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import TradingError
from quorate.core.types import Action, Candles, DecisionFrame, FloatArray, IntArray
from quorate.features import Bars, atr_14
from quorate.features.rescaled import rescaled_rows
from quorate.trading.account.costs import new_tuple
from quorate.trading.account.order import Order


def order_atr(candles: Candles) -> FloatArray:
    """(n,) ATR(14) of the bars of decisions; NaN while it holds prices of another scale."""
    atr = atr_14(Bars(candles))
    rescaled = rescaled_rows(candles, candles.timeframe)
    return atr if rescaled is None else np.where(rescaled, np.nan, atr)


class Orders:
    """Orders by the open at which they fill, by descending confidence, then by symbol.

    Args:
        frames: symbol -> decisions.
        candles: symbol -> candles of at least the frames' bars; older ones warm ATR up.
        horizon: maximum number of bars that a position is held.
        start, end: only decisions of bars in [start, end), in ms.
        probabilities: symbol -> (n,) calibrated probability that the decision wins, aligned with the frame; NaN where
            unknown.
        atr: symbol -> `order_atr` of its candles; None to compute it.
        shares: symbol -> (n,) share of the ordinary stake that a panel leaves, aligned with the frame; None without a
            panel. Decisions without a share have no order.

    Attributes:
        symbols: of the frames, sorted.
        all: n orders.
        fill, due: (n,) open times in ms at which each fills, increasing, and closes at the latest.
        symbol: (n,) place of its symbol in `symbols`.
        unfillable: number of orders whose decision is followed by a gap or the end of the run.
        vetoed: number of fillable decisions without a share.

    Raises:
        TradingError: decisions that do not match the candles.
    """

    def __init__(
        self,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        horizon: int,
        start: int | None = None,
        end: int | None = None,
        probabilities: Mapping[str, FloatArray] | None = None,
        atr: Callable[[str], FloatArray] | None = None,
        shares: Mapping[str, FloatArray] | None = None,
    ) -> None:
        self.unfillable = self.vetoed = 0
        self._atr = atr
        self.symbols = symbols = sorted(frames)
        parts = [
            self._of(
                *(frames[symbol], candles[symbol], start, end),
                *((probabilities or {}).get(symbol), (shares or {}).get(symbol)),
            )
            for symbol in symbols
        ]
        fill, decided, confidence, side, ranges, probability, share = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        symbol = np.repeat(np.arange(len(symbols)), [len(part[0]) for part in parts])
        best_first = np.lexsort((symbol, -confidence, fill))
        due = fill + horizon * timeframe_ms(frames[symbols[0]].timeframe)
        known = (side, decided, due, confidence, ranges, probability, share)
        columns = (column[best_first].tolist() for column in known)
        self.symbol, self.fill, self.due = symbol[best_first], fill[best_first], due[best_first]
        names = map(symbols.__getitem__, self.symbol.tolist())
        self.all = list(map(partial(new_tuple, Order), zip(names, *columns, strict=True)))

    def at(self, time: int) -> list[Order]:
        """Orders for the open at `time`, the best first."""
        first, last = np.searchsorted(self.fill, (time, time + 1)).tolist()
        return self.all[first:last]

    def _of(
        self,
        frame: DecisionFrame,
        candles: Candles,
        start: int | None,
        end: int | None,
        probability: FloatArray | None,
        share: FloatArray | None,
    ) -> tuple[IntArray, IntArray, FloatArray, IntArray, FloatArray, FloatArray, FloatArray]:
        """Fill time, time of the decision, confidence, side, ATR, probability and stake of one market's orders."""
        _check(frame, candles, probability, share)
        wanted = frame.action != Action.HOLD
        if start is not None:
            wanted &= frame.time >= start
        if end is not None:
            wanted &= frame.time < end
        chosen = np.flatnonzero(wanted)
        fill = frame.time[chosen] + timeframe_ms(candles.timeframe)
        row = np.searchsorted(candles.time, fill)
        fillable = row < len(candles)
        fillable[fillable] = candles.time[row[fillable]] == fill[fillable]
        if end is not None:
            fillable &= fill < end
        self.unfillable += int(np.count_nonzero(~fillable))
        if share is not None:
            vetoed = fillable & (share[chosen] == 0)
            self.vetoed += int(np.count_nonzero(vetoed))
            fillable &= ~vetoed
        chosen, fill, row = chosen[fillable], fill[fillable], row[fillable]
        # The bar before the fill is the bar of the decision; nothing newer may be used.
        atr = np.zeros(0)
        if row.size:
            atr = (order_atr(candles) if self._atr is None else self._atr(frame.symbol))[row - 1]
        return (
            fill,
            frame.time[chosen],
            np.nan_to_num(frame.confidence[chosen], nan=0.0),
            np.where(frame.action[chosen] == Action.BUY, 1, -1),
            atr,
            np.full(len(chosen), np.nan) if probability is None else probability[chosen],
            np.ones(len(chosen)) if share is None else share[chosen],
        )


def _check(frame: DecisionFrame, candles: Candles, probability: FloatArray | None, share: FloatArray | None) -> None:
    attempted = f"trade the decisions on {frame.symbol} {frame.timeframe}"
    if (frame.symbol, frame.timeframe) != (candles.symbol, candles.timeframe):
        raise TradingError(
            attempted, found=f"candles of {candles.symbol} {candles.timeframe}", expected="the same market"
        )
    lengths = {len(frame.time), len(frame.action), len(frame.confidence)}
    if probability is not None:
        lengths.add(len(probability))
        if ((probability < 0) | (probability > 1)).any():
            raise TradingError(attempted, found="a probability outside 0 to 1", expected="0 to 1, or NaN where unknown")
    if share is not None:
        lengths.add(len(share))
        if not ((share >= 0) & (share <= 1)).all():
            raise TradingError(attempted, found="a share of the stake outside 0 to 1", expected="0 to 1")
    if len(lengths) > 1:
        raise TradingError(attempted, found=f"columns of {sorted(lengths)} rows", expected="one length")
    if not len(frame):
        return
    row = np.searchsorted(candles.time, frame.time)
    unknown = row == len(candles)
    unknown[~unknown] = candles.time[row[~unknown]] != frame.time[~unknown]
    if unknown.any():
        raise TradingError(
            attempted,
            found=f"a decision at {format_ms(int(frame.time[unknown][0]))}, where there is no candle",
            expected="decisions on bars of the candles",
            remedy="Pass the candles that the decisions were made on.",
        )
    if np.any(np.diff(frame.time) <= 0):
        raise TradingError(attempted, found="decisions out of order or twice", expected="increasing times")
    if frame.action.min() < min(Action) or frame.action.max() > max(Action):
        raise TradingError(attempted, found="an invalid action", expected="0 SELL, 1 HOLD, 2 BUY")
