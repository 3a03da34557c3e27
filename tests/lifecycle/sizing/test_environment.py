"""The account as an environment: gymnasium's own check, the backtest's equity, and PPO's policy without torch."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from quorate.core.clock import HOUR_MS
from quorate.core.errors import EvaluationError
from quorate.core.settings import SizingSettings
from quorate.core.types import Action
from quorate.lifecycle.sizing.environment import SizingEnvironment
from quorate.lifecycle.sizing.gate_markets import trend_market
from quorate.lifecycle.sizing.ppo import fit_ppo
from quorate.lifecycle.sizing.sized_market import SizedMarket
from quorate.trading.oversight import Oversight
from quorate.trading.sizing import CONTEXT, SHARES, Overlay


@pytest.fixture(scope="module")
def market():
    return trend_market(3, 240, 3, edge=0.02)


def played(environment, action_of):
    """Rewards of one episode."""
    observed, _ = environment.reset(seed=1)
    rewards, ended = [], False
    while not ended:
        observed, reward, ended, _, _ = environment.step(action_of(observed))
        rewards.append(reward)
    return rewards


def test_gymnasium_finds_no_fault(market):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(SizingEnvironment(market, 0.05), skip_render_check=True)


def test_whole_stakes_are_the_backtest(market):
    environment = SizingEnvironment(market, 0.0)
    rewards = played(environment, lambda _: 0)
    assert environment.run.equity == market.ordinary.equity_usd.tolist()
    grown = np.log(market.ordinary.final_equity_usd / market.ordinary.start_equity_usd)
    assert sum(rewards) == pytest.approx(grown / market.setup.settings.account.risk)
    assert len(rewards) >= len(market.ordinary.trades)
    calm = played(SizingEnvironment(market, 0.4), lambda _: 0)
    assert calm == pytest.approx([reward - 0.2 * reward**2 for reward in rewards])


def test_no_stakes_trade_nothing(market):
    environment = SizingEnvironment(market, 0.0)
    assert set(played(environment, lambda _: SHARES.index(0.0))) == {0.0}
    assert environment.run.engine.account.trades == []


def test_guards_stop_what_the_agent_would_fill(market):
    guarded = SizedMarket(market.frames, replace(market.setup, oversight=Oversight()))
    environment = SizingEnvironment(guarded, 0.0)
    few = len(played(environment, lambda _: 0))
    assert environment.run.equity == guarded.ordinary.equity_usd.tolist()
    assert few < len(played(SizingEnvironment(market, 0.0), lambda _: 0))


def test_a_market_without_entries_is_refused(market):
    frames = {name: replace(frame, action=np.full(len(frame), Action.HOLD)) for name, frame in market.frames.items()}
    with pytest.raises(EvaluationError, match="no entry that may fill"):
        SizingEnvironment(SizedMarket(frames, market.setup), 0.0).reset()


def test_ppo_is_exported_as_it_acts(market, monkeypatch):
    import stable_baselines3

    models = []
    learn = stable_baselines3.PPO.learn
    monkeypatch.setattr(stable_baselines3.PPO, "learn", lambda self, steps: models.append(learn(self, steps)))
    policy = fit_ppo(market, SizingSettings(steps=100, width=8))
    assert [weights.shape for weights, _ in policy.layers] == [(8, 8), (8, 8), (5, 8)]
    actions = []

    def act(observed):
        actions.append(int(models[0].predict(observed, deterministic=True)[0]))
        return actions[-1]

    environment = SizingEnvironment(market, 0.0)
    played(environment, act)
    sized = market.setup.with_overlay(Overlay(((0, policy),))).trade(market.frames)
    assert list(sized.shares) == [SHARES[action] for action in actions]
    assert sized.equity_usd.tolist() == environment.run.equity


def test_nothing_after_a_time_is_read(market):
    time = int(next(iter(market.frames.values())).time[150])
    environment = SizingEnvironment(market.before(time), 0.0)
    rewards = played(environment, lambda _: 0)
    candles = {
        name: replace(
            each, **{c: np.where(each.time >= time, 1e6, getattr(each, c)) for c in ("open", "high", "low", "close")}
        )
        for name, each in market.setup.candles.items()
    }
    poisoned = SizedMarket(market.frames, replace(market.setup, candles=candles))
    assert played(SizingEnvironment(poisoned.before(time), 0.0), lambda _: 0) == rewards
    assert len(environment.run.equity) == 150
    assert environment.observation_space.shape == (len(CONTEXT),)
    assert market.length_ms == HOUR_MS
