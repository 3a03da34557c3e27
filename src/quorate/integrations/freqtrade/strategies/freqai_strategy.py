# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""Strategy that trades a vote trained by FreqAI: Quorate's features and labels in FreqAI's windows."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from pandas import DataFrame

from quorate.core.errors import QuorateError
from quorate.core.types import CLASS_NAMES, Action, DecisionFrame
from quorate.features import Bars, atr_14, build, feature_set, volatility_20
from quorate.integrations.freqtrade.frames import FrameCandles, read_frame
from quorate.integrations.freqtrade.inference.forecaster import FrameForecast
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX, empty_columns, frame_columns, plot_config
from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy
from quorate.targets import ForwardClass

_log = logging.getLogger(__name__)

LABEL = "&s-action"

# Name of the vote in place of the members', as FreqAI passes on no scores of single members.
_TOGETHER = "together"


class QuorateFreqaiStrategy(QuorateVoteStrategy):
    """Trades the vote that `QuorateFreqaiModel` trains, with the exits of the account."""

    plot_config = plot_config((_TOGETHER,))

    @property
    def models(self) -> tuple[str, ...]:
        """Name of the vote; there are no scores of single members."""
        return (_TOGETHER,)

    @property
    def horizon(self) -> int:
        """FreqAI's `label_period_candles`."""
        return int(self.freqai_info["feature_parameters"]["label_period_candles"])

    def bot_start(self, **kwargs: Any) -> None:
        """Start the guards; there is no bundle to load, as FreqAI stores its models itself."""
        self._start_guards()

    def bot_loop_start(self, current_time: Any, **kwargs: Any) -> None:
        """Update the guards."""
        self._update_guards(current_time)

    def feature_engineering_standard(self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any) -> DataFrame:
        """Add the columns of the setting train.features as FreqAI's features."""
        market = self._read_frame(dataframe, metadata["pair"])
        settings = self.options.settings
        features = feature_set(settings.train.features, settings.features)
        X = np.full((len(dataframe), len(features.names)), np.nan)
        X[market.rows] = build(market.candles, features)
        columns = DataFrame(X, columns=[f"%-{column}" for column in features.names], index=dataframe.index)
        for column in columns:
            dataframe[column] = columns[column]
        return dataframe

    def set_freqai_targets(self, dataframe: DataFrame, metadata: dict[str, Any], **kwargs: Any) -> DataFrame:
        """Label bars SELL, HOLD or BUY by the return over `label_period_candles` bars; None where not known yet."""
        self.freqai.class_names = list(CLASS_NAMES)
        market = self._read_frame(dataframe, metadata["pair"])
        labels = ForwardClass(self.horizon, self.options.settings.target.band).label(market.candles)
        names = np.full(len(dataframe), None, dtype=object)
        names[market.rows[labels.known]] = np.array(CLASS_NAMES, dtype=object)[labels.y[labels.known]]
        dataframe[LABEL] = names
        return dataframe

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add FreqAI's predictions as decisions, one for every bar."""
        pair = metadata["pair"]
        dataframe = self.freqai.start(dataframe, metadata, self)
        try:
            market = self._read_frame(dataframe, pair)
        except QuorateError as error:
            _log.error("no entries in %s: %s", pair, error)
            columns = empty_columns(len(dataframe), self.models, "refused")
        else:
            forecast = self._read_predictions(dataframe, market)
            self.forecaster.put(pair, forecast)
            columns = frame_columns(forecast.decisions, forecast.atr, forecast.rows, len(dataframe), self.models)
        for name, column in columns.items():
            dataframe[name] = column
        self._log_newest(dataframe, pair)
        return dataframe

    def _read_frame(self, frame: DataFrame, pair: str) -> FrameCandles:
        return read_frame(frame, pair, self.timeframe, self.stored_bars.times(pair, self.timeframe))

    def _read_predictions(self, frame: DataFrame, market: FrameCandles) -> FrameForecast:
        candles, rows = market
        # Before FreqAI has its first model, the frame has neither scores nor a confidence.
        needed = (LABEL, "do_predict", f"{PREFIX}confidence", *CLASS_NAMES)
        frame = frame.reindex(columns=list(needed)).fillna({"do_predict": 0})
        names = frame[LABEL].astype(str).to_numpy()[rows]
        valid = frame["do_predict"].to_numpy()[rows] == 1
        action = np.full(len(candles), int(Action.HOLD), np.int8)
        for value in Action:
            action[valid & (names == value.name)] = int(value)
        confidence = np.where(valid, frame[f"{PREFIX}confidence"].to_numpy(np.float64)[rows], 0.0)
        scores = np.column_stack([frame[name].to_numpy(np.float64)[rows] for name in CLASS_NAMES])
        scores[~valid | ~(scores.sum(axis=1) > 0)] = np.nan
        bars = Bars(candles)
        decisions = DecisionFrame(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            time=candles.time,
            action=action,
            confidence=confidence,
            base=confidence,
            consensus=np.full(len(candles), "freqai"),
            rule=np.where(valid, "freqai", "no_votes"),
            volatility=volatility_20(bars),
            scores={_TOGETHER: scores},
        )
        return FrameForecast("freqai", candles, decisions, atr_14(bars), rows, len(frame))
