"""Figures of single members, and their limits."""

import numpy as np
import pytest

from quorate.core.clock import HOUR_MS
from quorate.core.settings import DriftSettings
from quorate.evaluation.daily_sums import daily_outcomes
from quorate.evaluation.member_reference import LEAST_BEHIND, fit_members, member_figures, member_sums
from quorate.evaluation.metrics.classification import row_log_loss

SETTINGS = DriftSettings(window_days=5, resamples=40)
PRIOR = np.array([0.3, 0.4, 0.3])


def scored(days=40, seed=1):
    """Two members with the truth and noise of their own, and one without any knowledge."""
    generator = np.random.default_rng(seed)
    time = np.arange(days * 24) * HOUR_MS
    truth = generator.dirichlet([3, 4, 3], len(time))
    y = np.array([generator.choice(3, p=p) for p in truth], np.int8)

    def noisy():
        table = truth * generator.uniform(0.9, 1.1, truth.shape)
        return table / table.sum(axis=1, keepdims=True)

    return y, {"one": noisy(), "two": noisy(), "three": np.tile(PRIOR, (len(time), 1))}, time


def test_sums_are_the_ensembles_and_the_loss_beyond_that_of_the_others():
    y, members, time = scored(3)
    day = time // (24 * HOUR_MS)
    sums = member_sums(y, members, PRIOR, day, 3)
    np.testing.assert_allclose(sums[:, 1, :-1], daily_outcomes(y, members["two"], PRIOR, day, 3))
    others = (members["one"] + members["three"]) / 2
    beyond = row_log_loss(y, members["two"]) - row_log_loss(y, others)
    np.testing.assert_allclose(sums[:, 1, -1], np.bincount(day, beyond))


def test_a_row_counts_against_the_others_that_voted():
    y, members, time = scored(1)
    absent = {model: own.copy() for model, own in members.items()}
    absent["one"][:12] = np.nan
    absent["three"][:6] = np.nan
    sums = member_sums(y, absent, PRIOR, np.zeros(len(time), np.int64), 1)
    beyond = row_log_loss(y, members["two"]) - row_log_loss(y, (members["one"] + members["three"]) / 2)
    beyond[6:12] = (row_log_loss(y, members["two"]) - row_log_loss(y, members["three"]))[6:12]
    assert sums[0, 1, -1] == pytest.approx(beyond[6:].sum())
    assert sums[0, :, 0].tolist() == [12, 24, 18]


def test_a_member_alone_is_behind_nobody():
    y, members, time = scored(1)
    sums = member_sums(y, {"one": members["one"]}, PRIOR, np.zeros(len(time), np.int64), 1)
    assert member_figures(sums)[2].tolist() == [[0.0]]


def test_limits_lie_beyond_the_held_out_figures():
    y, members, time = scored()
    found = fit_members(y, members, PRIOR, time, SETTINGS)
    assert list(found) == list(members)
    for own in found.values():
        assert own.days == 40
        assert own.skill_limit <= own.skill  # of the prior itself, both are 0
        assert own.error_limit > own.error
        assert own.behind_limit >= own.behind + LEAST_BEHIND
    assert found["three"].behind > 0 > found["one"].behind
    assert abs(found["three"].skill) < 1e-9


def test_one_chance_is_shared_by_all_members():
    y, members, time = scored()
    alone = fit_members(y, {"one": members["one"]}, PRIOR, time, SETTINGS)["one"]
    together = fit_members(y, members, PRIOR, time, SETTINGS)["one"]
    assert together.skill_limit < alone.skill_limit
    assert together.error_limit > alone.error_limit


def test_a_member_with_few_days_or_a_class_that_the_prior_lacks_is_left_out():
    y, members, time = scored()
    late = {**members, "two": np.where((time < 31 * 24 * HOUR_MS)[:, None], np.nan, members["two"])}
    assert list(fit_members(y, late, PRIOR, time, SETTINGS)) == ["one", "three"]
    assert fit_members(y, members, np.array([0.0, 0.7, 0.3]), time, SETTINGS) == {}


def test_days_on_which_nobody_voted_are_no_known_days():
    y, members, time = scored()
    earlier = 20 * 24
    longer = {model: np.concatenate([np.full((earlier, 3), np.nan), own]) for model, own in members.items()}
    shifted = np.concatenate([np.arange(earlier) * HOUR_MS, time + earlier * HOUR_MS])
    found = fit_members(np.concatenate([y[:earlier], y]), longer, PRIOR, shifted, SETTINGS)
    assert found == fit_members(y, members, PRIOR, time, SETTINGS)
    assert fit_members(y, {}, PRIOR, time, SETTINGS) == {}


def test_a_figure_with_a_heavy_tail_leaves_the_limits_of_the_others():
    """A member that is sometimes very sure and wrong: its own limits are far out, and no limit of the others is."""
    y, members, time = scored()
    wild = members["three"].copy()
    wild[::97] = np.where(np.arange(3) == y[::97, None], 1e-6, (1 - 1e-6) / 2)
    limits = [fit_members(y, {**members, "three": own}, PRIOR, time, SETTINGS) for own in (members["three"], wild)]
    spreads = [each["one"].skill - each["one"].skill_limit for each in limits]
    assert spreads[1] == pytest.approx(spreads[0], rel=0.5)
    assert limits[1]["three"].skill_limit < limits[1]["one"].skill_limit


def test_days_without_a_member_leave_finite_limits():
    y, members, time = scored()
    gone = {
        **members,
        "two": np.where((time % (14 * 24 * HOUR_MS) < 7 * 24 * HOUR_MS)[:, None], np.nan, members["two"]),
    }
    own = fit_members(y, gone, PRIOR, time, SETTINGS)["two"]
    assert np.isfinite([own.skill_limit, own.error_limit, own.behind_limit]).all()
