"""Scaling, the band, limits, and returns against a slow oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.book.conftest import SMALL

from quorate.book.panel.outcomes import PositionOutcomes
from quorate.book.portfolio.adjustment import adjusted
from quorate.book.portfolio.limits import limited
from quorate.book.portfolio.returns import book_returns, market_returns, returns_by_bar
from quorate.book.portfolio.volatility_target import volatility_scale
from quorate.book.portfolio.weights import SleeveWeights
from quorate.book.sleeves.registry import build_sleeves
from quorate.core.sections.book import BookSettings
from quorate.core.sections.trading import CostSettings

WEIGHTS = arrays(np.float64, 5, elements=st.floats(-2, 2, width=32))


@pytest.fixture(scope="module")
def panel(market):
    return market.panel()


@pytest.fixture(scope="module")
def outcomes(market, panel):
    return PositionOutcomes.of(panel, market.funding)


@pytest.fixture(scope="module")
def weights(panel):
    chosen = replace(SMALL, sleeves=("trend", "carry", "dip"))
    return SleeveWeights.of(build_sleeves(chosen), panel, {}, chosen)


@given(WEIGHTS, WEIGHTS, st.floats(0, 1), st.floats(0.01, 1))
def test_a_weight_is_between_what_is_held_and_its_target(target, held, band, step):
    found = adjusted(target, held, band, step)
    low, high = np.minimum(target, held), np.maximum(target, held)
    assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()
    assert (found[target == 0] == 0).all()
    np.testing.assert_array_equal(adjusted(target, held, 0.0), np.where(target == held, held, target))
    far = np.abs(target - held) > band * np.maximum(np.abs(target), np.abs(held))
    assert (found[~far & (target != 0)] == held[~far & (target != 0)]).all()


@given(WEIGHTS, arrays(np.float64, 5, elements=st.floats(0, 1e7)), st.floats(1, 1e9))
def test_limits_only_shrink(weights, volume, equity_usd):
    settings = replace(SMALL, most_weight=0.5, most_gross=1.2)
    found = limited(weights, volume, equity_usd, settings)
    assert (np.abs(found) <= np.abs(weights) + 1e-15).all()
    assert (np.abs(found) * equity_usd <= settings.volume_share * volume + 1e-6).all()
    assert np.abs(found).max() <= 0.5
    assert np.abs(found).sum() <= 1.2 + 1e-9
    assert (found * weights >= 0).all()


def test_limits_worked_by_hand():
    settings = BookSettings(most_weight=0.4, most_gross=1.0, volume_share=0.01)
    volume = np.array([1e9, 1e9, 2_000.0, np.nan])
    found = limited(np.array([0.8, -0.9, 0.3, 0.2]), volume, 100.0, settings)
    # 0.4 and 0.4 by the cap, 0.2 by its volume (1 % of 2,000 over 100), none where the volume is unknown.
    np.testing.assert_allclose(found, [0.4, -0.4, 0.2, 0.0])


def test_scale_reaches_its_target_and_reads_no_later_close():
    rng = np.random.default_rng(5)
    close = np.exp(np.cumsum(rng.normal(0, 0.03, (400, 3)), axis=0))
    weights = np.tile([0.5, -0.3, 0.2], (400, 1))
    scale = volatility_scale(weights, close, SMALL)
    assert not scale[:20].any()  # too few days
    earned = scale[100:-1] * (weights[100:-1] * (close[101:] / close[100:-1] - 1)).sum(axis=1)
    assert 0.08 < earned.std() * 365**0.5 < 0.12
    later = close.copy()
    later[301:] *= 7
    np.testing.assert_array_equal(volatility_scale(weights, later, SMALL)[:301], scale[:301])
    assert volatility_scale(weights * 1e-6, close, SMALL)[50:].max() == SMALL.most_scale


def slow_returns(target, returns, funding, cost, band):
    """Follow the targets with an account of one unit of equity and plain loops."""
    rows = []
    held = [0.0] * len(target[0])
    for row in range(len(target) - 1):
        turnover = gross = paid = 0.0
        new = []
        for market, wanted in enumerate(target[row]):
            before = held[market]
            same = wanted != 0 and abs(wanted - before) <= band * max(abs(wanted), abs(before))
            weight = before if same else wanted
            turnover += abs(weight - before)
            moved = returns[row][market]
            moved = 0.0 if moved != moved else moved
            gross += weight * moved
            paid += weight * funding[row][market]
            new.append(weight * (1 + moved))
        equity = 1 + gross - paid - cost * turnover
        held = [each / equity for each in new]
        rows.append((gross, -paid, cost * turnover, turnover))
    return np.array(rows).T


@pytest.mark.parametrize("band", [0.0, 0.6])
def test_daily_returns_equal_the_oracle(panel, outcomes, weights, band):
    daily = weights.only("trend", "carry")
    costs = CostSettings()
    found = book_returns(daily, panel, outcomes, replace(SMALL, band=band), costs)
    target = daily.daily_total(panel) * np.isfinite(outcomes.fill)
    expected = slow_returns(target, outcomes.returns, outcomes.funding, costs.taker_fee + costs.slippage, band)
    assert expected[3].sum() > 1
    np.testing.assert_allclose([found.gross, found.funding, found.cost, found.turnover], expected, atol=1e-14)


def test_sleeves_by_bar_equal_the_oracle(panel, outcomes, weights):
    costs = CostSettings()
    found = book_returns(weights.only("dip"), panel, outcomes, SMALL, costs)
    bars = weights.by_bar["dip"]
    day = np.searchsorted(panel.moment, np.arange(len(bars)), side="right") - 1
    funding = np.where(day[:, None] >= 0, outcomes.funding[np.maximum(day, 0)], 0) / 6
    returns = np.append(outcomes.bar_returns, np.zeros((1, bars.shape[1])), 0)
    rows = slow_returns(bars, returns, funding, costs.taker_fee + costs.slippage, 0.0)
    days = [[rows[k][day[:-1] == d].sum() for d in range(len(panel.time) - 1)] for k in range(4)]
    np.testing.assert_allclose([found.gross, found.funding, found.cost, found.turnover], days, atol=1e-14)


def test_parts_are_the_whole(panel, outcomes, weights):
    total = book_returns(weights, panel, outcomes, replace(SMALL, band=0.0), CostSettings(taker_fee=0, slippage=0))
    parts = [
        book_returns(weights.only(name), panel, outcomes, replace(SMALL, band=0.0), CostSettings())
        for name in ("trend", "carry", "dip")
    ]
    np.testing.assert_allclose(total.gross, sum(part.gross for part in parts), atol=1e-14)
    np.testing.assert_allclose(total.funding, sum(part.funding for part in parts), atol=1e-14)
    assert set(weights.without("dip").daily) == {"trend", "carry"}
    assert not weights.without("dip").by_bar


def test_a_delay_moves_the_weights(panel, outcomes, weights):
    late = book_returns(weights, panel, outcomes, SMALL, CostSettings(), delay_days=1, delay_bars=2)
    moved = SleeveWeights(
        {name: np.append(np.zeros_like(each[:1]), each[:-1], 0) for name, each in weights.daily.items()},
        {name: np.append(np.zeros_like(each[:2]), each[:-2], 0) for name, each in weights.by_bar.items()},
        weights.scale,
    )
    np.testing.assert_allclose(late.net, book_returns(moved, panel, outcomes, SMALL, CostSettings()).net, atol=1e-15)


@pytest.mark.parametrize("band", [0.0, 0.6])
def test_markets_add_up_to_the_book(panel, outcomes, weights, band):
    settings = replace(SMALL, band=band)
    found = market_returns(weights, panel, outcomes, settings, CostSettings())
    whole = book_returns(weights, panel, outcomes, settings, CostSettings())
    np.testing.assert_allclose(found.net.sum(axis=1), whole.net, atol=1e-15)
    np.testing.assert_allclose(found.weights.sum(axis=1), whole.side, atol=1e-14)


def test_daily_weights_filled_at_bars_equal_the_oracle(panel, outcomes, weights):
    daily, settings = weights.only("trend", "carry"), replace(SMALL, band=0.6)
    target = daily.daily_total(panel) * np.isfinite(outcomes.fill)
    for delay in (0, 1, 2):
        found = returns_by_bar(daily, panel, outcomes, settings, CostSettings(), delay_bars=delay)
        held, days = [0.0] * len(panel.symbols), np.zeros((3, len(panel.time) - 1))
        for bar in range(len(panel.grid.time)):
            day = int(np.searchsorted(panel.moment, bar, side="right")) - 1
            row = np.flatnonzero(panel.moment == bar - delay)
            new = list(held)
            for market, wanted in enumerate(target[row[0]] if len(row) else ()):
                same = wanted != 0 and abs(wanted - held[market]) <= 0.6 * max(abs(wanted), abs(held[market]))
                new[market] = held[market] if same else wanted
            turnover = sum(abs(a - b) for a, b in zip(new, held, strict=True))
            moves = np.nan_to_num(outcomes.bar_returns[bar])
            rate = outcomes.funding[day] / 6 if day >= 0 else np.zeros(len(new))
            gross, paid = float(new @ moves), float(new @ rate)
            held = (np.array(new) * (1 + moves) / (1 + gross - paid - 0.0007 * turnover)).tolist()
            if 0 <= day < len(panel.time) - 1:
                days[:, day] += gross, -paid, 0.0007 * turnover
        np.testing.assert_allclose([found.gross, found.funding, found.cost], days, atol=1e-14)
    dip = weights.only("dip")
    late = returns_by_bar(weights, panel, outcomes, settings, CostSettings(), delay_bars=2)
    apart = returns_by_bar(daily, panel, outcomes, settings, CostSettings(), delay_bars=2).plus(
        book_returns(dip, panel, outcomes, settings, CostSettings(), delay_bars=2)
    )
    np.testing.assert_allclose(late.net, apart.net, atol=1e-15)
