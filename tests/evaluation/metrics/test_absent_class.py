"""A class that the training rows lack: the prior's loss is infinite where it occurs, so nothing there is skill."""

import warnings

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics import classification
from quorate.evaluation.metrics.classification_report import prior_figures, score_figures
from quorate.evaluation.metrics.monthly import skill_by_month
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

SETTINGS = EvaluationSettings(resamples=40)
NO_SELL = np.array([0.0, 0.6, 0.4])
ABSENT = "no SELL in the training rows"


def sample_of(y):
    n = len(y)
    rng = np.random.default_rng(2)
    zeros = np.zeros(n, np.int64)
    return LabelledPredictions(
        np.asarray(y, np.int8), rng.normal(size=n), HOUR_MS * np.arange(n), zeros, ("A",), {}, zeros.astype(np.int8)
    )


@pytest.fixture(autouse=True)
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


@pytest.fixture
def mixed():
    """480 rows of all classes, and a model that gives SELL a little: against a clipped prior it would look skilled."""
    y = np.random.default_rng(1).integers(0, 3, 480)
    return sample_of(y), np.tile([0.02, 0.58, 0.40], (480, 1))


def test_no_skill_auc_or_test_where_the_class_occurs(mixed):
    sample, scores = mixed
    clipped = classification.log_loss(sample.y, np.tile(NO_SELL, (480, 1)))
    assert classification.log_loss(sample.y, scores) < 0.2 * clipped  # what a clipped prior would call skill
    assert np.isnan(classification.skill_vs_prior(sample.y, scores, NO_SELL))
    figures = score_figures(sample, scores, NO_SELL, TimeBlocks(sample.time, SETTINGS))
    for name in ("skill_vs_prior", "skill_vs_prior_ci", "auc", "auc_ci", "against_prior", "against_prior_p"):
        assert figures[name] is None
        assert figures["missing"][name] == ABSENT
    assert figures["log_loss"] == pytest.approx(classification.log_loss(sample.y, scores))
    assert figures["brier"] is not None


def test_the_loss_of_the_prior_itself_is_infinite(mixed):
    sample, _ = mixed
    figures = prior_figures(sample, np.tile(NO_SELL, (480, 1)), NO_SELL, TimeBlocks(sample.time, SETTINGS))
    assert figures["log_loss"] is figures["log_loss_ci"] is None
    assert figures["missing"]["log_loss"] == f"infinite: {ABSENT}"
    assert figures["accuracy"] == pytest.approx(np.mean(sample.y == 1))


def test_skill_is_counted_where_the_absent_class_does_not_occur():
    """By hand: all rows HOLD; ln 0.6 of the prior, ln 0.9 of the model."""
    sample = sample_of(np.ones(480))
    scores = np.tile([0.0, 0.9, 0.1], (480, 1))
    figures = score_figures(sample, scores, NO_SELL, TimeBlocks(sample.time, SETTINGS))
    assert figures["skill_vs_prior"] == pytest.approx(1 - np.log(0.9) / np.log(0.6))
    assert figures["missing"]["auc"] == "no SELL and no BUY in these rows"


def test_a_prior_of_one_class_that_is_right_is_no_skill_of_a_model():
    sample = sample_of(np.ones(480))
    certain = np.array([0.0, 1.0, 0.0])
    figures = score_figures(sample, np.tile([0.1, 0.8, 0.1], (480, 1)), certain, TimeBlocks(sample.time, SETTINGS))
    assert figures["skill_vs_prior"] is None
    assert figures["missing"]["skill_vs_prior"] == "every row is of the only class of the training rows"


def test_months_with_the_class_have_no_skill_and_the_others_do():
    y = np.r_[np.ones(31 * 24, np.int64), np.zeros(28 * 24, np.int64)]
    sample = sample_of(y)
    scores = np.tile([0.1, 0.8, 0.1], (len(y), 1))
    first, second = skill_by_month(sample, {"m": scores}, NO_SELL, TimeBlocks(sample.time, SETTINGS))
    assert first["models"]["m"]["skill_vs_prior"] == pytest.approx(1 - np.log(0.8) / np.log(0.6))
    assert second["models"]["m"]["skill_vs_prior"] is None
    assert second["models"]["m"]["missing"]["skill_vs_prior"] == ABSENT


def test_a_prior_for_each_row_lacks_the_class_only_where_its_fold_does(mixed):
    """Of a walk-forward: the second half has a training set with SELL, so rows of SELL there are fine."""
    sample, scores = mixed
    rows = np.r_[np.tile(NO_SELL, (240, 1)), np.tile([0.3, 0.4, 0.3], (240, 1))]
    assert np.isnan(classification.skill_vs_prior(sample.y, scores, rows))
    late = slice(240, None)
    assert np.isfinite(classification.skill_vs_prior(sample.y[late], scores[late], rows[late]))
    assert classification.absent_classes(rows) == ("SELL",)


def test_abstentions_on_rows_of_the_class_do_not_matter(mixed):
    sample, scores = mixed
    scores = np.where((sample.y == 0)[:, None], np.nan, scores)
    assert np.isfinite(classification.skill_vs_prior(sample.y, scores, NO_SELL))


def test_a_difference_that_cannot_be_told_has_its_reason(mixed):
    sample, scores = mixed
    figures = log_loss_difference(
        sample, scores, np.tile(NO_SELL, (480, 1)), TimeBlocks(sample.time, SETTINGS), why_not=ABSENT
    )
    assert figures["log_loss"] is figures["statistic"] is figures["p_value"] is None
    assert set(figures["missing"].values()) == {ABSENT}
