"""Sleeves: weights of a row read earlier rows only, sides are balanced, signals worked by hand."""

import numpy as np
import pytest
from tests.book.conftest import SMALL

from quorate.book.panel.daily_panel import DailyPanel
from quorate.book.sleeves import registry
from quorate.book.sleeves.carry import Carry
from quorate.book.sleeves.cross_section.columns import COLUMNS, ranked_rows
from quorate.book.sleeves.cross_section.consensus import agreed_weights
from quorate.book.sleeves.cross_section.sleeve import TrendCrossSection
from quorate.book.sleeves.dip import Dip, dip_score
from quorate.book.sleeves.learned import LearnedSleeve
from quorate.book.sleeves.sides import balanced, directional, smoothed
from quorate.book.sleeves.trend import Trend, channel_break, trend_signal
from quorate.core.errors import BookError
from quorate.core.sections.book import BookSettings

SLEEVES = [Trend, Carry, Dip]


@pytest.fixture(scope="module")
def panel(market):
    return market.panel()


@pytest.mark.parametrize("kind", SLEEVES)
@pytest.mark.parametrize("day", [70, 120])
def test_no_weight_reads_later_candles(market, panel, kind, day):
    known = market.until(int(panel.time[day])).panel()
    whole, part = kind(SMALL).weights(panel), kind(SMALL).weights(known)
    assert len(part) <= len(whole)
    np.testing.assert_array_equal(part, whole[: len(part)])
    assert np.isfinite(whole).all()
    assert np.abs(part[-1]).sum() > 0 or kind is Dip


@pytest.mark.parametrize("day", [70, 120])
def test_no_column_of_the_cross_section_reads_later_candles(market, panel, day):
    known = market.until(int(panel.time[day])).panel()
    part = ranked_rows(known, known.universe(8))
    whole = ranked_rows(panel, panel.universe(8))
    count = len(part.day)
    np.testing.assert_array_equal(whole.X[:count], part.X)
    assert whole.X.shape[1] == len(COLUMNS) == 33
    assert (np.abs(whole.X) < 0.5).all()
    assert (np.abs(whole.X[-8:]).sum(axis=0) > 0).all()  # every column is known at the end


def test_rows_can_begin_with_a_day(panel):
    whole, part = TrendCrossSection(SMALL).rows(panel), TrendCrossSection(SMALL).rows(panel, 100)
    later = whole.day >= 100
    for name in ("day", "market", "X"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[later])


def test_labels_are_residual_returns_of_the_horizon(market, panel):
    from quorate.book.panel.outcomes import PositionOutcomes

    outcomes = PositionOutcomes.of(panel, market.funding)
    labels = TrendCrossSection(SMALL).labels(panel, outcomes)
    day, days = 80, SMALL.horizon_days
    among = panel.universe(8)[day]
    forward = np.log(outcomes.fill[day + days] / outcomes.fill[day])
    known = among & np.isfinite(forward)
    expected = (forward - forward[known].mean()) / (panel.volatility[day] * np.sqrt(days))
    np.testing.assert_allclose(labels[day, known], np.clip(expected, -3, 3)[known])
    assert np.isnan(labels[-days:]).all()


def test_channel_breaks_are_kept_until_the_middle():
    close = np.array([1.0, 2, 3, 4, 3.5, 2.9, 2.4, 1.5, 2.4, 3.2])[:, None]
    # Channels of three days: high from row 2, broken low at row 5; row 8 is a new high.
    assert channel_break(close, 3)[:, 0].tolist()[2:] == [1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0]


def test_trend_of_a_rising_market_is_long(market_of):
    market = market_of(8, 120, holes=False)
    panel = market.panel()
    drift = np.exp(0.02 * np.arange(len(panel.grid.time)))
    from dataclasses import replace

    candles = {
        symbol: replace(each, **{name: getattr(each, name) * drift for name in ("open", "high", "low", "close")})
        for symbol, each in market.candles.items()
    }
    rising = DailyPanel.of(candles, market.funding, SMALL)
    assert (trend_signal(rising)[-1] > 0.9).all()
    np.testing.assert_allclose(Trend(SMALL).weights(rising)[-1].sum(), trend_signal(rising)[-1].mean(), rtol=0.1)


def test_carry_holds_known_funding_only_and_is_balanced(panel):
    weights = Carry(SMALL).weights(panel)
    unknown = np.isnan(panel.funding).all(axis=0)
    assert unknown.any()
    assert not weights[:, unknown].any()
    np.testing.assert_allclose(weights.sum(axis=1), 0, atol=1e-12)
    assert np.abs(weights).sum(axis=1).max() == pytest.approx(1)


