"""Forecasts of a market's volatility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from quorate.core.arguments import require_type
from quorate.core.clock import format_ms, iso_ms, now_ms
from quorate.core.errors import ArgumentError, TooLittleHistoryError, close_match
from quorate.core.types import Candles, FloatArray, IntArray
from quorate.ensemble.inference.bar_checks import require_past
from quorate.evaluation.report.formatting import SYNTHETIC
from quorate.models.volatility import CONFIDENCE, forecast_all, horizons
from quorate.workflows.results import listing, tables

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class HorizonVolatility:
    """Forecast of the volatility over one horizon.

    Attributes:
        horizon: "1 bar", "5 bars", "1 day" or "7 days".
        bars: the horizon in bars.
        value: standard deviation of the log return over the horizon, a fraction; NaN with too little history.
        low, high: 90 % interval of the realised volatility.
        rows: bars of the history that the forecast was fitted on.
    """

    horizon: str
    bars: int
    value: float
    low: float
    high: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        figures = {name: None if isnan(value) else value for name, value in self._figures.items()}
        return {"horizon": self.horizon, "bars": self.bars, **figures, "rows": self.rows}

    @property
    def _figures(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True, repr=False)
class VolatilityForecast(listing.Listing):
    """Forecasts of a market's volatility from its newest closed bar.

    Attributes:
        symbol, timeframe: of the candles.
        time: open time of the newest closed bar in ms UTC; horizons begin at its close.
        horizons: one forecast each, the nearest first.
        synthetic: made from generated candles.
    """

    symbol: str
    timeframe: str
    time: int
    horizons: tuple[HorizonVolatility, ...]
    synthetic: bool = False

    def over(self, horizon: str) -> HorizonVolatility:
        """The forecast of one horizon.

        Args:
            horizon: "1 bar", "5 bars", "1 day" or "7 days".

        Raises:
            ArgumentError: no such horizon.
        """
        for each in self.horizons:
            if each.horizon == horizon:
                return each
        raise _unknown_horizon(horizon, [each.horizon for each in self.horizons])

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "time": iso_ms(self.time),
            "horizons": [each.to_json() for each in self.horizons],
            "synthetic": self.synthetic,
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row a horizon, indexed by its name.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        columns = ("horizon", "bars", "value", "low", "high", "rows")
        rows = [[getattr(each, name) for name in columns] for each in self.horizons]
        frame: pd.DataFrame = tables.pandas().DataFrame(rows, columns=list(columns)).set_index("horizon")
        return frame

    @property
    def title(self) -> str:
        return f"volatility of {self.symbol} {self.timeframe} from {format_ms(self.time)}"

    @property
    def marks(self) -> tuple[str, ...]:
        return (SYNTHETIC,) if self.synthetic else ()

    @property
    def lines(self) -> listing.Lines:
        lines = [
            (each.horizon, "too little history", "", "")
            if isnan(each.value)
            else (each.horizon, f"{each.value:.2%}", f"{each.low:.2%} to {each.high:.2%}", f"{each.rows:,}")
            for each in self.horizons
        ]
        return listing.Lines(("over the next", "volatility", f"{CONFIDENCE:.0%} interval", "fitted bars"), tuple(lines))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class VolatilityFrame:
    """Forecasts of a market's volatility at each of n bars, none of which depends on a later bar.

    Attributes:
        symbol, timeframe: of the candles.
        time: (n,) int64 open times in ms UTC.
        value: horizon -> (n,) float64 standard deviation of the log return over the horizon, a fraction; NaN where
            there is too little history.
        low, high: horizon -> (n,) float64, 90 % interval of the realised volatility.
        rows: horizon -> (n,) int64, bars that the forecast was fitted on.
        synthetic: made from generated candles.
    """

    symbol: str
    timeframe: str
    time: IntArray
    value: Mapping[str, FloatArray]
    low: Mapping[str, FloatArray]
    high: Mapping[str, FloatArray]
    rows: Mapping[str, IntArray]
    synthetic: bool = field(default=False, kw_only=True)

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        known = {name: int(np.isfinite(values).sum()) for name, values in self.value.items()}
        counts = ", ".join(f"{name} at {count:,}" for name, count in known.items())
        return f"volatility of {self.symbol} {self.timeframe}, {len(self):,} bars: {counts}"

    def to_pandas(self) -> pd.DataFrame:
        """A row a bar, indexed by its open time in UTC; columns of two levels: the horizon, and what of it.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        parts = {"value": self.value, "low": self.low, "high": self.high, "rows": self.rows}
        columns = {(name, part): arrays[name] for name in self.value for part, arrays in parts.items()}
        frame: pd.DataFrame = tables.pandas().DataFrame(columns, index=tables.utc(self.time).rename("time"))
        if self.synthetic:
            frame.attrs["synthetic"] = True
        return frame


