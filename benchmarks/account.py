"""Vote and account together, after the models have run: how many bars a second.

    python benchmarks/account.py

Scores are drawn, so that nothing but the vote and the account is measured: four members that share an opinion on one
bar in five. The account trades a synthetic random walk, where it can only lose: small costs keep it alive to the end.
Freqtrade's backtesting did 21,000 candles a second (release 2026.9, two cores, one pair).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from quorate.core.settings import AccountSettings, CostSettings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.features import Bars, volatility_20
from quorate.market import SyntheticMarket
from quorate.trading import BacktestResult
from quorate.trading.backtest import backtest

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
FREQTRADE_CANDLES_PER_SECOND = 21_000
REPEATS = 5
RESULT = Path(__file__).parent / "results" / "account.md"


def draw_scores(bars: int, seed: int) -> dict[str, FloatArray]:
    """model -> (bars, 3) scores: a shared opinion for BUY or SELL on one bar in five, and each member's own noise."""
    random = np.random.default_rng(seed)
    opinion = np.zeros((bars, 3))
    opinion[np.arange(bars), random.choice([0, 1, 2], size=bars, p=[0.1, 0.8, 0.1])] = 3.0
    scores = {}
    for member in MEMBERS:
        raised = np.exp(opinion + 0.5 * random.standard_normal((bars, 3)))
        scores[member] = raised / raised.sum(axis=1, keepdims=True)
    return scores


def vote(candles: Candles, scores: dict[str, FloatArray]) -> DecisionFrame:
    """The decisions on every bar."""
    volatility = volatility_20(Bars(candles))
    decided = decide_frame(scores, volatility)
    return DecisionFrame(candles.symbol, candles.timeframe, candles.time, *decided, volatility, scores, synthetic=True)


def best_of(work: Callable[[], object]) -> float:
    """Shortest wall time in seconds: what the machine's other work adds is left out as far as it can be."""
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def main() -> None:
    costs, account = CostSettings(taker_fee=0.00002, slippage=0.00001), AccountSettings(risk=0.002)
    lines = [
        "# Vote and account",
        "",
        "`python benchmarks/account.py`, best of five, after the models have run. Freqtrade's backtesting did "
        f"{FREQTRADE_CANDLES_PER_SECOND:,} candles a second in a run of its own (2026.9, one pair, two cores).",
        "",
    ]
    lines += [
        "| bars | trades | vote, s | account, s | bars a second | times Freqtrade |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for symbols, bars in ((1, 100_000), (100, 1_800)):
        market = SyntheticMarket(seed=7, symbols=symbols, bars=bars)
        candles = market.panel()
        funding: dict[str, Funding | None] = {name: market.funding(name) for name in market.names}
        scores = {name: draw_scores(bars, seed) for seed, name in enumerate(market.names)}
        frames = {name: vote(candles[name], scores[name]) for name in market.names}

        def decide(names: tuple[str, ...] = market.names) -> None:
            for name in names:
                vote(candles[name], scores[name])  # noqa: B023

        def trade() -> BacktestResult:
            return backtest(frames, candles, funding, horizon=5, costs=costs, account=account)  # noqa: B023

        voting, trading = best_of(decide), best_of(trade)
        rate = symbols * bars / (voting + trading)
        lines.append(
            f"| {symbols} x {bars:,} | {len(trade().trades):,} | {voting:.3f} | {trading:.3f} "
            f"| {rate:,.0f} | {rate / FREQTRADE_CANDLES_PER_SECOND:.1f} |"
        )
    text = "\n".join([*lines, ""])
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
