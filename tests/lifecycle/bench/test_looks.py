"""Members are benched by what is known at each day, and return by the same test."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import DriftSettings
from quorate.evaluation.member_reference import fit_members
from quorate.lifecycle.bench.looks import MemberLooks, daily_sums
from quorate.lifecycle.bench.rule import drifted_spans, expired_spans
from quorate.targets.matured_days import MaturedDays

WINDOW, KNOWN, DAYS, LAG_MS = 5, 60, 90, 5 * HOUR_MS
SETTINGS = DriftSettings(window_days=WINDOW, resamples=60)
PRIOR = np.array([0.3, 0.4, 0.3])
MODELS = ("one", "two", "three", "four")


def market(seed=3):
    """Outcomes of four members that know about the same: 60 days that are known, and 90 that are watched."""
    generator = np.random.default_rng(seed)
    time = np.repeat(np.arange((KNOWN + DAYS) * 24) * HOUR_MS, 3)
    truth = generator.dirichlet([3, 4, 3], len(time))
    y = (generator.random((len(time), 1)) > truth.cumsum(axis=1)).sum(axis=1).astype(np.int8)
    members = {}
    for model in MODELS:
        table = truth * generator.uniform(0.9, 1.1, truth.shape)
        members[model] = table / table.sum(axis=1, keepdims=True)
    return y, members, time


@pytest.fixture(scope="module")
def outcomes():
    return market()


@pytest.fixture(scope="module")
def limits(outcomes):
    y, members, time = outcomes
    known = time < KNOWN * DAY_MS
    return fit_members(y[known], {model: own[known] for model, own in members.items()}, PRIOR, time[known], SETTINGS)


def spans(outcomes, limits, end=KNOWN + DAYS):
    """Spans on the days from the known ones to a day, from rows that are known by then."""
    y, members, time = outcomes
    known_at = time + LAG_MS
    days = MaturedDays.between(KNOWN * DAY_MS, end * DAY_MS)
    sums = daily_sums(y, members, PRIOR, known_at, days)
    return drifted_spans(MemberLooks.of(sums, WINDOW, limits), days, WINDOW)


def spoilt(outcomes, first, last, change, models=("two",)):
    """The outcomes with the scores of some members changed from one day to another."""
    y, members, time = outcomes
    rows = (time >= first * DAY_MS) & (time < last * DAY_MS)
    found = {model: own.copy() for model, own in members.items()}
    for model in models:
        found[model][rows] = change(found[model][rows])
    return y, found, time


def shuffled(table):
    return np.random.default_rng(1).permutation(table)


def inverted(table):
    return table[:, ::-1]


def sharpened(table):
    sharp = table**6
    return sharp / sharp.sum(axis=1, keepdims=True)


def test_nobody_is_benched_on_days_like_the_known_ones(outcomes, limits):
    assert spans(outcomes, limits) == ()


@pytest.mark.parametrize("change", [shuffled, inverted, sharpened])
def test_a_spoilt_member_is_benched_and_returns_once_mended(outcomes, limits, change):
    (span,) = spans(spoilt(outcomes, 80, 100, change), limits)
    assert span.model == "two"
    assert 80 * DAY_MS < span.start <= (80 + WINDOW) * DAY_MS
    assert 100 * DAY_MS < span.end <= (100 + WINDOW + 1) * DAY_MS
    assert span.reason.startswith("drifted: ")
    assert not span.by


def test_a_short_fault_benches_for_a_window(outcomes, limits):
    (span,) = spans(spoilt(outcomes, 80, 84, inverted), limits)
    assert span.end - span.start >= WINDOW * DAY_MS


def test_the_reason_names_what_is_beyond_its_limit(outcomes, limits):
    (span,) = spans(spoilt(outcomes, 80, 150, sharpened), limits)
    assert "calibration error" in span.reason or "skill" in span.reason
    assert "limit" in span.reason


def test_all_members_may_be_benched_together(outcomes, limits):
    found = spans(spoilt(outcomes, 80, 150, shuffled, MODELS), limits)
    assert {span.model for span in found} == set(MODELS)


@pytest.mark.parametrize("day", [83, 86, 90, 104, 120])
def test_what_was_not_known_at_a_day_changes_nothing_up_to_it(outcomes, limits, day):
    """Labels and scores that are known later become nonsense or are missing: no look before sees anything else."""
    y, members, time = changed = spoilt(outcomes, 80, 100, inverted)
    later = time + LAG_MS > day * DAY_MS
    nonsense = np.where(later, 2 - y, y).astype(np.int8), members, time
    missing = y, {model: np.where(later[:, None], np.nan, own) for model, own in members.items()}, time
    whole = spans(changed, limits)
    assert len(whole) == 1
    for poisoned in (nonsense, missing):
        found = spans(poisoned, limits)
        for look in range(KNOWN + WINDOW, day + 1):
            held, expected = ([span.model for span in own if span.holds(look * DAY_MS)] for own in (found, whole))
            assert held == expected
    watcher = spans(changed, limits, end=day)
    assert [span.start for span in watcher] == [span.start for span in whole if span.start <= day * DAY_MS]


def test_a_label_that_is_known_at_midnight_belongs_to_the_day_that_ends():
    days = MaturedDays.between(10 * DAY_MS + 1, 13 * DAY_MS + HOUR_MS)
    assert (days.first, days.count) == (11, 2)
    known_at = np.array([11 * DAY_MS, 11 * DAY_MS + 1, 12 * DAY_MS, 12 * DAY_MS + 1, 13 * DAY_MS, 13 * DAY_MS + 1])
    assert days.number(known_at).tolist() == [-1, 0, 0, 1, 1, 2]
    assert days.look_at(0, 2) == 13 * DAY_MS


def test_a_window_with_few_rows_benches_nobody_and_brings_nobody_back(outcomes, limits):
    y, members, time = spoilt(outcomes, 80, 90, inverted)
    gap = (time >= 88 * DAY_MS) & (time < 130 * DAY_MS)
    without = {model: np.where(gap[:, None], np.nan, own) for model, own in members.items()}
    (span,) = spans((y, without, time), limits)
    assert span.end > 130 * DAY_MS


def test_too_few_days_have_no_look(outcomes, limits):
    assert spans(spoilt(outcomes, KNOWN, 150, inverted), limits, end=KNOWN + WINDOW - 1) == ()


@pytest.mark.parametrize(("now", "benched"), [(40, False), (130, True)])
def test_a_member_expires_by_its_age(now, benched):
    found = expired_spans(("one", "two"), 10 * DAY_MS, {"two": 90.0}, now * DAY_MS)
    assert [(span.model, span.start, span.end) for span in found] == ([("two", 100 * DAY_MS, None)] if benched else [])
    assert not benched or found[0].reason == "expired: older than 90 days"
