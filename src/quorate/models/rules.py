"""The conservative fallback: two old rules of thumb, for when no model is available.

RSI(14) below 30 says BUY, above 70 SELL. An EMA crossover, (EMA(10) - EMA(20)) / close, above +1.5 % says BUY, below
-1.5 % SELL. Where only one of them speaks, it decides; where they contradict each other, as in a market that falls
fast (oversold, and pointing down), the answer is HOLD: a fallback has no business catching falling knives. Where
neither speaks, HOLD.

It is no member of the ensemble: it learns nothing, scores nothing, and never votes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from quorate.core.types import Action, ActionArray, BoolArray
from quorate.features import Bars

OVERSOLD, OVERBOUGHT = 30.0, 70.0
CROSSOVER = 0.015  # fraction of the close


class RuleActions(NamedTuple):
    """What the rules say on n bars.

    Attributes:
        action: (n,) int8 values of Action; HOLD in the first 19 rows, where an indicator is not yet known.
        contradicted: (n,) True where one rule said BUY and the other SELL.
    """

    action: ActionArray
    contradicted: BoolArray


def rule_actions(bars: Bars) -> RuleActions:
    """The rules on every bar, each from the bars up to it.

    >>> from quorate import Candles
    >>> hours, price = 3_600_000 * np.arange(60), np.linspace(100, 70, 60)
    >>> price[40:] = price[40] - 0.05 * np.arange(20)
    >>> candles = Candles("BTC/USDT", "1h", hours, price, price, price, price, np.ones(60))
    >>> said = rule_actions(Bars(candles))
    >>> [(Action(said.action[bar]).name, bool(said.contradicted[bar])) for bar in (10, 40, 59)]
    [('HOLD', False), ('HOLD', True), ('BUY', False)]
    """
    rsi = bars.rsi(14)
    crossover = (bars.ema(10) - bars.ema(20)) / bars.close
    known = np.isfinite(rsi) & np.isfinite(crossover)
    # Comparisons with NaN are False, so that unknown rows speak for nothing.
    buy = known & ((rsi < OVERSOLD) | (crossover > CROSSOVER))
    sell = known & ((rsi > OVERBOUGHT) | (crossover < -CROSSOVER))
    action = np.full(len(bars), Action.HOLD, np.int8)
    action[buy & ~sell] = Action.BUY
    action[sell & ~buy] = Action.SELL
    return RuleActions(action, buy & sell)
