# ruff: noqa: ARG002 - Freqtrade passes its arguments by name
"""The vote ensemble as a FreqAI model: trained in FreqAI's windows, on its features and its labels."""

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
from quorate.integrations.freqtrade.frames import read_frame
from quorate.integrations.freqtrade.inference.signal_columns import PREFIX
from quorate.integrations.freqtrade.inference.vote_model import TrainingFrames, VoteModel, fit_vote

_log = logging.getLogger(__name__)

_PARAMETERS = ("models",)


class QuorateFreqaiModel(BaseClassifierModel):  # type: ignore[misc]
    """Trains every member in FreqAI's window and lets them vote.

    The label has the classes SELL, HOLD and BUY. `model_training_parameters` names the members, as
    {"models": ["xgboost", "lightgbm"]}; their own numbers are those of quorate.toml. A prediction is the vote's
    decision, the members' mean score of each class, and the confidence as `quorate_confidence`.
    """

    def train(self, unfiltered_df: pd.DataFrame, pair: str, dk: FreqaiDataKitchen, **kwargs: Any) -> VoteModel:
        """As FreqAI's own classifiers do, but for the candles that the gate looks back on."""
        self._candles: Candles = read_frame(unfiltered_df, pair, self.config["timeframe"]).candles
        trained: VoteModel = super().train(unfiltered_df, pair, dk, **kwargs)
        return trained

    def fit(self, data_dictionary: dict[str, Any], dk: FreqaiDataKitchen, **kwargs: Any) -> VoteModel:
        """Train the members on the window's rows; those that stop early do so by FreqAI's test rows.

        Raises:
            FreqtradeError: other classes than SELL, HOLD and BUY, or unknown training parameters.
            ModelError: fewer than two members could be trained.
        """
        settings = load_settings()
        models = self._models()
        parts = [part for part in ("train", "test") if len(data_dictionary[f"{part}_features"])]
        X = np.concatenate([data_dictionary[f"{part}_features"].to_numpy(np.float32) for part in parts])
        y = np.concatenate([_classes(data_dictionary[f"{part}_labels"]) for part in parts])
        weight = np.concatenate([np.asarray(data_dictionary[f"{part}_weights"], np.float64) for part in parts])
        train = len(data_dictionary["train_features"])
        # A label reads so many bars ahead: rows that share them with the test rows are not learned from.
        shared = int(self.freqai_info["feature_parameters"]["label_period_candles"]) if len(parts) > 1 else 0
        lessons = TrainingFrames(X, y, self._times(data_dictionary, len(X)), weight, max(1, train - shared), train)
        return fit_vote(lessons, self._candles, self.config["timeframe"], models, settings)

    def predict(
        self, unfiltered_df: pd.DataFrame, dk: FreqaiDataKitchen, **kwargs: Any
    ) -> tuple[pd.DataFrame, npt.NDArray[np.int_]]:
        """The vote on every bar of the frame, and where FreqAI lets it count."""
        dk.find_features(unfiltered_df)
        features, _ = dk.filter_features(unfiltered_df, dk.training_features_list, training_filter=False)
        dk.data_dictionary["prediction_features"], inliers, _ = dk.feature_pipeline.transform(
            features, outlier_check=True
        )
        X = dk.data_dictionary["prediction_features"].to_numpy(np.float32)
        market = read_frame(unfiltered_df, dk.pair, self.config["timeframe"])
        whole = Candles.from_pandas(unfiltered_df, dk.pair, self.config["timeframe"])
        decided, scores = self.model.decide(X, whole.time, market.candles)
        (label,) = dk.label_list
        predictions = pd.DataFrame({label: np.array(CLASS_NAMES)[decided.action]})
        for place, name in enumerate(CLASS_NAMES):
            predictions[name] = np.nan_to_num(scores[:, place])
        predictions[f"{PREFIX}confidence"] = decided.confidence
        # FreqAI keeps a mean and a deviation of every column; classes have none.
        for kept in ("labels_mean", "labels_std"):
            known = dk.data.setdefault(kept, {})
            for column in predictions.columns[1:]:
                known.setdefault(column, 0)
        dk.DI_values = dk.feature_pipeline["di"].di_values if dk.feature_pipeline["di"] else np.zeros(len(inliers))
        dk.do_predict = inliers
        return predictions, dk.do_predict

    def _models(self) -> tuple[str, ...]:
        given = self.freqai_info.get("model_training_parameters", {})
        for key in given:
            if key not in _PARAMETERS:
                raise FreqtradeError(
                    "read FreqAI's model_training_parameters",
                    found=f"the unknown key '{key}'",
                    expected=", ".join(_PARAMETERS),
                    remedy=close_match(str(key), _PARAMETERS) or "Members' own numbers stand in quorate.toml.",
                )
        return tuple(given.get("models", ("xgboost", "lightgbm")))

    def _times(self, data: dict[str, Any], rows: int) -> IntArray:
        """(rows,) open times of the train rows and then the test rows.

        Where rows were shuffled or taken out, nobody knows them: they are then set apart, so that no member takes rows
        for neighbours that are none. Members that read windows of bars abstain.
        """
        split, parameters = self.freqai_info["data_split_parameters"], self.freqai_info["feature_parameters"]
        dates = data["train_dates"]
        moved = split.get("shuffle") or parameters.get("shuffle_after_split")
        if len(dates) == rows and not moved and not parameters.get("reverse_train_test_order"):
            utc = dates.dt.tz_convert("UTC").dt.tz_localize(None)
            return np.asarray(utc.to_numpy().astype("datetime64[ms]").astype(np.int64))
        _log.warning("rows were shuffled or taken out: members that read windows of bars cannot be trained")
        return np.arange(rows, dtype=np.int64) * 2 * timeframe_ms(self.config["timeframe"])


def _classes(labels: pd.DataFrame) -> npt.NDArray[np.int8]:
    """(n,) values of Action.

    Raises:
        FreqtradeError: several labels, or other classes.
    """
    if labels.shape[1] != 1:
        raise FreqtradeError("read FreqAI's labels", found=f"{labels.shape[1]} of them", expected="one")
    words = labels.to_numpy()[:, 0].astype(str)
    known = np.array(CLASS_NAMES)
    unknown = ~np.isin(words, known)
    if unknown.any():
        raise FreqtradeError(
            "read FreqAI's labels",
            found=f"the class '{words[unknown][0]}'",
            expected=", ".join(CLASS_NAMES),
            remedy='Set them in set_freqai_targets, and self.freqai.class_names = ["SELL", "HOLD", "BUY"].',
        )
    return np.asarray(np.argmax(words[:, None] == known[None, :], axis=1), np.int8)
