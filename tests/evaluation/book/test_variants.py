"""Delays, costs, removed months and markets, betas, holdings and assumed losses against slow forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluation.book.conftest import QUICK, Book
from tests.evaluation.book.test_judge import sharpe

from quorate.book.portfolio.returns import book_returns
from quorate.book.portfolio.weights import SleeveWeights
from quorate.core.settings import CostSettings
from quorate.evaluation.book.case import BookCase
from quorate.evaluation.book.holdings import beside, holdings
from quorate.evaluation.book.market_beta import beta_figures, market_beta
from quorate.evaluation.book.robustness import best_markets, robustness
from quorate.evaluation.book.survivorship import survivorship


@pytest.fixture(scope="module")
def case(small: Book) -> BookCase:
    return small.case()


def net_of(case: BookCase, weights: SleeveWeights, costs: CostSettings | None = None) -> np.ndarray:
    returns = book_returns(weights, case.panel, case.outcomes, case.settings, costs or CostSettings())
    return returns.net[case.span.since_held(returns)]


def test_later_fills_are_moved_weights(case: BookCase) -> None:
    found = robustness(case)
    daily = {name: np.append(np.zeros_like(w[:1]), w[:-1], 0) for name, w in case.weights.daily.items()}
    bars = {name: np.append(np.zeros_like(w[:6]), w[:-6], 0) for name, w in case.weights.by_bar.items()}
    late = net_of(case, SleeveWeights(daily, bars, {}))
    assert found["one_day_late"]["sharpe"] == pytest.approx(sharpe(late))
    assert found["one_day_late"]["days"] == len(late)
    late = net_of(case, SleeveWeights(daily, case.weights.by_bar, {}))
    assert found["daily_one_day_late"]["sharpe"] == pytest.approx(sharpe(late))
    bars = {name: np.append(np.zeros_like(w[:1]), w[:-1], 0) for name, w in case.weights.by_bar.items()}
    late = net_of(case, SleeveWeights(case.weights.daily, bars, {}))
    assert found["by_bar_one_bar_late"]["sharpe"] == pytest.approx(sharpe(late))
    assert found["at_bars"]["sharpe"] == pytest.approx(found["one_bar_late"]["sharpe"], abs=3)
    assert found["at_bars"]["sharpe"] != found["one_bar_late"]["sharpe"]
    followed = robustness(replace(case, settings=replace(case.settings, band=0.0)))
    assert found["without_band"] == followed["at_bars"]
    assert found["without_band_one_bar_late"] == followed["one_bar_late"] != found["one_bar_late"]
    assert "without_band" not in followed


def test_doubled_costs(case: BookCase) -> None:
    doubled = net_of(case, case.weights, CostSettings(taker_fee=0.001, slippage=0.0004))
    assert robustness(case)["costs_doubled"]["sharpe"] == pytest.approx(sharpe(doubled))


def test_the_best_month_is_left_out(case: BookCase) -> None:
    months: dict[str, list[float]] = {}
    for time, value in zip(case.span.time[case.days], case.net, strict=True):
        months.setdefault(str(time.astype("datetime64[ms]"))[:7], []).append(value)
    best = max(months, key=lambda name: sum(months[name]))
    found = robustness(case)["without_best_month"]
    assert found["month"] == best
    assert found["sharpe"] == pytest.approx(sharpe([v for name, own in months.items() if name != best for v in own]))


def test_the_best_markets_are_never_held(case: BookCase) -> None:
    totals = {symbol: sum(case.by_market[case.days][:, k]) for k, symbol in enumerate(case.panel.symbols)}
    best = sorted(totals, key=lambda symbol: -totals[symbol])[:3]
    found = robustness(case)["without_best_markets"]
    assert found["markets"] == best
    kept = np.array([symbol not in best for symbol in case.panel.symbols])
    weights = SleeveWeights(
        {name: np.where(kept, w, 0) for name, w in case.weights.daily.items()},
        {name: np.where(kept, w, 0) for name, w in case.weights.by_bar.items()},
        {},
    )
    assert found["sharpe"] == pytest.approx(sharpe(net_of(case, weights)))
    assert len(best_markets(case, 0)) == 0


def test_holdings_follow_the_universe(case: BookCase) -> None:
    found, panel, outcomes = holdings(case), case.panel, case.outcomes
    among, cost = panel.universe(case.settings.markets), 0.0007
    held = dict.fromkeys(panel.symbols, 0.0)
    for row in range(len(panel.time) - 1):
        chosen = [k for k in range(len(panel.symbols)) if among[row, k]]
        wanted = dict.fromkeys(panel.symbols, 0.0)
        for k in chosen:
            if np.isfinite(outcomes.fill[row, k]):
                wanted[panel.symbols[k]] = 1 / len(chosen)
        turnover = sum(abs(wanted[s] - held[s]) for s in wanted)
        moves = {s: outcomes.returns[row, k] for k, s in enumerate(panel.symbols)}
        moves = {s: move if np.isfinite(move) else 0.0 for s, move in moves.items()}
        gross = sum(wanted[s] * moves[s] for s in wanted)
        paid = sum(wanted[s] * outcomes.funding[row, k] for k, s in enumerate(panel.symbols))
        net = gross - paid - cost * turnover
        assert found["equal_weight"].net[row] == pytest.approx(net, abs=1e-14)
        held = {s: wanted[s] * (1 + moves[s]) / (1 + net) for s in wanted}
    leader = panel.symbols.index("BTC/USDT:USDT")
    np.testing.assert_allclose(found["btc"].gross, np.nan_to_num(outcomes.returns[:-1, leader]))
    rows = beside(case, found)
    assert rows["btc"]["days"] == len(case.net)
    assert rows["btc"]["sharpe_above"] == pytest.approx(sharpe(case.net) - sharpe(found["btc"].net[case.days]))


def test_a_beta_equals_the_textbook(case: BookCase) -> None:
    rng = np.random.default_rng(4)
    market = rng.normal(0, 0.02, 300)
    noise = np.convolve(rng.normal(0, 0.01, 303), np.ones(4) / 2, "valid")
    returns = 0.4 * market + noise + 0.001
    lags = 6
    found = market_beta(returns, market, lags)
    X = np.column_stack([np.ones(300), market])
    inverse = np.linalg.inv(X.T @ X)
    slope = inverse @ X.T @ returns
    residual = returns - X @ slope
    middle = np.zeros((2, 2))
    for i in range(300):
        for j in range(max(0, i - lags), min(300, i + lags + 1)):
            weight = 1 - abs(i - j) / (lags + 1)
            middle += weight * residual[i] * residual[j] * np.outer(X[i], X[j])
    error = np.sqrt((inverse @ middle @ inverse)[1, 1])
    assert found.beta == pytest.approx(slope[1])
    assert found.t == pytest.approx(slope[1] / error)
    np.testing.assert_allclose(found.rest, returns - slope[1] * market)
    assert beta_figures(returns, market, QUICK)["sharpe_of_rest"] == pytest.approx(sharpe(returns - slope[1] * market))
    assert beta_figures(returns, np.zeros(300), QUICK)["beta"] is None


def test_assumed_losses_worked_by_hand(case: BookCase) -> None:
    found = survivorship(replace(case, options=replace(QUICK, lost_share=0.1, lost_part=0.5)))
    long = [sum(max(weight, 0.0) for weight in row) for row in case.held[case.days]]
    assert found["long_exposure"] == pytest.approx(sum(long) / len(long))
    assert found["yearly_loss"] == pytest.approx(0.05 * found["long_exposure"])
    net = [value - 0.05 * size / 365 for value, size in zip(case.net, long, strict=True)]
    assert found["sharpe"] == pytest.approx(sharpe(net))
    if case.net.mean() > 0:
        even = found["share_that_takes_all"]
        assert even * 0.5 * found["long_exposure"] == pytest.approx(365 * case.net.mean())
    else:
        assert found["missing"]["share_that_takes_all"]
    assert (found["markets"], found["ended"]) == (10, 1)
    first = int(np.argmax(case.days))
    listed = [s for k, s in enumerate(case.panel.symbols) if np.isfinite(case.panel.close[first, k])]
    assert found["listed_at_start"]["markets"] == len(listed)


def test_markets_listed_later_are_never_held(small: Book) -> None:
    case = small.case(first=1)
    found = survivorship(case)["listed_at_start"]
    kept = np.isfinite(case.panel.close[int(np.argmax(case.days))])
    assert found["markets"] == kept.sum() < 10
    weights = SleeveWeights(
        {name: np.where(kept, w, 0) for name, w in case.weights.daily.items()},
        {name: np.where(kept, w, 0) for name, w in case.weights.by_bar.items()},
        {},
    )
    assert found["sharpe"] == pytest.approx(sharpe(net_of(case, weights)))
