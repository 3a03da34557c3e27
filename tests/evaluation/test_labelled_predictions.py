from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate.core.errors import EvaluationError
from quorate.core.settings import VoteSettings
from quorate.core.types import Candles
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.targets.labels import Labels


class Steps:
    """Labels that name their own bar, so that a row that slipped by one would show."""

    horizon = 5

    def label(self, candles: Candles) -> Labels:
        bar = np.arange(len(candles))
        known = bar < len(candles) - self.horizon
        return Labels((bar % 3).astype(np.int8), known, candles.time, np.where(known, bar / 1_000, np.nan))


def test_rows_meet_their_own_labels(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=60)
    first, second = run.frames.values()
    # The second frame covers a part only, from the tenth bar on.
    late = second.between(int(second.time[10]), int(second.time[40]))
    frames = {first.symbol: first, late.symbol: late}
    sample = LabelledPredictions.of(frames, run.candles, Steps())
    assert len(sample) == 55 + 30
    assert sample.symbols == tuple(frames)
    assert sample.symbol.tolist() == [0] * 55 + [1] * 30
    assert sample.forward_return == pytest.approx(np.concatenate([np.arange(55), np.arange(10, 40)]) / 1_000)
    assert sample.y.tolist() == [bar % 3 for bar in [*range(55), *range(10, 40)]]
    assert sample.time.tolist() == [*first.time[:55], *late.time]
    assert sample.action.tolist() == [*first.action[:55], *late.action]
    expected = np.concatenate([first.scores["xgboost"][:55], late.scores["xgboost"]])
    assert np.array_equal(sample.members["xgboost"], expected)


def test_labels_may_read_what_comes_after_the_frame_but_rows_stay_inside(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=60)
    frame = next(iter(run.frames.values()))
    sample = LabelledPredictions.of({frame.symbol: frame.between(end=int(frame.time[50]))}, run.candles, Steps())
    assert len(sample) == 50


def test_a_member_that_a_frame_lacks_abstained_there(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=60)
    first, second = run.frames.values()
    alone = replace(second, scores={"xgboost": second.scores["xgboost"]})
    sample = LabelledPredictions.of({first.symbol: first, second.symbol: alone}, run.candles, Steps())
    assert np.isnan(sample.members["lightgbm"][sample.symbol == 1]).all()
    assert np.isfinite(sample.members["lightgbm"][sample.symbol == 0][10:]).all()


def test_bars_that_the_candles_do_not_hold_are_refused(make_run: Callable[..., Any]) -> None:
    run = make_run(bars=60)
    symbol, frame = next(iter(run.frames.items()))
    with pytest.raises(EvaluationError, match="missing from its candles"):
        LabelledPredictions.of({symbol: frame}, {symbol: run.candles[symbol][5:]}, Steps())
    with pytest.raises(EvaluationError, match="missing from its candles"):
        LabelledPredictions.of({symbol: frame}, {symbol: run.candles[symbol][:50]}, Steps())
    with pytest.raises(EvaluationError, match="no candles"):
        LabelledPredictions.of({symbol: frame}, {}, Steps())
    with pytest.raises(EvaluationError, match="no symbol"):
        LabelledPredictions.of({}, {}, Steps())


def sample(**members: np.ndarray) -> LabelledPredictions:
    return LabelledPredictions(
        y=np.zeros(3, np.int8),
        forward_return=np.zeros(3),
        time=np.arange(3),
        symbol=np.zeros(3, np.int64),
        symbols=("A",),
        members=members,
        action=np.ones(3, np.int8),
    )


def test_the_ensemble_is_the_weighted_mean_of_the_members_that_voted() -> None:
    settings = VoteSettings(weights={"one": 0.3, "two": 0.1})
    one = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [np.nan] * 3])
    two = np.array([[0.5, 0.3, 0.2], [np.nan] * 3, [np.nan] * 3])
    mean = sample(one=one, two=two).ensemble(settings)
    assert mean[0] == pytest.approx([0.2, 0.15, 0.65])
    assert mean[1] == pytest.approx(one[1])  # alone, whatever its weight
    assert np.isnan(mean[2]).all()
    with pytest.raises(EvaluationError, match="no member"):
        sample().ensemble(settings)


def test_columns_of_different_lengths_and_false_scores_are_refused() -> None:
    columns: dict[str, Any] = {
        "y": np.zeros(2, np.int8),
        "forward_return": np.zeros(2),
        "time": np.arange(2),
        "symbol": np.zeros(2, np.int64),
        "symbols": ("A",),
        "action": np.ones(2, np.int8),
    }
    with pytest.raises(EvaluationError, match="one length"):
        LabelledPredictions(**{**columns, "time": np.arange(3)}, members={})
    with pytest.raises(EvaluationError, match="sum to 1"):
        LabelledPredictions(**columns, members={"one": np.ones((2, 3))})
