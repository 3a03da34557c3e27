"""The reference of a training for the watch for drift."""

import json

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.errors import BundleError
from quorate.core.settings import DriftSettings
from quorate.ensemble.measure import HeldOutOutcomes
from quorate.evaluation.daily_sums import daily_counts, error_of_sums, skill_of_sums
from quorate.evaluation.drift_reference import (
    LEAST_GAP,
    LEAST_INDEX,
    DriftReference,
    daily_outcomes,
    fit_features,
    fit_reference,
    fit_scores,
    plan_of,
)

SETTINGS = DriftSettings(window_days=5, resamples=20)
NAMES = ("price_change", "hour", "rsi_14")
PRIOR = np.array([0.3, 0.4, 0.3])


def rows(days, seed=1):
    generator = np.random.default_rng(seed)
    time = np.arange(days * 24) * HOUR_MS
    return generator.standard_normal((len(time), 3)).astype(np.float32), time


def scored(days, seed=1):
    generator = np.random.default_rng(seed)
    time = np.arange(days * 24) * HOUR_MS
    probabilities = generator.dirichlet([3, 4, 3], len(time))
    y = np.array([generator.choice(3, p=p) for p in probabilities])
    return y, probabilities, time


@pytest.fixture(scope="module")
def reference():
    X, time = rows(60)
    y, probabilities, scored_time = scored(40)
    return fit_reference(SETTINGS, NAMES, X, time, HeldOutOutcomes(probabilities, y, scored_time, PRIOR))


def test_what_is_written_is_read(reference):
    assert DriftReference.parse(reference.content(), "read it") == reference


def test_the_calendar_is_not_watched(reference):
    assert [feature.name for feature in reference.features] == ["price_change", "rsi_14"]


def test_cells_and_shares_are_those_of_the_rows(reference):
    X, time = rows(60)
    feature = reference.features[1]
    counts = daily_counts([feature.cells], X[:, [2]], time // DAY_MS, 60).sum(axis=(0, 1))
    assert feature.shares == pytest.approx(counts / counts.sum())
    assert len(feature.shares) == 10


def test_no_limit_is_below_what_matters(reference):
    assert min(feature.index_limit for feature in reference.features) >= LEAST_INDEX
    assert min(feature.gap_limit for feature in reference.features) >= LEAST_GAP


def test_scores_are_those_of_the_held_out_rows(reference):
    y, probabilities, time = scored(40)
    sums = daily_outcomes(y, probabilities, PRIOR, time // DAY_MS, 40).sum(axis=0)
    found = reference.scores
    assert found.days == 40
    assert found.skill == pytest.approx(float(skill_of_sums(sums)))
    assert found.error == pytest.approx(float(error_of_sums(sums)))
    assert found.skill_limit < found.skill
    assert found.error_limit > found.error


@pytest.mark.parametrize(("days", "enough"), [(9, False), (10, True)])
def test_the_parts_have_at_least_two_windows(days, enough):
    X, time = rows(days)
    features, found = fit_features(NAMES, X, time, SETTINGS)
    assert (bool(features), found) == (enough, days)
    y, probabilities, time = scored(days)
    scores, why = fit_scores(y, probabilities, PRIOR, time, SETTINGS)
    assert (scores is not None) == enough
    assert enough or f"{days} days" in why


def test_without_scores_the_reason_is_kept():
    X, time = rows(12)
    found = fit_reference(SETTINGS, NAMES, X, time, None)
    assert found.scores is None
    assert "returns" in found.lacking["scores"]
    short = fit_reference(SETTINGS, NAMES, X[:48], time[:48], None)
    assert set(short.lacking) == {"features", "scores"}
    assert (found.watches, short.watches) == (True, False)


def test_a_class_that_training_lacks_is_no_skill():
    y, probabilities, time = scored(20)
    scores, why = fit_scores(y, probabilities, np.array([0.0, 0.7, 0.3]), time, SETTINGS)
    assert scores is None
    assert why == "no SELL in the training rows"


def test_rows_without_a_vote_are_none():
    y, probabilities, time = scored(20)
    assert fit_scores(y, np.full_like(probabilities, np.nan), PRIOR, time, SETTINGS)[0] is None


@pytest.mark.parametrize(("days", "block"), [(40, 7), (126, 7), (180, 10), (504, 28), (2_000, 28)])
def test_blocks_grow_with_the_known_days(days, block):
    assert plan_of(SETTINGS, days).block_days == block


def test_a_set_block_is_kept():
    assert plan_of(DriftSettings(block_days=3), 500).block_days == 3


@pytest.mark.parametrize(
    "alter",
    [
        lambda tree: tree.pop("days"),
        lambda tree: tree["features"][0]["shares"].pop(),
        lambda tree: tree["features"][0]["edges"].reverse(),
        lambda tree: tree.update(scores={"days": 3}),
        lambda tree: tree.update(features=None),
    ],
)
def test_an_altered_file_is_refused(reference, alter):
    tree = json.loads(reference.content())
    alter(tree)
    with pytest.raises(BundleError, match=r"invalid drift\.json"):
        DriftReference.parse(json.dumps(tree).encode(), "read it")


def test_no_json_is_refused():
    with pytest.raises(BundleError, match=r"invalid drift\.json"):
        DriftReference.parse(b"{", "read it")
