"""What a symbol's own candles do not tell: funding, BTC, and the market around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from quorate.core.clock import DAY_MS, timeframe_ms
from quorate.core.errors import FeatureError
from quorate.core.types import Candles, FloatArray, Funding, IntArray
from quorate.features import price, volatility
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.cross_section import COMPARED, CrossSection
from quorate.features.matrix import fill

# Settlements are 1 to 8 hours apart: a rate older than this belongs to a file that ends too early.
_FUNDING_AGE_MS = DAY_MS

_REFERENCED = {
    column.name: column
    for column in (*price.COLUMNS, *volatility.COLUMNS)
    if column.name in {"change_1", "change_4", "change_24", "change_96", "volatility_20"}
}


class Reference:
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
        btc: BTC's candles, or a `Reference` of them to share between symbols.
        market: what the universe did at each bar.
    """

    funding: Funding | None = None
    btc: Candles | Reference | None = None
    market: CrossSection | None = None

    def __post_init__(self) -> None:
        if isinstance(self.btc, Candles):
            object.__setattr__(self, "btc", Reference(self.btc))

    @property
    def reference(self) -> Reference | None:
        """BTC's columns."""
        return self.btc if isinstance(self.btc, Reference) else None


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
    reference = None if btc is None else Reference(btc)
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


def _nothing(bars: Bars) -> FloatArray:
    return np.full(len(bars), np.nan)


def _funding(settlements: int) -> Callable[[Bars], FloatArray]:
    """Mean rate of the newest settlements."""

    def compute(bars: Bars) -> FloatArray:
        rates = _nothing(bars)
        funding = None if bars.context is None else bars.context.funding
        if funding is None or len(funding) < settlements:
            return rates
        closes = bars.time + timeframe_ms(bars.timeframe)
        newest = np.searchsorted(funding.time, closes, side="right") - 1
        known = newest >= settlements - 1
        known[known] = closes[known] - funding.time[newest[known]] <= _FUNDING_AGE_MS
        rows = newest[known]
        rates[known] = np.mean([funding.rate[rows - age] for age in range(settlements)], axis=0)
        return rates

    return compute


def _btc(name: str) -> Callable[[Bars], FloatArray]:
    def compute(bars: Bars) -> FloatArray:
        reference = None if bars.context is None else bars.context.reference
        return _nothing(bars) if reference is None else reference.at(name, bars.time)

    return compute


def _strength(bars_back: int) -> Column:
    """What a unit of BTC would have gained in this symbol instead."""
    btc = _btc(f"change_{bars_back}")

    def compute(bars: Bars) -> FloatArray:
        return (1 + bars.change(bars_back)) / (1 + btc(bars)[bars_back:]) - 1

    return Column(f"btc_strength_{bars_back}", bars_back, compute, context=True)


def _mean(bars_back: int) -> Column:
    def compute(bars: Bars) -> FloatArray:
        market = None if bars.context is None else bars.context.market
        return _nothing(bars) if market is None else market.mean(f"change_{bars_back}", bars.time)

    return Column(f"market_change_{bars_back}", 0, compute, context=True)


def _breadth(bars: Bars) -> FloatArray:
    market = None if bars.context is None else bars.context.market
    return _nothing(bars) if market is None else market.breadth("change_24", bars.time)


def _rank(name: str, compared: str) -> Column:
    column = COMPARED[compared]

    def compute(bars: Bars) -> FloatArray:
        market = None if bars.context is None else bars.context.market
        if market is None:
            return _nothing(bars)
        values = np.asarray(column.compute(bars), np.float64)
        return market.rank(compared, bars.symbol, bars.time[len(bars) - len(values) :], values)

    return Column(name, column.warmup, compute, context=True)


COLUMNS = (
    Column("funding_rate", 0, _funding(1), context=True),
    Column("funding_mean_3", 0, _funding(3), context=True),
    Column("btc_change_1", 0, _btc("change_1"), context=True),
    Column("btc_change_4", 0, _btc("change_4"), context=True),
    Column("btc_change_24", 0, _btc("change_24"), context=True),
    Column("btc_volatility_20", 0, _btc("volatility_20"), context=True),
    _strength(4),
    _strength(24),
    _strength(96),
    _mean(1),
    _mean(4),
    _mean(24),
    Column("market_breadth_24", 0, _breadth, context=True),
    _rank("rank_change_4", "change_4"),
    _rank("rank_change_24", "change_24"),
    _rank("rank_volatility_20", "volatility_20"),
    _rank("rank_volume_20", "volume_ma_ratio"),
)
