"""Cost of bootstrap intervals: all figures of 10,000 trades over a year, from 2,000 resamples of its days.

    python benchmarks/bootstrap.py

The limit is 2 s. Beside it, the mean of the same trades resampled one trade at a time with numpy, the simplest way to
write a bootstrap; it treats trades of one day as independent, and gives one figure only.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from quorate.core.clock import DAY_MS, HOUR_MS
from quorate.core.settings import EvaluationSettings
from quorate.evaluation.metrics.trades import trade_figures
from quorate.trading.account.trade import Trade
from quorate.trading.backtest.backtest_result import BacktestResult

TRADES, RESAMPLES, DAYS, MOST_SECONDS = 10_000, 2_000, 365, 2.0
REPEATS = 5
RESULT = Path(__file__).parent / "results" / "bootstrap.md"


def random_result() -> BacktestResult:
    """Random trades over a year, and an equity curve by the hour."""
    random = np.random.default_rng(7)
    entries = np.sort(random.integers(0, DAYS * 24, TRADES)) * HOUR_MS
    net = random.normal(0.02, 2.0, TRADES)
    trades = tuple(
        Trade(
            symbol="AAA/USDT:USDT", side=1, quantity=1.0, leverage=1.0, margin_usd=100.0, confidence=0.7,
            decided=int(entry) - HOUR_MS, entry_time=int(entry), entry_price=100.0, exit_time=int(entry) + 5 * HOUR_MS,
            exit_price=100.0 + float(gain), stop=96.0, target=110.0, reason="time", gross_usd=float(gain) + 0.14,
            fee_usd=0.10, slippage_usd=0.04, funding_usd=0.0, funding_known=True, mark_known=True,
        )
        for entry, gain in zip(entries, net, strict=True)
    )  # fmt: skip
    hours = np.arange(DAYS * 24, dtype=np.int64) * HOUR_MS
    equity = 10_000 + np.interp(hours, entries, np.cumsum(net))
    return BacktestResult("1h", ("AAA/USDT:USDT",), "USD", 10_000.0, trades, hours, equity, 0.5, {}, True, (), ())


def main() -> int:
    result, settings = random_result(), EvaluationSettings(resamples=RESAMPLES)
    ours, plain = [], []
    net = np.array([trade.net_usd for trade in result.trades])
    for _ in range(REPEATS):  # interleaved, so that other load on the machine affects both alike
        began = time.perf_counter()
        figures = trade_figures(result, settings)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        random = np.random.default_rng(7)
        np.quantile([net[random.integers(0, TRADES, TRADES)].mean() for _ in range(RESAMPLES)], [0.025, 0.975])
        plain.append(time.perf_counter() - began)
    intervals = sum(name.endswith("_ci") for name in figures)
    days = len(np.unique([trade.entry_time // DAY_MS for trade in result.trades]))
    text = (
        "# Intervals\n\n"
        f"`python benchmarks/bootstrap.py`, best of {REPEATS}: all figures of {TRADES:,} trades on {days} days with "
        f"their intervals ({intervals} in all) from {RESAMPLES:,} resamples in {min(ours):.3f} s (limit: "
        f"{MOST_SECONDS:g} s). "
        f"The mean alone, resampled one trade at a time with numpy: {min(plain):.3f} s.\n"
    )
    print(text)
    RESULT.write_text(text, encoding="utf-8")
    return 0 if min(ours) < MOST_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
