"""Heads of a vote's members: from scores out of fold, for each stretch from the stretches before it only."""

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest

from ensemble.conftest import SETTINGS
from quorate.core.types import Action
from quorate.ensemble.calibration.direction import LEAST_FACTOR, fit_direction
from quorate.ensemble.training.move_heads import MemberHead, fit_heads, with_earlier_heads
from quorate.ensemble.training.out_of_fold import RefittedScores
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket
from quorate.models.move_head import direction, shrink_direction
from quorate.models.runtime import OnnxSession

HOUR, BARS, SPAN = 3_600_000, 24 * 50, 5


@dataclass
class Rows:
    y: np.ndarray
    time: np.ndarray
    span_end: np.ndarray


@pytest.fixture
def refitted():
    """Five stretches of ten days; the direction of the scores is right in half of its size."""
    random = np.random.default_rng(2)
    time = HOUR * np.arange(BARS)
    odds = 2 * random.normal(size=BARS)
    up = random.random(BARS) < 1 / (1 + np.exp(-0.5 * odds))
    y = np.where(random.random(BARS) < 0.7, np.where(up, Action.BUY, Action.SELL), Action.HOLD).astype(np.int8)
    p = 1 / (1 + np.exp(-odds))
    scores = np.stack([0.7 * (1 - p), np.full(BARS, 0.3), 0.7 * p], axis=1)
    stretch = np.arange(BARS) * 5 // BARS
    scores[stretch == 0] = np.nan
    data = Rows(y, time, time + SPAN * HOUR)
    return RefittedScores(np.arange(BARS), stretch, {"a": scores}, {"b": "slow"}), data


def test_a_stretch_has_the_head_of_the_stretches_before_it(refitted):
    scores, data = refitted
    headed = with_earlier_heads(scores, data).scores["a"]
    assert np.isnan(headed[scores.stretch == 0]).all()
    first = scores.stretch == 1  # nothing is known before it
    np.testing.assert_allclose(headed[first], shrink_direction(scores.scores["a"][first], LEAST_FACTOR))
    for number in (2, 3, 4):
        own = scores.stretch == number
        before = data.span_end < data.time[own].min()
        factor = fit_direction(scores.scores["a"][before], data.y[before], data.time[before]).factor
        assert 0.1 < factor < 0.9
        np.testing.assert_allclose(headed[own], shrink_direction(scores.scores["a"][own], factor))


def test_labels_that_end_later_change_no_earlier_head(refitted):
    scores, data = refitted
    first = data.time[scores.stretch == 3].min()
    other = np.where(data.span_end < first, data.y, Action.BUY).astype(np.int8)
    one, two = (with_earlier_heads(scores, replace(data, y=y)).scores["a"] for y in (data.y, other))
    np.testing.assert_array_equal(one[scores.stretch <= 3], two[scores.stretch <= 3])
    assert not np.array_equal(one[scores.stretch == 4], two[scores.stretch == 4])


def test_the_head_in_force_is_fitted_on_all_scores_out_of_fold(refitted):
    scores, data = refitted
    assert fit_heads(scores, data) == {"a": fit_direction(scores.scores["a"], data.y, data.time)}


def test_a_member_that_was_not_fitted_again_has_the_head_of_the_calibration_slice(refitted):
    scores, data = refitted
    rows = np.flatnonzero(scores.stretch >= 2)
    part = np.flatnonzero(scores.stretch == 3)
    table = scores.scores["a"][rows]
    expected = fit_direction(scores.scores["a"][part], data.y[part], data.time[part])
    assert MemberHead(None, part).fit((rows, table), data) == expected
    fitted = fit_direction(scores.scores["a"], data.y, data.time)
    assert MemberHead(fitted, part).fit((rows, table), data) is fitted
    assert MemberHead(None, part).fit(None, data).factor == LEAST_FACTOR


@pytest.mark.parametrize(("edge", "believed"), [(0.5, True), (0.0, False)])
def test_a_bundle_believes_a_direction_that_there_is(tmp_path, edge, believed):
    settings = replace(
        SETTINGS,
        train=replace(SETTINGS.train, head="move"),
        policy=replace(SETTINGS.policy, refit="fast", folds=4),
    )
    panel = SyntheticMarket(seed=8, symbols=3, bars=1_500, edge=edge).panel()
    spec = TrainingSpec(models=("xgboost", "lightgbm"), settings=settings)
    trained = train_ensemble(panel, "1h", spec, tmp_path / "bundles")
    reported = trained.manifest.metrics["probabilities"]["direction"]
    assert set(reported) == {"xgboost", "lightgbm"}
    assert json.loads(json.dumps(reported)) == reported
    X = np.random.default_rng(1).normal(size=(50, 14)).astype(np.float32)
    for name, figures in reported.items():
        assert (figures["factor"] > 0.3) == believed, figures
        scores = OnnxSession((trained.path / f"{name}.onnx").read_bytes(), 14, name).run(X)
        if not believed:  # each side is nearly as likely, and there still is one
            assert np.abs(direction(scores)).max() < 0.3
            assert (scores[:, Action.SELL] != scores[:, Action.BUY]).any()