def volatility(candles: Candles, *, now: int | None = None) -> VolatilityForecast:
    """Forecast a market's volatility over the next bar, 5 bars, day and 7 days, from its newest closed bar.

    The model, log-HAR, is fitted on the candles themselves. Of 1h candles, 10 days serve all horizons but the last,
    which needs 47; half a year or more is better.

    Args:
        candles: of one market, oldest first.
        now: in ms UTC; bars that are not closed by then are left out. None for the clock's.

    Raises:
        ArgumentError: not candles, such as a pandas frame.
        CandleError: a bar that opens after `now`, or a price that is not finite and positive.
        TooLittleHistoryError: too few bars for any horizon.

    >>> import quorate
    >>> from quorate.market import SyntheticMarket
    >>> candles = SyntheticMarket(seed=1, symbols=1, bars=2_000).candles("SYNA/USDT:USDT")
    >>> forecast = quorate.volatility(candles)
    >>> [each.horizon for each in forecast.horizons]
    ['1 bar', '5 bars', '1 day', '7 days']
    """
    closed = _closed(candles, now)
    made = forecast_all(closed, newest=True)
    bars = horizons(closed.timeframe)
    found = []
    for name, each in made.items():
        value, low, high = (float(part[-1]) if len(closed) else nan for part in (each.value, each.low, each.high))
        found.append(HorizonVolatility(name, bars[name], value, low, high, int(each.rows[-1]) if len(closed) else 0))
    if all(isnan(each.value) for each in found):
        raise TooLittleHistoryError(
            f"forecast the volatility of {candles.symbol}",
            found=f"{len(closed):,} closed bars of {candles.timeframe}",
            expected="a week of bars, and 100 more without gaps",
            remedy="Load a longer history, such as half a year.",
        )
    return VolatilityForecast(closed.symbol, closed.timeframe, int(closed.time[-1]), tuple(found), closed.synthetic)


def volatility_frame(candles: Candles, *, now: int | None = None) -> VolatilityFrame:
    """Forecast a market's volatility at every closed bar, as `volatility` would have done then.

    The model is fitted anew at the first bar of each UTC day.

    Args:
        candles: of one market, oldest first.
        now: in ms UTC; bars that are not closed by then are left out. None for the clock's.

    Raises:
        ArgumentError: not candles, such as a pandas frame.
        CandleError: a bar that opens after `now`, or a price that is not finite and positive.
    """
    closed = _closed(candles, now)
    made = forecast_all(closed)
    return VolatilityFrame(
        closed.symbol,
        closed.timeframe,
        closed.time,
        {name: each.value for name, each in made.items()},
        {name: each.low for name, each in made.items()},
        {name: each.high for name, each in made.items()},
        {name: each.rows for name, each in made.items()},
        synthetic=closed.synthetic,
    )


def _closed(candles: Candles, now: int | None) -> Candles:
    attempted = "forecast volatility"
    require_type(
        attempted, "candles", candles, Candles, "Candles",
        'Convert a pandas frame: quorate.Candles.from_pandas(frame, "BTC/USDT:USDT", "1h").',
    )  # fmt: skip
    if now is not None:
        require_type(attempted, "now", now, (int, np.integer), "a time in ms UTC")
    moment = now_ms() if now is None else int(now)
    require_past(candles, moment, f"{attempted} of")
    return candles.closed(moment)


def _unknown_horizon(name: Any, known: list[str]) -> ArgumentError:
    return ArgumentError(
        "choose a volatility forecast",
        found=f"`horizon` {name!r}",
        expected=f"one of {', '.join(known)}",
        remedy=close_match(name, known),
    )
