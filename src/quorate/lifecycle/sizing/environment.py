"""The simulated account as an environment for reinforcement learning (gymnasium's interface).

A step is one entry that may fill: the action is its share of the ordinary stake, and the account then trades on, bar by
bar, up to the next such entry. It is the engine of backtests and paper trading, with its costs, slots, exits and
guards: what these stop is never given. An episode is the whole span.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

from quorate.core.errors import EvaluationError
from quorate.core.types import Float32Array, FloatArray
from quorate.trading.backtest.stepped import OpenEntry, SteppedRun
from quorate.trading.sizing import CONTEXT, SHARES, SizingPolicy, frame_contexts, full_context

if TYPE_CHECKING:
    from quorate.lifecycle.sizing.sized_market import SizedMarket

# Mean and scale of the account's columns: drawdowns of tens of percent, slots between none and all.
_ACCOUNT_MEAN, _ACCOUNT_SCALE = (0.0, 0.5), (0.1, 0.5)
_FURTHEST = 4.0


class SizingEnvironment(gymnasium.Env[Float32Array, np.int64]):
    """Entries of one market, one after the other.

    Observation: (8,) float32, the standardised context. Action: index into `SHARES`. Reward: change g of the logarithm
    of equity in multiples of `account.risk`, less aversion / 2 g^2.

    Args:
        market: decisions and the account that trades them.
        aversion: weight of the squared change.

    Attributes:
        run: of the newest episode.
        standard: a policy of no preference with the inputs as the observation has them.

    Raises:
        EvaluationError: no entry that may fill.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - gymnasium's own annotation

    def __init__(self, market: SizedMarket, aversion: float) -> None:
        self._market, self._aversion, self._risk = market, aversion, market.setup.settings.account.risk
        self.standard = _standard(market)
        self.observation_space = gymnasium.spaces.Box(-_FURTHEST, _FURTHEST, (len(CONTEXT),), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(SHARES))
        self.run: SteppedRun
        self._candidates: Generator[OpenEntry, float, None]
        self._logarithm = 0.0
        self._observed = np.zeros(len(CONTEXT), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Float32Array, dict[str, Any]]:
        """Begin the span anew with a new account; the seed changes nothing."""
        super().reset(seed=seed, options=options)
        self.run = self._market.setup.stepped(self._market.frames)
        self._candidates = self.run.candidates()
        if not self._advance(None):
            raise EvaluationError(
                "learn sizes in the simulated account",
                found="no entry that may fill",
                expected="decisions to BUY or SELL, with the members' scores",
                remedy="Take a longer span, or lower the vote's floor.",
            )
        self._logarithm = self._log_equity()
        return self._observed, {}

    def step(self, action: np.int64) -> tuple[Float32Array, float, bool, bool, dict[str, Any]]:
        """Fill an entry with a share of its ordinary stake, and trade on to the next one or to the end."""
        more = self._advance(SHARES[int(action)])
        before, self._logarithm = self._logarithm, self._log_equity()
        gained = (self._logarithm - before) / self._risk
        return self._observed, gained - self._aversion / 2 * gained**2, not more, False, {}

    def _advance(self, share: float | None) -> bool:
        """Go on to the next entry of known context; whether there is one. The others have their whole stake."""
        while True:
            try:
                found = self._candidates.send(share)  # type: ignore[arg-type]  # None starts it
            except StopIteration:
                return False
            context = full_context(found.decision, found.state)
            if np.isfinite(context).all():
                self._observed = self.standard.standardised(context).astype(np.float32)
                return True
            share = 1.0

    def _log_equity(self) -> float:
        account = self.run.engine.account
        return math.log(max(account.equity_usd, 1e-6 * account.settings.equity_usd))


def _standard(market: SizedMarket) -> SizingPolicy:
    """A policy of no preference over all inputs; those of the decision are standardised by the entries of the span."""
    setup = market.setup
    tables = [frame_contexts(frame.between(setup.start, setup.end)) for frame in market.frames.values()]
    rows: FloatArray = np.concatenate(tables)
    rows = rows[np.isfinite(rows).all(axis=1)]
    known = len(rows) > 1
    mean = rows.mean(axis=0) if known else np.zeros(rows.shape[1])
    scale = rows.std(axis=0) if known else np.ones(rows.shape[1])
    scale = np.where(scale > 1e-12, scale, 1.0)
    none = np.zeros((len(SHARES), len(CONTEXT))), np.zeros(len(SHARES))
    return SizingPolicy(CONTEXT, np.append(mean, _ACCOUNT_MEAN), np.append(scale, _ACCOUNT_SCALE), (none,))
