"""Decisions on every bar of Freqtrade's frame of one pair; a frame without decisions gives the reason instead."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from quorate.core.clock import format_ms
from quorate.core.errors import BundleError, FreqtradeError, QuorateError, TrainingSpanError
from quorate.core.types import Candles, DecisionFrame, FloatArray, IntArray
from quorate.ensemble.inference.bar_checks import TRAINING_SPAN
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.series import BEFORE_SERIES
from quorate.ensemble.voting.fallback import fallback_frame
from quorate.features import Bars, atr_14, volatility_20
from quorate.integrations.freqtrade.frames import read_frame
from quorate.integrations.freqtrade.inference.bundle_source import BundleSource
from quorate.integrations.freqtrade.inference.frame_cache import FrameCache, frame_key
from quorate.integrations.freqtrade.inference.signal_columns import empty_columns, frame_columns
from quorate.integrations.freqtrade.strategy_options import StrategyOptions
from quorate.market.quality.quiet_bars import quiet_bars

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

# Messages kept in order to log each once; beyond so many, as in a bot that runs for years, they are forgotten.
_MAX_LOGGED = 1_000


class FrameForecast(NamedTuple):
    """Decisions and candles of one pair.

    Attributes:
        bundle: ID of the bundle that decided.
        candles: n candles.
        decisions: n bars.
        atr: (n,) ATR(14) in price units; NaN in the warm-up.
        rows: (n,) the frame's row of each bar.
        length: rows of the frame.
    """

    bundle: str
    candles: Candles
    decisions: DecisionFrame
    atr: FloatArray
    rows: IntArray
    length: int

    def row(self, time: int) -> int | None:
        """Index of the bar that opens at `time` (ms); None if there is none."""
        return self.decisions.row_at(time)


class Forecaster:
    """The bundle's decisions on Freqtrade's frames; each frame is predicted once.

    Args:
        options: which pairs and bars may be decided, and the cache.
        source: of the bundle.
    """

    def __init__(self, options: StrategyOptions, source: BundleSource) -> None:
        self._options = options
        self._source = source
        self._cache = None if options.cache is None else FrameCache(options.cache)
        self._newest: dict[str, tuple[str, FrameForecast]] = {}
        self._logged: set[str] = set()

    def latest(self, pair: str) -> FrameForecast | None:
        """The pair's newest forecast; None before the first, and if its last frame gave no decisions."""
        found = self._newest.get(pair)
        return None if found is None else found[1]

    def put(self, pair: str, forecast: FrameForecast) -> None:
        """Store a forecast that was computed elsewhere as the pair's newest."""
        self._newest[pair] = ("", forecast)

    def at_bar(self, time: int) -> dict[str, tuple[FrameForecast, int]]:
        """Forecast and row of every pair that has a decision on the bar that opens at `time` (ms)."""
        rows = {pair: (forecast, forecast.row(time)) for pair, (_, forecast) in self._newest.items()}
        return {pair: (forecast, row) for pair, (forecast, row) in rows.items() if row is not None}

    def columns(
        self, frame: pd.DataFrame, pair: str, timeframe: str, stored: IntArray | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        """Compute the frame's columns, see `frame_columns`; without decisions, `quorate_rule` holds the reason.

        `stored` holds the open times of the pair's bars in the data folder, where known: see `read_frame`.

        An invalid frame, or a pair or timeframe that the bundle does not decide, raises no error: it is logged and
        gives no entries, and the bot keeps running.
        """
        models = self._source.models
        try:
            forecast = self._forecast(frame, pair, timeframe, stored)
        except TrainingSpanError as error:
            self._log_once(logging.WARNING, f"no entries in {pair}: {error}")
            reason = TRAINING_SPAN
        except QuorateError as error:
            self._log_once(logging.ERROR, f"no entries in {pair}: {error}")
            reason = "refused"
        else:
            return frame_columns(forecast.decisions, forecast.atr, forecast.rows, len(frame), models)
        self._newest.pop(pair, None)
        return empty_columns(len(frame), models, reason)

    def _forecast(self, frame: pd.DataFrame, pair: str, timeframe: str, stored: IntArray | None) -> FrameForecast:
        self._require_known(pair, timeframe)
        candles, rows = read_frame(frame, pair, timeframe, stored)
        self._log_quiet_bars(candles, len(frame), stored is not None)
        options = self._options.freqtrade
        bench = None if self._source.bundle is None else self._source.bundle.newest.bench
        decides = () if bench is None else (*bench.spans, *([bench.membership] if bench.membership.size else []))
        key = frame_key(candles, self._source.id, options.policy, options.allow_training_span, *decides)
        newest = self._newest.get(pair)
        if newest is not None and newest[0] == key:
            return newest[1]._replace(rows=rows, length=len(frame))
        if len(candles) < LIVE_BARS:
            self._log_once(
                logging.WARNING,
                f"{pair}: {len(candles)} bars; members that read more bars abstain, all decide from {LIVE_BARS} on",
            )
        decisions = None if self._cache is None else self._cache.load(key)
        if decisions is None:
            decisions = self._decide(candles)
            if self._cache is not None:
                self._cache.save(key, decisions)
        self._log_excluded_bars(decisions)
        atr = atr_14(Bars(candles)) if len(candles) else np.zeros(0)
        forecast = FrameForecast(self._source.id, candles, decisions, atr, rows, len(frame))
        self._newest[pair] = (key, forecast)
        return forecast

    def _decide(self, candles: Candles) -> DecisionFrame:
        bundle = self._source.bundle
        if bundle is not None:
            return bundle.predict_frame(candles, allow_training_span=self._options.freqtrade.allow_training_span)
        bars = Bars(candles)
        return fallback_frame(bars, volatility_20(bars), (), candles.synthetic)

    def _require_known(self, pair: str, timeframe: str) -> None:
        bundle = self._source.bundle
        if bundle is None:
            return
        manifest = bundle.manifest
        if timeframe != manifest.timeframe:
            raise BundleError(
                f"predict {pair}",
                found=f"the strategy's timeframe {timeframe}",
                expected=f"{manifest.timeframe}, which the bundle {manifest.id} was trained on",
                remedy=f'Set "timeframe": "{manifest.timeframe}", or train a bundle of {timeframe}.',
            )
        if pair in manifest.symbols or self._options.freqtrade.unseen_pairs:
            return
        spot = all(":" not in symbol for symbol in manifest.symbols)
        if (":" not in pair) != spot:
            raise FreqtradeError(
                f"predict {pair}",
                found="a spot market" if ":" not in pair else "a perpetual",
                expected=f"{'spot markets' if spot else 'perpetuals'}, which the bundle {manifest.id} was trained on",
                remedy='Set "trading_mode" to that of the bundle, or set "quorate": {"unseen_pairs": true}.',
            )
        raise FreqtradeError(
            f"predict {pair}",
            found="a pair that the bundle was not trained on",
            expected=f"one of its {len(manifest.symbols)}: {', '.join(manifest.symbols[:5])} ...",
            remedy='To trade it, set "quorate": {"unseen_pairs": true}.',
        )

    def _log_quiet_bars(self, candles: Candles, rows: int, known: bool) -> None:
        """Log once for each pair how many bars have no trade, and how many rows Freqtrade has filled in."""
        quiet, filled = int(np.count_nonzero(quiet_bars(candles))), rows - len(candles)
        if not quiet and not filled:
            return
        self._log_once(
            logging.INFO,
            f"{candles.symbol}: {quiet} of {rows} bars have one price and no volume, and are candles as in training; "
            + (
                f"{filled} rows that Freqtrade filled in are left out, so that gaps stay gaps"
                if known
                else "rows that Freqtrade filled into gaps look the same and are counted with them"
            ),
            f"quiet bars of {candles.symbol}",
        )

    def _log_excluded_bars(self, decisions: DecisionFrame) -> None:
        """Log the bars without entries once for each bundle: its training span, and those before a series."""
        bundle = self._source.bundle
        if bundle is None:
            return
        early = decisions.rule == BEFORE_SERIES
        if early.any():
            self._log_once(
                logging.WARNING,
                f"no entries before {format_ms(int(decisions.time[~early][0]))}: the series {self._source.id} has no "
                "bundle that was trained earlier",
            )
        if not (decisions.rule == TRAINING_SPAN).any():
            return
        span = bundle.manifest.to_json()["training_span"]
        self._log_once(
            logging.WARNING,
            f"no entries from {span['from']} to {span['to']}: the bundle {bundle.manifest.id} was trained on them "
            '(to trade these bars anyway, set "quorate": {"allow_training_span": true})',
        )

    def _log_once(self, level: int, message: str, key: str | None = None) -> None:
        """Log a message once, or once for its key."""
        key = message if key is None else key
        if key not in self._logged:
            if len(self._logged) >= _MAX_LOGGED:
                self._logged.clear()
            self._logged.add(key)
            _log.log(level, "%s", message)
