"""Skill by day and by week beside the same metrics of each part alone."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS, iso_ms, parse_ms
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.classification import skill_vs_prior
from quorate.evaluation.metrics.skill_periods import skill_by_period

SETTINGS = EvaluationSettings(resamples=100)
PRIOR = np.array([0.3, 0.4, 0.3])


def make(hours):
    random = np.random.default_rng(1)
    time = parse_ms("2026-03-01") + HOUR_MS * np.arange(hours)  # a Sunday
    y = random.integers(0, 3, hours).astype(np.int8)
    scores = random.dirichlet((2, 2, 2), hours)
    scores[::7] = np.nan
    nothing = np.zeros(hours, np.int64)
    return LabelledPredictions(y, np.zeros(hours), time, nothing, ("A",), {"one": scores}, nothing.astype(np.int8))


@pytest.mark.parametrize(("period", "length"), [("day", DAY_MS), ("week", 7 * DAY_MS)])
def test_each_part_is_measured_alone(period, length):
    sample = make(24 * 16 + 5)
    table = skill_by_period(sample, sample.members, PRIOR, SETTINGS, period)
    assert sum(row["rows"] for row in table) == len(sample)
    for row in table:
        start = parse_ms(row["from"])
        rows = (sample.time >= start) & (sample.time < start + length)
        assert row["rows"] == rows.sum()
        expected = skill_vs_prior(sample.y[rows], sample.members["one"][rows], PRIOR)
        assert row["models"]["one"]["skill_vs_prior"] == pytest.approx(expected)


def test_a_week_begins_on_monday_and_has_an_interval_of_its_own_days():
    table = skill_by_period(sample := make(24 * 16 + 5), sample.members, PRIOR, SETTINGS, "week")
    assert [row["from"][:10] for row in table] == ["2026-02-23", "2026-03-02", "2026-03-09", "2026-03-16"]
    intervals = [row["models"]["one"]["skill_vs_prior_ci"] for row in table]
    assert intervals[0] is None  # one day
    assert intervals[3] is None
    low, high = intervals[1]
    assert low < table[1]["models"]["one"]["skill_vs_prior"] < high


def test_a_day_has_no_interval():
    table = skill_by_period(sample := make(30), sample.members, PRIOR, SETTINGS, "day")
    assert [row["from"] for row in table] == [iso_ms(int(sample.time[0])), iso_ms(int(sample.time[0]) + DAY_MS)]
    assert table[0]["models"]["one"]["missing"] == {"skill_vs_prior_ci": "1 blocks of time are too few"}


def test_a_class_that_training_lacks_gives_no_skill():
    sample = make(24)
    (row,) = skill_by_period(sample, sample.members, np.array([0.0, 0.5, 0.5]), SETTINGS, "day")
    assert row["models"]["one"]["skill_vs_prior"] is None
    assert "SELL" in row["models"]["one"]["missing"]["skill_vs_prior"]
