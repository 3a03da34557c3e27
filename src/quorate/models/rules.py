"""Fallback rules for bars on which no model is available: RSI and an EMA crossover.

RSI(14) below 30 is BUY, above 70 SELL. The crossover (EMA(10) - EMA(20)) / close above +1.5 % is BUY, below -1.5 %
SELL. If one rule gives a signal, it is the action. If they contradict each other, as in a fast decline (oversold with a
falling average), or if neither gives a signal, the action is HOLD.

The rules are not a member of the ensemble: they are not fitted, have no scores and do not vote.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray
from quorate.features import Bars
from quorate.features.arithmetic import above, below
from quorate.features.rescaled import rescaled_rows

OVERSOLD, OVERBOUGHT = 30.0, 70.0
CROSSOVER = 0.015  # fraction of the close


class RuleActions(NamedTuple):
    """Actions of the rules on n bars.

    Attributes:
        action: (n,) int8 values of Action; HOLD in the first 19 rows, where an indicator is NaN, and after a change of
            the price scale, see `features.rescaled`.
        contradicted: (n,) True where one rule is BUY and the other SELL.
    """

    action: ActionArray
    contradicted: BoolArray


def rule_actions(bars: Bars) -> RuleActions:
    """Apply the rules to every bar, using that bar and earlier ones.

    >>> from quorate import Candles
    >>> hours, price = 3_600_000 * np.arange(60), np.linspace(100, 70, 60)
    >>> price[40:] = price[40] - 0.05 * np.arange(20)
    >>> candles = Candles("BTC/USDT", "1h", hours, price, price, price, price, np.ones(60))
    >>> rules = rule_actions(Bars(candles))
    >>> [(Action(rules.action[bar]).name, bool(rules.contradicted[bar])) for bar in (10, 40, 59)]
    [('HOLD', False), ('HOLD', True), ('BUY', False)]
    """
    rsi = bars.rsi(14)
    crossover = (bars.ema(10) - bars.ema(20)) / bars.close
    known = np.isfinite(rsi) & np.isfinite(crossover)
    rescaled = rescaled_rows(bars, bars.timeframe)
    if rescaled is not None:
        known &= ~rescaled
    # Comparisons with NaN are False, so rows without an indicator give no signal.
    buy = known & (below(rsi, OVERSOLD) | above(crossover, CROSSOVER))
    sell = known & (above(rsi, OVERBOUGHT) | above(-crossover, CROSSOVER))
    action = np.full(len(bars), Action.HOLD, np.int8)
    action[buy & ~sell] = Action.BUY
    action[sell & ~buy] = Action.SELL
    return RuleActions(action, buy & sell)
