"""Markets of the gate, where it is known what a learner of sizes may find.

The synthetic market has a hidden trend of -1, 0 or +1. Three members see the trend of the next bar, each through noise
of its own, and the vote always acts. Where they lean far to one side there most likely is a trend; where they hardly
lean there is none. On a market with an edge the returns follow the trend, so entries without a trend only cost, and the
context tells them apart. On a random walk the members say the same, and the returns follow nothing.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from quorate.core.settings import AccountSettings, CostSettings, ExitSettings, Settings
from quorate.core.types import Action, Candles, DecisionFrame, FloatArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.lifecycle.sizing.sized_market import SizedMarket
from quorate.market.synthetic import SyntheticMarket

_MEMBERS = ("first", "second", "third")
_HORIZON = 5
_VOLATILITY_BARS = 20
# Log-odds of a trend to a member, and the standard deviation of its noise.
_SEEN, _NOISE = 2.0, 1.0
_HOLD = 0.2
# High: an entry without a trend loses by its costs.
_SLIPPAGE = 0.001


def trend_market(seed: int, bars: int, symbols: int, *, edge: float, free: bool = False) -> SizedMarket:
    """A synthetic market that is traded by what members see of its trend.

    Args:
        seed: of the candles and of the members' noise.
        bars: per market.
        symbols: markets.
        edge: share of the variance that the hidden trend explains; 0 is a random walk.
        free: without fees, slippage and funding.
    """
    market = SyntheticMarket(seed=seed, symbols=symbols, bars=bars, edge=edge)
    panel = market.panel()
    # The gate tests a learner and not the user's account: its settings are always the same.
    costs = CostSettings(taker_fee=0.0, maker_fee=0.0, slippage=0.0) if free else CostSettings(slippage=_SLIPPAGE)
    settings = replace(Settings(), costs=costs, account=AccountSettings(), exits=ExitSettings())
    funding = {} if free else {name: known for name in panel if (known := market.funding(name)) is not None}
    # The trend is drawn the same whatever share of the returns it explains.
    told = SyntheticMarket(seed=seed, symbols=symbols, bars=bars, edge=0.01)
    generator = np.random.default_rng([seed, 1])
    frames = {name: _decide(candles, np.sign(told.expected_return(name)), generator) for name, candles in panel.items()}
    return SizedMarket(frames, BacktestSetup(panel, funding, settings, _HORIZON))


def shuffled(market: SizedMarket, seed: int) -> SizedMarket:
    """The same decisions with everything that a context reads of them dealt out anew among those of one side."""
    generator = np.random.default_rng(seed)
    frames = {}
    for symbol, frame in market.frames.items():
        place = np.arange(len(frame))
        for action in (Action.SELL, Action.BUY):
            rows = np.flatnonzero(frame.action == action)
            place[rows] = generator.permutation(rows)
        frames[symbol] = replace(
            frame,
            confidence=frame.confidence[place],
            base=frame.base[place],
            volatility=frame.volatility[place],
            scores={name: table[place] for name, table in frame.scores.items()},
        )
    return SizedMarket(frames, market.setup)


def _decide(candles: Candles, trend: FloatArray, generator: np.random.Generator) -> DecisionFrame:
    """Decisions of members that see the trend of the next bar.

    Args:
        candles: of the market.
        trend: (n,) of each bar; -1, 0 or 1.
        generator: of the members' noise.
    """
    n, scores = len(candles), {}
    following = np.append(trend[1:], 0.0)
    for name in _MEMBERS:
        odds = _SEEN * following + _NOISE * generator.standard_normal(n)
        buy = (1 - _HOLD) / (1 + np.exp(-odds))
        scores[name] = np.column_stack([1 - _HOLD - buy, np.full(n, _HOLD), buy])
    lean = np.mean([table[:, Action.BUY] - table[:, Action.SELL] for table in scores.values()], axis=0)
    volatility = _trailing_deviation(candles.close)
    acts = np.isfinite(volatility)
    action = np.where(acts, np.where(lean > 0, Action.BUY, Action.SELL), Action.HOLD).astype(np.int8)
    confidence = np.where(acts, (1 - _HOLD + np.abs(lean)) / 2, 0.0)
    text = np.full(n, "trend")
    return DecisionFrame(
        candles.symbol,
        candles.timeframe,
        candles.time,
        action,
        confidence,
        confidence,
        text,
        text,
        volatility,
        scores,
        synthetic=candles.synthetic,
    )


def _trailing_deviation(close: FloatArray) -> FloatArray:
    """(n,) standard deviation of the newest 20 changes; NaN before."""
    change, deviation = np.diff(np.log(close)), np.full(len(close), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(change, _VOLATILITY_BARS)
    deviation[_VOLATILITY_BARS:] = windows.std(axis=1)
    return deviation
