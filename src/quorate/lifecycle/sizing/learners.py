"""The learners by name: each makes a policy of what was known at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorate.core.sections.sizing import SizingSettings
from quorate.lifecycle.sizing.linucb import fit_linucb, fit_ridge
from quorate.lifecycle.sizing.ppo import fit_ppo
from quorate.lifecycle.sizing.sized_market import SizedMarket
from quorate.trading.sizing import SizingPolicy

#: Market, time in ms and settings -> a policy that has read nothing after that time.
Learner = Callable[[SizedMarket, int, SizingSettings], SizingPolicy]


def learn_linucb(market: SizedMarket, time: int, settings: SizingSettings) -> SizingPolicy:
    """LinUCB on the trades that were closed by then."""
    return fit_linucb(market.trades.closed_by(time), settings)


def learn_ridge(market: SizedMarket, time: int, settings: SizingSettings) -> SizingPolicy:
    """Ridge regression of every share's reward on the trades that were closed by then."""
    return fit_ridge(market.trades.closed_by(time), settings)


def learn_ppo(market: SizedMarket, time: int, settings: SizingSettings) -> SizingPolicy:
    """PPO in the account over the bars before then; positions that are open then close at their last price."""
    return fit_ppo(market.before(time), settings)


LEARNERS: Mapping[str, Learner] = {"linucb": learn_linucb, "ridge": learn_ridge, "ppo": learn_ppo}


def learn(learner: Learner, market: SizedMarket, time: int, settings: SizingSettings) -> SizingPolicy:
    """The learner's policy; the whole ordinary stake where too few trades were closed by then."""
    if len(market.trades.closed_by(time)) < settings.fewest:
        return SizingPolicy.constant(1.0)
    return learner(market, time, settings)