def test_balanced_sides_are_halves_and_few_markets_are_none():
    signal = np.array([[1.0, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, np.nan]])
    weights = balanced(signal, np.ones((2, 6)), np.ones((2, 6), bool))
    np.testing.assert_allclose(weights[0], np.array([-5, -3, -1, 1, 3, 5]) / 18)
    assert not weights[1].any()
    riskier = balanced(signal[:1], np.array([[1.0, 1, 1, 1, 1, 2]]), np.ones((1, 6), bool))
    np.testing.assert_allclose(riskier[0, 3:], np.array([1, 3, 2.5]) / 13)


def test_directional_weights_are_inverse_volatility():
    weights = directional(np.array([[1.0, -1, np.nan]]), np.array([[0.01, 0.03, 0.01]]), np.array([[True, True, True]]))
    np.testing.assert_allclose(weights, [[3 / 7, -1 / 7, 0]])


def test_smoothing_is_a_mean_of_the_newest_rows():
    assert smoothed(np.array([[0.0], [2], [4]]), 2)[:, 0].tolist() == [0, 1, 3]


@pytest.mark.parametrize(
    ("votes", "quorum", "expected"),
    [
        # Six markets; outer thirds are two on each side.
        ([[1, 2, 3, 4, 5, 6]] * 3, 3, [-1, -1, 0, 0, 1, 1]),
        ([[1, 2, 3, 4, 5, 6]] * 2 + [[1, 3, 2, 5, 4, 6]], 3, [-1, 0, 0, 0, 0, 1]),  # one disagrees on two of them
        ([[1, 2, 3, 4, 5, 6]] * 2 + [[6, 5, 4, 3, 2, 1]], 3, [0, 0, 0, 0, 0, 0]),
        ([[1, 2, 3, 4, 5, 6]] * 2 + [[6, 5, 4, 3, 2, 1]], 2, [-1, -1, 0, 0, 1, 1]),
        ([[1, 2, 3, 4, 5, 6]] * 2, 3, [0, 0, 0, 0, 0, 0]),  # too few members left
        ([[1, 2, 3, 4, 5, 6]] * 2 + [[np.nan] * 6], 2, [-1, -1, 0, 0, 1, 1]),  # one abstains
        ([[1, 2, 3, 4, 6, 5], [1, 4, 3, 2, 6, 5]], 2, [-1, 0, 0, 0, 1, 1]),
    ],
)
def test_a_market_is_held_where_enough_members_agree(votes, quorum, expected):
    forecasts = [np.array([vote], float) for vote in votes]
    among = np.ones((1, 6), bool)
    weights = agreed_weights(forecasts, np.ones((1, 6)), among, quorum=quorum, outer=1 / 3)
    assert np.sign(weights[0]).tolist() == expected
    np.testing.assert_allclose(np.abs(weights).sum(), 1.0 if any(expected) else 0.0)
    np.testing.assert_allclose(weights.sum(), 0, atol=1e-12)


def test_nothing_is_held_where_a_side_is_missing():
    forecasts = [np.array([[1.0, 2, 3, 4, 5, 6]]), np.array([[2.0, 1, 3, 6, 4, 5]]), np.array([[3.0, 4, 1, 2, 5, 6]])]
    among = np.ones((1, 6), bool)
    # Two have markets 5 and 6 high, but no two of three agree with the third on a low one.
    assert not agreed_weights(forecasts, np.ones((1, 6)), among, quorum=3, outer=1 / 3).any()


def test_a_dip_is_bought_for_a_day(market_of):
    from dataclasses import replace

    market = market_of(8, 120, holes=False)
    bars = len(next(iter(market.candles.values())))
    fall = np.ones(bars)
    fall[600:] = 0.8
    candles = {
        symbol: replace(each, **{name: getattr(each, name) * fall for name in ("open", "high", "low", "close")})
        for symbol, each in market.candles.items()
    }
    panel = DailyPanel.of(candles, market.funding, SMALL)
    score = dip_score(panel, SMALL)
    # The bar 600 closes at moment 601: three triggers of each length fire, and are kept for six bars.
    assert score[600] < 0.5
    assert (score[601:607] == 1.0).all()
    assert score[613] < 1.0
    weights = Dip(SMALL).weights(panel)
    np.testing.assert_allclose(weights[601].sum(), SMALL.dip_share)
    assert (weights >= 0).all()


def test_registry_names_what_is_unknown():
    assert registry.names()[:4] == ("cross_section", "trend", "carry", "dip")
    built = registry.build_sleeves(BookSettings())
    assert [sleeve.name for sleeve in built] == list(BookSettings().sleeves)
    assert isinstance(built[0], LearnedSleeve)
    assert all(sleeve.lookback_days > 0 for sleeve in built)
    with pytest.raises(BookError, match="Did you mean 'trend'"):
        registry.sleeve_class("trent")
