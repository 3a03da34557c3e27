"""What a sizing overlay sees of an entry: the decision, and the account at the bar's close. Nothing later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from quorate.core.types import Action, DecisionFrame, FloatArray, Signal
from quorate.trading.account.account import Account

#: Columns of the decision.
DECISION = ("confidence", "base", "lean", "agreement", "volatility", "side")
#: Columns of the account.
ACCOUNT = ("drawdown", "held")
#: All columns, in order.
CONTEXT = (*DECISION, *ACCOUNT)


class AccountState(NamedTuple):
    """The account after a bar's close.

    Attributes:
        drawdown: fall of the equity from its highest valuation so far, a fraction.
        held: open positions as a share of the slots.
    """

    drawdown: float = 0.0
    held: float = 0.0

    @classmethod
    def of(cls, account: Account, peak_usd: float) -> Self:
        """The state of an account whose highest valuation so far is known."""
        fallen = 1 - account.equity_usd / peak_usd if peak_usd > 0 else 0.0
        return cls(fallen, len(account.positions) / account.settings.positions)


def signal_context(signal: Signal) -> FloatArray:
    """(6,) float64 columns of `DECISION` for a BUY or SELL; NaN where unknown.

    `lean` is the mean over the members that voted of the score of the action's side less that of the other side;
    `agreement` is the share of them for which it is positive. Members of a stack have no scores, so both are NaN.

    Args:
        signal: with an action other than HOLD.
    """
    scores = [vote.scores for vote in signal.votes if vote.scores is not None]
    table = np.array(scores, np.float64).reshape(len(scores), 1, len(Action))
    volatility = math.nan if signal.volatility is None else signal.volatility
    decision = np.array([signal.confidence]), np.array([signal.base]), np.array([volatility])
    return np.asarray(_columns(table, np.array([signal.action]), *decision)[0])


def frame_contexts(frame: DecisionFrame) -> FloatArray:
    """(n, 6) float64: `signal_context` of every bar; NaN rows where it holds.

    Args:
        frame: decisions.
    """
    contexts = np.full((len(frame), len(DECISION)), np.nan)
    acted = np.flatnonzero(frame.action != Action.HOLD)
    tables = [np.asarray(table, np.float64)[acted] for table in frame.scores.values()]
    table = np.stack(tables) if tables else np.empty((0, len(acted), len(Action)))
    decision = frame.confidence[acted], frame.base[acted], frame.volatility[acted]
    contexts[acted] = _columns(table, frame.action[acted], *decision)
    return contexts


def full_context(decision: FloatArray | Sequence[float], state: AccountState) -> FloatArray:
    """(8,) float64 in the order of `CONTEXT`, from the (6,) columns of a decision."""
    return np.array([*decision, *state], np.float64)


def _columns(
    table: FloatArray, action: np.ndarray, confidence: FloatArray, base: FloatArray, volatility: FloatArray
) -> FloatArray:
    """(n, 6) columns of n decisions with (members, n, 3) scores; a row of scores with a NaN is an abstention."""
    buys = action == Action.BUY
    side = np.where(buys, 1.0, -1.0)
    voted = np.isfinite(table).all(axis=2)
    lead = side * (table[:, :, Action.BUY] - table[:, :, Action.SELL])  # (members, n)
    count = voted.sum(axis=0).astype(np.float64)
    unknown = np.full(len(action), np.nan)
    lean = np.divide(np.where(voted, lead, 0.0).sum(axis=0), count, out=unknown.copy(), where=count > 0)
    agreeing = (voted & (lead > 0)).sum(axis=0)
    agreement = np.divide(agreeing, count, out=unknown, where=count > 0)
    return np.column_stack([confidence, base, lean, agreement, volatility, side])
