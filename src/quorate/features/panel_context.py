"""Contexts from candles: BTC's columns, and the cross-section of a panel of symbols."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.errors import FeatureError
from quorate.core.types import Candles, Funding, IntArray, MarketStatistics
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.context import Context, CrossSection, MarketColumns
from quorate.features.groups import price, volatility
from quorate.features.groups.ranks import COMPARED
from quorate.features.matrix import fill
from quorate.features.rescaled import hide_rescaled

# Columns of BTC that context columns read.
_REFERENCED: dict[str, Column] = {
    column.name: column
    for column in (*price.COLUMNS, *volatility.COLUMNS)
    if column.name in {"change_1", "change_4", "change_24", "change_96", "volatility_20"}
}


def market_columns(candles: Candles) -> MarketColumns:
    """Columns of one market, to share between all symbols that are compared with it.

    Args:
        candles: closed candles of that market, such as BTC's.

    Raises:
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.
    """
    values = np.empty((len(candles), len(_REFERENCED)))
    fill(values, Bars(candles), tuple(_REFERENCED.values()))
    hide_rescaled(values, candles, candles.timeframe, max(column.warmup for column in _REFERENCED.values()))
    return MarketColumns(candles.timeframe, candles.time, tuple(_REFERENCED), values)


def cross_section(panel: Mapping[str, Candles]) -> CrossSection:
    """Columns of every symbol of a panel on one time axis.

    Args:
        panel: symbol -> candles, all in one timeframe.

    Raises:
        FeatureError: no symbols, or several timeframes.
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.
    """
    timeframes = {candles.timeframe for candles in panel.values()}
    if len(timeframes) != 1:
        raise FeatureError(
            "compare symbols",
            found=f"{len(panel)} symbols in timeframes {', '.join(sorted(timeframes)) or 'none'}",
            expected="at least one symbol, all in one timeframe",
        )
    time: IntArray = np.unique(np.concatenate([candles.time for candles in panel.values()]))
    values = np.full((len(COMPARED), len(time), len(panel)), np.nan, np.float32)
    for place, candles in enumerate(panel.values()):
        columns = np.empty((len(candles), len(COMPARED)))
        fill(columns, Bars(candles), tuple(COMPARED.values()))
        hide_rescaled(columns, candles, candles.timeframe, max(column.warmup for column in COMPARED.values()))
        values[:, np.searchsorted(time, candles.time), place] = columns.T
    return CrossSection(timeframes.pop(), time, tuple(panel), tuple(COMPARED), values)


def contexts(
    panel: Mapping[str, Candles],
    funding: Mapping[str, Funding] | None = None,
    btc: Candles | None = None,
    statistics: Mapping[str, MarketStatistics] | None = None,
) -> dict[str, Context]:
    """A context for every symbol of a panel, which is also the universe they are ranked in.

    Args:
        panel: symbol -> candles, all in one timeframe.
        funding: symbol -> settlements; a symbol without any has NaN in its funding columns.
        btc: BTC's candles; None takes them from the panel, if it has them.
        statistics: symbol -> market statistics in the panel's timeframe; a symbol without any has NaN in their columns.

    Raises:
        FeatureError: no symbols, or several timeframes.
        CandleError: a price that is not finite and positive, or a volume that is not finite and at least 0.
    """
    market = cross_section(panel)
    if btc is None:
        btc = panel.get("BTC/USDT:USDT", panel.get("BTC/USDT"))
    reference = None if btc is None else market_columns(btc)
    return {
        symbol: Context((funding or {}).get(symbol), reference, market, (statistics or {}).get(symbol))
        for symbol in panel
    }


def require_context(bars: Bars, features: str) -> None:
    """Refuse bars whose context is missing or belongs to another market.

    Raises:
        FeatureError: no context, another timeframe, or funding or statistics of another coin.
    """
    context, attempted = bars.context, f"compute {features} of {bars.symbol}"
    if context is None:
        raise FeatureError(
            attempted,
            found="no context",
            expected="funding, BTC's columns and the cross-section of the universe",
            remedy="Pass context=Context(...), or choose a feature set that reads the symbol's own candles only.",
        )
    for what, part in (
        ("BTC's columns", context.btc), ("the cross-section", context.market), ("statistics", context.statistics)
    ):  # fmt: skip
        if part is not None and part.timeframe != bars.timeframe:
            raise FeatureError(attempted, found=f"{what} in {part.timeframe}", expected=bars.timeframe)
    for what, own in (("funding", context.funding), ("statistics", context.statistics)):
        if own is not None and _coin(own.symbol) != _coin(bars.symbol):
            raise FeatureError(attempted, found=f"{what} of {own.symbol}", expected=f"that of {bars.symbol}")


def _coin(symbol: str) -> str:
    return symbol.partition(":")[0]
