# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""FreqAI model of the vote ensemble, trained on FreqAI's windows, features and labels."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from freqtrade.freqai.base_models.BaseClassifierModel import BaseClassifierModel
from freqtrade.freqai.data_kitchen import FreqaiDataKitchen

from quorate.core.clock import timeframe_ms
from quorate.core.configuration import load_settings
from quorate.core.errors import FreqtradeError, close_match
from quorate.core.types import CLASS_NAMES, Candles, IntArray
from quorate.integrations.freqtrade.frames import FrameCandles, read_frame
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX
from quorate.integrations.freqtrade.inference.vote_model import TrainingRows, VoteModel, fit_vote
from quorate.integrations.freqtrade.stored_bars import StoredBars

_log = logging.getLogger(__name__)

_PARAMETERS = ("models",)


class QuorateFreqaiModel(BaseClassifierModel):  # type: ignore[misc]
    """Trains every member on FreqAI's window and predicts their vote.

    The label has the classes SELL, HOLD and BUY. `model_training_parameters` names the members, such as
    {"models": ["xgboost", "lightgbm"]}; their hyperparameters come from quorate.toml. A prediction consists of the
    decision, the members' mean score of each class, and the confidence as `quorate_confidence`.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._stored = StoredBars(config)

    def train(self, unfiltered_df: pd.DataFrame, pair: str, dk: FreqaiDataKitchen, **kwargs: Any) -> VoteModel:
        """Train as FreqAI's classifiers do, and keep the candles that the volatility needs."""
        self._candles: Candles = self._read_frame(unfiltered_df, pair).candles
        trained: VoteModel = super().train(unfiltered_df, pair, dk, **kwargs)
        return trained

    def fit(self, data_dictionary: dict[str, Any], dk: FreqaiDataKitchen, **kwargs: Any) -> VoteModel:
        """Train the members on the window's rows, with FreqAI's test rows for early stopping.

        Raises:
            FreqtradeError: classes other than SELL, HOLD and BUY, or unknown training parameters.
            ModelError: fewer than two members were trained.
        """
        settings = load_settings()
        models = self._models()
        parts = [part for part in ("train", "test") if len(data_dictionary[f"{part}_features"])]
        X = np.concatenate([data_dictionary[f"{part}_features"].to_numpy(np.float32) for part in parts])
        y = np.concatenate([_classes(data_dictionary[f"{part}_labels"]) for part in parts])
        weight = np.concatenate([np.asarray(data_dictionary[f"{part}_weights"], np.float64) for part in parts])
        train = len(data_dictionary["train_features"])
        # Labels of the last train rows read bars of the test rows: members are not fitted on them.
        overlap = int(self.freqai_info["feature_parameters"]["label_period_candles"]) if len(parts) > 1 else 0
        rows = TrainingRows(X, y, self._times(data_dictionary, len(X)), weight, max(1, train - overlap), train)
        return fit_vote(rows, self._candles, self.config["timeframe"], models, settings)

    def predict(
        self, unfiltered_df: pd.DataFrame, dk: FreqaiDataKitchen, **kwargs: Any
    ) -> tuple[pd.DataFrame, npt.NDArray[np.int_]]:
        """Predict the vote on every bar of the frame; the second array is FreqAI's `do_predict`."""
        dk.find_features(unfiltered_df)
        features, _ = dk.filter_features(unfiltered_df, dk.training_features_list, training_filter=False)
        dk.data_dictionary["prediction_features"], inliers, _ = dk.feature_pipeline.transform(
            features, outlier_check=True
        )
        X = dk.data_dictionary["prediction_features"].to_numpy(np.float32)
        market = self._read_frame(unfiltered_df, dk.pair)
        candles = Candles.from_pandas(unfiltered_df, dk.pair, self.config["timeframe"])
        decided, scores = self.model.decide(X, candles.time, market.candles)
        (label,) = dk.label_list
        predictions = pd.DataFrame({label: np.array(CLASS_NAMES)[decided.action]})
        for column, name in enumerate(CLASS_NAMES):
            predictions[name] = np.nan_to_num(scores[:, column])
        predictions[f"{PREFIX}confidence"] = decided.confidence
        # FreqAI expects a mean and a deviation of every column; classes have none.
        for statistic in ("labels_mean", "labels_std"):
            values = dk.data.setdefault(statistic, {})
            for name in predictions.columns[1:]:
                values.setdefault(name, 0)
        dk.DI_values = dk.feature_pipeline["di"].di_values if dk.feature_pipeline["di"] else np.zeros(len(inliers))
        dk.do_predict = inliers
        return predictions, dk.do_predict

    def _read_frame(self, frame: pd.DataFrame, pair: str) -> FrameCandles:
        timeframe = self.config["timeframe"]
        return read_frame(frame, pair, timeframe, self._stored.times(pair, timeframe))

    def _models(self) -> tuple[str, ...]:
        given = self.freqai_info.get("model_training_parameters", {})
        for key in given:
            if key not in _PARAMETERS:
                raise FreqtradeError(
                    "read FreqAI's model_training_parameters",
                    found=f"the unknown key '{key}'",
                    expected=", ".join(_PARAMETERS),
                    remedy=close_match(str(key), _PARAMETERS) or "Set the hyperparameters of members in quorate.toml.",
                )
        return tuple(given.get("models", ("xgboost", "lightgbm")))

    def _times(self, data: dict[str, Any], rows: int) -> IntArray:
        """(rows,) int64 open times in ms of the train rows, then of the test rows.

        They are unknown if rows were shuffled or removed. The rows then get times two bars apart, so that no window of
        bars is complete: members that read windows cannot be trained and abstain.
        """
        split, parameters = self.freqai_info["data_split_parameters"], self.freqai_info["feature_parameters"]
        dates = data["train_dates"]
        shuffled = split.get("shuffle") or parameters.get("shuffle_after_split")
        if len(dates) == rows and not shuffled and not parameters.get("reverse_train_test_order"):
            utc = dates.dt.tz_convert("UTC").dt.tz_localize(None)
            return np.asarray(utc.to_numpy().astype("datetime64[ms]").astype(np.int64))
        _log.warning("rows were shuffled or removed: members that read windows of bars cannot be trained")
        return np.arange(rows, dtype=np.int64) * 2 * timeframe_ms(self.config["timeframe"])


def _classes(labels: pd.DataFrame) -> npt.NDArray[np.int8]:
    """(n,) int8 values of Action.

    Raises:
        FreqtradeError: more than one label, or other classes.
    """
    if labels.shape[1] != 1:
        raise FreqtradeError("read FreqAI's labels", found=f"{labels.shape[1]} labels", expected="one label")
    names = labels.to_numpy()[:, 0].astype(str)
    known = np.array(CLASS_NAMES)
    unknown = ~np.isin(names, known)
    if unknown.any():
        raise FreqtradeError(
            "read FreqAI's labels",
            found=f"the class '{names[unknown][0]}'",
            expected=", ".join(CLASS_NAMES),
            remedy='Set them in set_freqai_targets, and self.freqai.class_names = ["SELL", "HOLD", "BUY"].',
        )
    return np.asarray(np.argmax(names[:, None] == known[None, :], axis=1), np.int8)
