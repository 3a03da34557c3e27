"""Decisions of the account: whole days, changes by bar between them, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest
from tests.book.conftest import SMALL

from quorate.book.panel.bar_grid import BAR_MS
from quorate.book.portfolio.limits import limited
from quorate.book.portfolio.targets import BookTargets
from quorate.book.portfolio.weights import SleeveWeights
from quorate.book.sleeves.registry import build_sleeves
from quorate.core.clock import DAY_MS
from quorate.core.errors import BookError

SETTINGS = replace(SMALL, sleeves=("trend", "carry", "dip"), volume_share=1.0)


@pytest.fixture(scope="module")
def panel(market):
    return market.panel()


@pytest.fixture(scope="module")
def weights(panel):
    return SleeveWeights.of(build_sleeves(SETTINGS), panel, {}, SETTINGS)


@pytest.fixture(scope="module")
def targets(panel, weights):
    return BookTargets(panel, weights, SETTINGS)


def test_every_day_is_decided_and_other_moments_where_a_sleeve_by_bar_changes(panel, weights, targets):
    moments = targets.moments(int(panel.time[0]))
    days = {int(time) for time in panel.time}
    assert days <= set(moments)
    dip = weights.by_bar["dip"]
    for moment in sorted(set(moments) - days):
        row = (moment - int(panel.grid.time[0])) // BAR_MS
        assert np.abs(dip[row] - dip[row - 1]).sum() > 0
    assert targets.moments(int(panel.time[5]), int(panel.time[6]))[0] == panel.time[5]
    assert all(moment < panel.time[6] for moment in targets.moments(int(panel.time[5]), int(panel.time[6])))


def test_a_day_follows_the_sum_of_the_sleeves_within_band_and_limits(panel, weights, targets):
    day = len(panel.time) - 3
    moment = int(panel.time[day])
    total = weights.daily_total(panel)[day] + weights.bar_total(panel)[panel.moment[day]]
    wanted = limited(total, panel.median_volume[day], 1_000.0, SETTINGS)
    np.testing.assert_array_equal(targets.wanted(moment, 1_000.0), wanted)
    nothing = np.zeros(len(panel.symbols))
    np.testing.assert_array_equal(targets.at(moment, 1_000.0, nothing), wanted)
    near = wanted * 0.9
    np.testing.assert_array_equal(targets.at(moment, 1_000.0, near), near)  # within the band
    far = wanted * 0.1
    np.testing.assert_array_equal(targets.at(moment, 1_000.0, far), wanted)


def test_between_days_what_is_held_moves_by_the_change_of_the_bars(panel):
    bars = np.zeros((len(panel.grid.time) + 1, len(panel.symbols)))
    row = int(panel.moment[60]) + 2
    bars[row:, 0] = 0.1
    made = BookTargets(panel, SleeveWeights({}, {"dip": bars}, {}), SETTINGS)
    held = np.full(len(panel.symbols), 0.01)
    moment = int(panel.grid.moments[row])
    found = made.at(moment, 1e3, held)
    volume = panel.median_volume[60]
    np.testing.assert_allclose(found[0], 0.1)
    np.testing.assert_allclose(found[1:], np.where(np.isfinite(volume[1:]), 0.01, 0.0))
    assert made.at(moment + BAR_MS, 1e3, held) is None


def test_moments_outside_the_panel_are_refused(panel, targets):
    nothing = np.zeros(len(panel.symbols))
    for moment in (int(panel.time[0]) - DAY_MS, int(panel.grid.moments[-1]) + BAR_MS, int(panel.time[9]) + 1):
        with pytest.raises(BookError, match="expected the close of a 4-hour bar"):
            targets.at(moment, 1e3, nothing)


def test_weights_after_a_bar_are_named_and_without_those_of_none(panel, targets):
    moment = int(panel.time[100])
    found = targets.after_bar(moment - BAR_MS, 1_000.0, {panel.symbols[2]: -0.3, "GONE/USDT:USDT": 0.5})
    held = np.zeros(len(panel.symbols))
    held[2] = -0.3
    expected = targets.at(moment, 1_000.0, held)
    assert found == {symbol: weight for symbol, weight in zip(panel.symbols, expected, strict=True) if weight}
    assert len(found) > 3
    assert targets.after_bar(moment, 1_000.0, {}) is None or moment + BAR_MS in targets.moments(moment)


@pytest.mark.parametrize(
    ("held", "daily", "before", "after", "expected"),
    [
        (0.11, 0.01, 0.1, 0.0, 0.01),  # a dip that was held ends
        (0.0, 0.01, 0.1, 0.0, 0.0),  # never held: nothing to take away
        (0.05, 0.01, 0.1, 0.0, 0.01),  # held in part: no farther than to the rest
        (0.0, -0.2, 0.1, 0.0, -0.1),  # towards a short that is wanted
        (0.0, 0.01, 0.0, 0.1, 0.1),  # a dip begins
        (0.3, 0.01, 0.0, 0.1, 0.3),  # more is held than is wanted in all: it is left
        (0.04, 0.01, 0.1, 0.1, None),  # nothing changes
    ],
)
def test_a_change_by_bar_goes_no_farther_than_to_what_is_wanted(panel, held, daily, before, after, expected):
    bars = np.zeros((len(panel.grid.time) + 1, len(panel.symbols)))
    row = int(panel.moment[100]) + 2
    bars[row - 1, 0], bars[row, 0] = before, after
    fixed = np.zeros(panel.close.shape)
    fixed[:, 0] = daily
    made = BookTargets(panel, SleeveWeights({"fixed": fixed}, {"dip": bars}, {}), SETTINGS)
    position = np.zeros(len(panel.symbols))
    position[0] = held
    found = made.at(int(panel.grid.moments[row]), 1e3, position)
    if expected is None:
        assert found is None
    else:
        np.testing.assert_allclose(found[0], expected)


def test_all_weights_can_be_decided_at_any_moment(panel, targets):
    moment = int(panel.time[100]) + 2 * BAR_MS
    nothing = np.zeros(len(panel.symbols))
    np.testing.assert_array_equal(targets.at(moment, 1e3, nothing, whole=True), targets.wanted(moment, 1e3))


def test_truncated_candles_decide_the_same(market, panel, targets):
    day = 120
    known = market.until(int(panel.time[day])).panel()
    chosen = build_sleeves(SETTINGS)
    part = BookTargets(known, SleeveWeights.of(chosen, known, {}, SETTINGS), SETTINGS)
    for moment in (int(panel.time[day]), int(panel.time[100])):
        np.testing.assert_array_equal(part.wanted(moment, 1e3), targets.wanted(moment, 1e3))
