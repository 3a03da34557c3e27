"""Throughput of vote and account without the models, in bars per second.

    python benchmarks/account.py

Scores are random, so that only the vote and the account are measured: four members that agree on one bar in five. The
account trades a synthetic random walk, where it loses its costs; they are small, so that it trades until the end.
On one market Freqtrade's backtesting runs on the same candles and decisions in the same run; see account_freqtrade.py.
Without its environment (`make freqtrade`) that column is empty.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import account_freqtrade
from quorate.core.settings import AccountSettings, CostSettings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.features import Bars, volatility_20
from quorate.market import SyntheticMarket
from quorate.trading import BacktestResult
from quorate.trading.backtest import backtest
from stubs import freqtrade

MEMBERS = ("xgboost", "lightgbm", "nhits", "patchtst")
REPEATS = 5
RESULT = Path(__file__).parent / "results" / "account.md"


def draw_scores(bars: int, seed: int) -> dict[str, FloatArray]:
    """model -> (bars, 3) scores: the same class, BUY or SELL, on one bar in five, plus noise of each member."""
    random = np.random.default_rng(seed)
    shared = np.zeros((bars, 3))
    shared[np.arange(bars), random.choice([0, 1, 2], size=bars, p=[0.1, 0.8, 0.1])] = 3.0
    scores = {}
    for member in MEMBERS:
        exponential = np.exp(shared + 0.5 * random.standard_normal((bars, 3)))
        scores[member] = exponential / exponential.sum(axis=1, keepdims=True)
    return scores


def vote(candles: Candles, scores: dict[str, FloatArray]) -> DecisionFrame:
    """Decisions on every bar."""
    volatility = volatility_20(Bars(candles))
    decided = decide_frame(scores, volatility)
    return DecisionFrame(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        time=candles.time,
        action=decided.action,
        confidence=decided.confidence,
        base=decided.base,
        consensus=decided.consensus,
        rule=decided.rule,
        volatility=volatility,
        scores=scores,
        synthetic=True,
    )


def best_of(work: Callable[[], object]) -> float:
    """Shortest wall time in seconds, which other load on the machine affects least."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def main() -> None:
    costs, account = CostSettings(taker_fee=0.00002, slippage=0.00001), AccountSettings(risk=0.002)
    rows, theirs = [], None
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
        rate, ratio = symbols * bars / (voting + trading), ""
        if symbols == 1 and freqtrade.environment() is not None:
            (name,) = market.names
            rates = funding[name]
            assert rates is not None
            with tempfile.TemporaryDirectory() as folder:
                theirs = account_freqtrade.measure(Path(folder), candles[name], rates, frames[name], 3)
            ratio = f"{rate / (bars / theirs['seconds']):.1f}"
        rows.append(
            f"| {symbols} x {bars:,} | {len(trade().trades):,} | {voting:.3f} | {trading:.3f} | {rate:,.0f} | {ratio} |"
        )
    peer = "Freqtrade was not installed."
    if theirs is not None:
        peer = (
            f"Freqtrade {theirs['version']} backtested the one market in the same run on the same decisions, without "
            f"callbacks: {theirs['trades']:,} trades, {theirs['seconds']:.2f} s in its loop (best of three)."
        )
    text = "\n".join(
        [
            "# Vote and account",
            "",
            f"`python benchmarks/account.py`, best of {REPEATS}, without the models. {peer}",
            "",
            "| bars | trades | vote, s | account, s | bars per second | times Freqtrade |",
            "|---|---:|---:|---:|---:|---:|",
            *rows,
            "",
        ]
    )
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
