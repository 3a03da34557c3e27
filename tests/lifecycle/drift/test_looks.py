"""What a watcher sees day after day."""

import numpy as np
import pytest

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.evaluation.daily_sums import BINS
from quorate.evaluation.drift_reference import DriftReference, WatchedFeature, WatchedScores
from quorate.lifecycle.drift.looks import FeatureLooks, ScoreLooks, WatchedDays, episodes, run_start

EVEN = (0.25, 0.25, 0.25, 0.25)
REFERENCE = DriftReference(
    3, 7, 0.1, 60, (WatchedFeature("a", (1, 2, 3), EVEN, 0.5, 0.4), WatchedFeature("b", (0.5,), (0.5, 0.5), 0.5, 0.4))
)


def counts(*days):
    """Days of (first feature's cells, second feature's cells)."""
    made = np.zeros((len(days), 2, 4))
    for day, (first, second) in enumerate(days):
        made[day, 0], made[day, 1, :2] = first, second
    return made


QUIET = ((6, 6, 6, 6), (12, 12))
BROKEN = ((0, 0, 0, 24), (12, 12))


def test_a_quiet_stream_has_no_alarm():
    looks = FeatureLooks.of(counts(*[QUIET] * 6), REFERENCE)
    assert looks.index == pytest.approx(np.zeros((4, 2)))
    assert not looks.alarms.any()


def test_the_broken_feature_alarms_once_its_days_fill_the_window():
    looks = FeatureLooks.of(counts(*[QUIET] * 4, *[BROKEN] * 3), REFERENCE)
    # Gap after one, two and three days: a quarter of a third, and so on, of three quarters.
    assert looks.gap[:, 0] == pytest.approx([0, 0, 0.25, 0.5, 0.75])
    assert looks.alarms[:, 0].tolist() == [False, False, False, True, True]
    assert not looks.alarms[:, 1].any()


@pytest.mark.parametrize(("limit", "alarm"), [(0.249, True), (0.25, False), (0.251, False)])
def test_an_alarm_is_beyond_the_limit_and_not_at_it(limit, alarm):
    feature = WatchedFeature("a", (1, 2, 3), EVEN, 1e9, limit)
    other = WatchedFeature("b", (0.5,), (0.5, 0.5), 0.5, 0.4)
    reference = DriftReference(1, 7, 0.1, 60, (feature, other))
    looks = FeatureLooks.of(counts(((12, 6, 6, 0), (12, 12))), reference)
    assert looks.gap[0, 0] == pytest.approx(0.25)
    assert bool(looks.alarms[0, 0]) == alarm


def test_a_window_of_few_rows_is_not_judged():
    few = ((0, 0, 0, 1), (1, 0))
    looks = FeatureLooks.of(counts(*[QUIET] * 3, *[few] * 3), REFERENCE)
    assert looks.gap[-1, 0] > 0.4
    assert not looks.alarms.any()
    assert looks.judged.tolist() == [True, True, False, False]


def sums(*days):
    """Days of (rows, log-loss a row, calibration gap a row); the prior loses 1 a row."""
    made = np.zeros((len(days), 3 + BINS))
    for day, (rows, loss, gap) in enumerate(days):
        made[day, :4] = rows, rows * loss, rows, rows * gap
    return made


LIMITS = WatchedScores(60, 0.1, 0.0, 0.02, 0.05)


@pytest.mark.parametrize(
    ("loss", "gap", "skill", "calibration"),
    [(0.9, 0.02, False, False), (0.999, 0.049, False, False), (1.001, 0.02, True, False), (0.9, -0.051, False, True)],
)
def test_scores_alarm_on_the_bad_side_of_their_limit(loss, gap, skill, calibration):
    looks = ScoreLooks.of(sums(*[(100, loss, gap)] * 4), 2, LIMITS)
    assert looks.skill == pytest.approx(np.full(3, 1 - loss))
    assert looks.error == pytest.approx(np.full(3, abs(gap)))
    assert looks.skill_alarms.all() == skill
    assert looks.error_alarms.all() == calibration


def test_scores_of_few_labels_are_not_judged():
    looks = ScoreLooks.of(sums((100, 0.9, 0.0), (100, 0.9, 0.0), (1, 9.0, 0.9), (1, 9.0, 0.9)), 2, LIMITS)
    assert np.isnan(looks.skill).tolist() == [False, False, True]
    assert not looks.skill_alarms.any()
    assert not looks.error_alarms.any()


def test_days_are_counted_back_from_the_newest_bar():
    end = 10 * DAY_MS + 7 * HOUR_MS
    days = WatchedDays.between(5 * DAY_MS, end)
    assert (days.count, days.start) == (5, 5 * DAY_MS + 7 * HOUR_MS)
    times = np.array([days.start - 1, days.start, end - 1])
    assert days.number(times).tolist() == [-1, 0, 4]
    assert days.look_at(0, 3) == days.start + 3 * DAY_MS
    assert days.look_at(2, 3) == end
    assert WatchedDays.between(end + 1, end).count == 0


@pytest.mark.parametrize(
    ("alarms", "start", "count"),
    [([], None, 0), ([False], None, 0), ([True, False], None, 1), ([True, True], 0, 1), ([True, False, True], 2, 2)],
)
def test_a_lasting_alarm_starts_after_the_last_quiet_look(alarms, start, count):
    alarms = np.array(alarms, np.bool_)
    assert run_start(alarms) == start
    assert episodes(alarms) == count
