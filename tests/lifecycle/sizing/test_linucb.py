"""The bandit and the regression behind it: by hand, against scikit-learn, and blind to what is not known yet."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from quorate.core.settings import SizingSettings
from quorate.lifecycle.sizing.linucb import LinUCB, fit_linucb, fit_ridge
from quorate.lifecycle.sizing.sized_market import SizedTrades
from quorate.trading.sizing import CONTEXT, SHARES
from quorate.trading.sizing.context import DECISION

SETTINGS = SizingSettings(penalty=3.0, exploration=0.5, aversion=0.4)


def test_two_dimensions_by_hand():
    bandit = LinUCB(2, 2, exploration=1.0)
    x, z = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    # Nothing is known: both bounds are |x| = 1, and the first arm is taken.
    assert bandit.bounds(x).tolist() == [1.0, 1.0]
    assert bandit.choose(x) == 0
    bandit.update(0, x, 0.5)
    # A = diag(2, 1), b = (0.5, 0): an estimate of 0.25, and a bound of 0.25 + sqrt(1 / 2).
    assert bandit.coefficients[0].tolist() == [0.25, 0.0]
    assert bandit.bounds(x) == pytest.approx([0.25 + np.sqrt(0.5), 1.0])
    assert bandit.choose(x) == 1
    bandit.update(1, z, -1.0)
    # A = [[2, 1], [1, 2]], its inverse [[2, -1], [-1, 2]] / 3, b = (-1, -1): coefficients of -1/3 each.
    assert bandit.inverse[1] == pytest.approx(np.array([[2, -1], [-1, 2]]) / 3)
    assert bandit.coefficients[1] == pytest.approx([-1 / 3, -1 / 3])
    assert bandit.bounds(z) == pytest.approx([0.25 + np.sqrt(1.5), -2 / 3 + np.sqrt(2 / 3)])


def made(n=300, seed=1):
    """Trades that close one to nine hours after their decision, with results that follow the lean."""
    random = np.random.default_rng(seed)
    contexts = np.full((n, len(CONTEXT)), np.nan)
    contexts[:, : len(DECISION)] = random.normal(size=(n, len(DECISION)))
    contexts[:, CONTEXT.index("side")] = 1.0  # does not vary
    results = 0.4 * contexts[:, CONTEXT.index("lean")] + random.normal(scale=0.5, size=n)
    decided = np.arange(n) * 3_600_000
    return SizedTrades(contexts, results, decided, decided + random.integers(1, 10, n) * 3_600_000)


def test_ridge_is_scikit_learns():
    trades = made()
    policy = fit_ridge(trades, SETTINGS)
    assert policy.inputs == tuple(name for name in DECISION if name != "side")
    X = np.column_stack([np.ones(len(trades)), policy.standardised(trades.contexts)])
    known = Ridge(alpha=SETTINGS.penalty, fit_intercept=False).fit(X, trades.rewards(SETTINGS.aversion))
    np.testing.assert_allclose(policy.scores(trades.contexts), known.predict(X), atol=1e-10)


def test_a_bandit_with_every_reward_is_the_ridge():
    trades = made(80)
    policy = fit_ridge(trades, SETTINGS)
    X = np.column_stack([np.ones(len(trades)), policy.standardised(trades.contexts)])
    bandit, rewards = LinUCB(X.shape[1], len(SHARES), 0.5, SETTINGS.penalty), trades.rewards(SETTINGS.aversion)
    for row in range(len(trades)):
        for arm in range(len(SHARES)):
            bandit.update(arm, X[row], rewards[row, arm])
    np.testing.assert_allclose(X @ bandit.coefficients.T, policy.scores(trades.contexts), atol=1e-9)


def test_rewards_by_hand():
    trades = SizedTrades(np.zeros((1, 8)), np.array([2.0]), np.zeros(1, np.int64), np.ones(1, np.int64))
    # s z - 0.2 (s z)^2 with s z of 2, 1.5, 1, 0.5, 0.
    assert trades.rewards(0.4)[0] == pytest.approx([1.2, 1.05, 0.8, 0.45, 0.0])


@pytest.mark.parametrize("fit", [fit_ridge, fit_linucb])
def test_an_edge_is_learnt(fit):
    policy = fit(made(1_500), SETTINGS)
    for lean, wanted in ((2.0, 1.0), (-2.0, 0.0)):
        context = np.zeros(len(CONTEXT))
        context[CONTEXT.index("lean")] = lean
        assert abs(policy.share(context) - wanted) <= 0.25


@pytest.mark.parametrize("fit", [fit_ridge, fit_linucb])
def test_results_of_open_trades_change_nothing(fit):
    trades, time = made(), 200 * 3_600_000
    poisoned = replace(trades, results=np.where(trades.known > time, 1e6, trades.results))
    assert (poisoned.results != trades.results).sum() > 90
    assert fit(poisoned.closed_by(time), SETTINGS).digest == fit(trades.closed_by(time), SETTINGS).digest


def test_the_bandit_chooses_before_it_knows(monkeypatch):
    trades, chosen, learnt = made(60), [], []
    choose, update = LinUCB.choose, LinUCB.update

    def watched_choose(self, x):
        chosen.append(len(learnt))
        return choose(self, x)

    def watched_update(self, arm, x, reward):
        learnt.append(reward)
        update(self, arm, x, reward)

    monkeypatch.setattr(LinUCB, "choose", watched_choose)
    monkeypatch.setattr(LinUCB, "update", watched_update)
    fit_linucb(trades, SETTINGS)
    assert chosen == [int((trades.known <= decided).sum()) for decided in trades.decided]
    assert len(learnt) == len(trades)
