"""How far a direction is believed: by its slope, and by its evidence over days."""

import numpy as np
import pytest

from quorate.core.types import Action
from quorate.ensemble.calibration.direction import LEAST_FACTOR, fit_direction

HOUR = 3_600_000


def market(true_slope, days=60, markets=5, together=0.0, seed=0):
    """Scores of many markets; `together` is the share of the direction's luck that a day's markets have in common."""
    random = np.random.default_rng(seed)
    bars = 24 * days
    time = np.repeat(HOUR * np.arange(bars), markets)
    odds = random.normal(size=len(time))
    if together:
        odds = np.repeat(random.normal(size=days), 24 * markets)
    luck = np.repeat(random.logistic(size=days), 24 * markets) if together else random.logistic(size=len(time))
    up = true_slope * odds + luck > 0
    move = random.random(len(time)) < 0.6
    p = 1 / (1 + np.exp(-odds))
    scores = np.stack([0.6 * (1 - p), np.full(len(time), 0.4), 0.6 * p], axis=1)
    y = np.where(move, np.where(up, Action.BUY, Action.SELL), Action.HOLD).astype(np.int8)
    return scores, y, time


@pytest.mark.parametrize("slope", [0.25, 0.5, 1.0])
def test_the_factor_is_the_slope_of_the_direction(slope):
    fitted = fit_direction(*market(slope))
    assert fitted.estimate == pytest.approx(slope, abs=0.08)
    assert fitted.factor == pytest.approx(min(1.0, slope), abs=0.1)
    assert fitted.days == 60


def test_a_direction_that_is_too_timid_is_not_amplified():
    assert fit_direction(*market(2.0)).factor == 1.0


def test_a_direction_that_is_wrong_is_not_believed():
    fitted = fit_direction(*market(-0.5))
    assert fitted.factor == LEAST_FACTOR
    assert fitted.estimate < -0.3


def test_noise_has_about_the_least_factor():
    factors = [fit_direction(*market(0.0, seed=seed)).factor for seed in range(30)]
    assert np.mean(factors) < LEAST_FACTOR + 0.02
    assert np.median(factors) == LEAST_FACTOR


def test_markets_of_one_day_are_one_observation():
    # All rows of a day share their direction and its luck: 60 observations, whatever the number of rows.
    errors = [fit_direction(*market(0.0, markets=markets, together=1.0)).error for markets in (1, 10)]
    assert errors[1] > 0.7 * errors[0]
    independent = fit_direction(*market(0.0, markets=10)).error
    assert errors[1] > 5 * independent


def test_no_side_is_favoured():
    scores, y, time = market(0.5)
    mirrored = np.where(y == Action.HOLD, y, Action.BUY - y).astype(np.int8)
    assert fit_direction(scores[:, ::-1], mirrored, time).factor == pytest.approx(fit_direction(scores, y, time).factor)


@pytest.mark.parametrize("days", [0, 1, 4])
def test_few_days_are_no_evidence(days):
    scores, y, time = market(1.0, days=max(days, 1))
    fitted = fit_direction(scores[: 120 * days], y[: 120 * days], time[: 120 * days])
    assert fitted.factor == LEAST_FACTOR
    assert fitted.to_json()["estimate"] is None


def test_abstentions_are_left_out():
    scores, y, time = market(0.5)
    padded = np.concatenate([scores, np.full((50, 3), np.nan)])
    fitted = fit_direction(padded, np.append(y, np.full(50, 2, np.int8)), np.append(time, np.full(50, time[-1])))
    assert fitted == fit_direction(scores, y, time)
