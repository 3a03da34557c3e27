"""What a symbol's own candles do not tell: funding, BTC, and the market around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.errors import FeatureError
from quorate.core.types import Candles, FloatArray, Funding, IntArray
from quorate.features.bars import Bars
from quorate.features.cross_section import CrossSection
from quorate.features.groups import price, volatility
from quorate.features.matrix import fill

_REFERENCED = {
    column.name: column
    for column in (*price.COLUMNS, *volatility.COLUMNS)
    if column.name in {"change_1", "change_4", "change_24", "change_96", "volatility_20"}
}


class MarketColumns:
    """Columns of one market, looked up by bar time: worked out once for all the symbols that are held against it."""

    def __init__(self, candles: Candles) -> None:
        self.timeframe = candles.timeframe
        self._time = candles.time
        self._values = np.empty((len(candles), len(_REFERENCED)))
        fill(self._values, Bars(candles), tuple(_REFERENCED.values()))

    def at(self, name: str, time: IntArray) -> FloatArray:
        """A column at each time: (n,) float64, NaN where the market has no bar."""
        out = np.full(len(time), np.nan)
        if len(self._time):
            rows = np.minimum(np.searchsorted(self._time, time), len(self._time) - 1)
            found = self._time[rows] == time
            out[found] = self._values[rows[found], list(_REFERENCED).index(name)]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What context columns read. A part that is None makes its columns NaN, so that a model abstains.

    Attributes:
        funding: settlements of the symbol itself. A bar knows those up to its close, at most a day old.
        btc: BTC's candles, or a `MarketColumns` of them to share between symbols.
        market: what the universe did at each bar.
    """

    funding: Funding | None = None
    btc: Candles | MarketColumns | None = None
    market: CrossSection | None = None

    def __post_init__(self) -> None:
        if isinstance(self.btc, Candles):
            object.__setattr__(self, "btc", MarketColumns(self.btc))

    @property
    def reference(self) -> MarketColumns | None:
        """BTC's columns."""
        return self.btc if isinstance(self.btc, MarketColumns) else None


def contexts(
    panel: Mapping[str, Candles], funding: Mapping[str, Funding] | None = None, btc: Candles | None = None
) -> dict[str, Context]:
    """A context for every symbol of a panel, which is also the universe they are ranked in.

    Args:
        panel: symbol -> candles, all in one timeframe.
        funding: symbol -> settlements; symbols without stay without.
        btc: BTC's candles; None takes them from the panel, where they are there.

    Raises:
        FeatureError: no symbols, or several timeframes.
    """
    market = CrossSection(panel)
    if btc is None:
        btc = panel.get("BTC/USDT:USDT", panel.get("BTC/USDT"))
    reference = None if btc is None else MarketColumns(btc)
    return {symbol: Context((funding or {}).get(symbol), reference, market) for symbol in panel}


def require_context(bars: Bars, features: str) -> None:
    """Refuse a context that is not there or belongs to something else.

    Raises:
        FeatureError: none at all, another timeframe, or another coin's funding.
    """
    context, attempted = bars.context, f"compute {features} of {bars.symbol}"
    if context is None:
        raise FeatureError(
            attempted,
            found="no context",
            expected="funding, BTC's candles and the universe",
            remedy="Pass context=Context(...), or choose a feature set that reads the symbol's own candles only.",
        )
    for what, part in (("BTC's candles", context.reference), ("the universe", context.market)):
        if part is not None and part.timeframe != bars.timeframe:
            raise FeatureError(attempted, found=f"{what} in {part.timeframe}", expected=f"{bars.timeframe}, as its own")
    if context.funding is not None and _coin(context.funding.symbol) != _coin(bars.symbol):
        raise FeatureError(attempted, found=f"funding of {context.funding.symbol}", expected=f"that of {bars.symbol}")


def _coin(symbol: str) -> str:
    return symbol.partition(":")[0]
