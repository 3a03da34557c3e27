"""The entries that decisions on closed bars ask for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import TradingError
from quorate.core.types import Action, Candles, DecisionFrame, FloatArray
from quorate.features import Bars, atr_14
from quorate.trading.order import Order


class Orders:
    """Orders by the open at which they fill, the most confident first, then by symbol.

    Args:
        frames: symbol -> decisions.
        candles: symbol -> candles, at least of the frames' bars; older ones warm ATR up.
        horizon: bars that a position may last.
        start, end: only decisions of bars in [start, end), in ms.
        probabilities: symbol -> (n,) calibrated probability, row by row with the frame, that its decision wins.

    Attributes:
        times: fill times in ms, increasing.
        unfillable: orders with no bar to fill them, since a gap or the end of the run follows the decision.

    Raises:
        TradingError: decisions that do not belong to the candles.
    """

    def __init__(
        self,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        horizon: int,
        start: int | None = None,
        end: int | None = None,
        probabilities: Mapping[str, FloatArray] | None = None,
    ) -> None:
        self.unfillable = 0
        orders: list[tuple[int, float, str, Order]] = []
        for symbol, frame in frames.items():
            orders += self._of(symbol, frame, candles[symbol], horizon, start, end, (probabilities or {}).get(symbol))
        orders.sort(key=lambda entry: entry[:3])
        self._by_time: dict[int, list[Order]] = {}
        for time, _, _, order in orders:
            self._by_time.setdefault(time, []).append(order)
        self.times = list(self._by_time)

    def at(self, time: int) -> list[Order]:
        """Entries for the open at `time`, the best first."""
        return self._by_time.get(time, [])

    def _of(
        self,
        symbol: str,
        frame: DecisionFrame,
        candles: Candles,
        horizon: int,
        start: int | None,
        end: int | None,
        probability: FloatArray | None,
    ) -> list[tuple[int, float, str, Order]]:
        _check(frame, candles, probability)
        length = timeframe_ms(candles.timeframe)
        wanted = frame.action != Action.HOLD
        if start is not None:
            wanted &= frame.time >= start
        if end is not None:
            wanted &= frame.time < end
        chosen = np.flatnonzero(wanted)
        if not chosen.size:
            return []
        decided = frame.time[chosen]
        fills = decided + length
        row = np.searchsorted(candles.time, fills)
        fillable = candles.time[np.minimum(row, len(candles) - 1)] == fills
        if end is not None:
            fillable &= fills < end
        self.unfillable += int(np.count_nonzero(~fillable))
        chosen, decided, fills, row = chosen[fillable], decided[fillable], fills[fillable], row[fillable]
        confidence = np.nan_to_num(frame.confidence[chosen], nan=0.0)
        return [
            (fill, -order.confidence, symbol, order)
            for fill, order in zip(
                fills.tolist(),
                map(
                    Order,
                    [symbol] * len(chosen),
                    np.where(frame.action[chosen] == Action.BUY, 1, -1).tolist(),
                    decided.tolist(),
                    (fills + horizon * length).tolist(),
                    confidence.tolist(),
                    # The bar before the fill is the bar of the decision: nothing newer is known.
                    atr_14(Bars(candles))[row - 1].tolist(),
                    (np.full(len(chosen), np.nan) if probability is None else probability[chosen]).tolist(),
                ),
                strict=True,
            )
        ]


def _check(frame: DecisionFrame, candles: Candles, probability: FloatArray | None) -> None:
    attempted = f"trade the decisions on {frame.symbol} {frame.timeframe}"
    if (frame.symbol, frame.timeframe) != (candles.symbol, candles.timeframe):
        raise TradingError(
            attempted, found=f"candles of {candles.symbol} {candles.timeframe}", expected="the same market"
        )
    lengths = {len(frame.time), len(frame.action), len(frame.confidence)}
    if probability is not None:
        lengths.add(len(probability))
    if len(lengths) > 1:
        raise TradingError(attempted, found=f"columns of {sorted(lengths)} rows", expected="one length")
    if not len(frame):
        return
    unknown = ~np.isin(frame.time, candles.time, assume_unique=False)
    if unknown.any():
        raise TradingError(
            attempted,
            found=f"a decision at {format_ms(int(frame.time[unknown][0]))}, where there is no candle",
            expected="decisions on the candles' own bars",
            remedy="Pass the candles that the decisions were made on.",
        )
    if np.any(np.diff(frame.time) <= 0):
        raise TradingError(attempted, found="decisions out of order or twice", expected="times that increase")
    if not np.isin(frame.action, [int(action) for action in Action]).all():
        raise TradingError(attempted, found="an action that is none", expected="0 SELL, 1 HOLD, 2 BUY")
