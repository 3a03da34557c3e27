"""Freqtrade's backtesting of decisions on a perpetual: seconds of its own loop, as the peer of the account.

The strategy reads its entries from a file and has no callback: a fixed stop, a target and a time exit, which is the
least work that Freqtrade can have with as many trades. Only `Backtesting.backtest` is timed, not reading candles, the
strategy's columns, statistics or the export.
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np

from quorate.core.types import Action, Candles, DecisionFrame, Funding
from quorate.market import write_candles, write_funding
from stubs import freqtrade
from stubs.binance import spawn

PAIR = "XRP/USDT:USDT"  # a name that has leverage tiers in Freqtrade
HOURS = 5  # of a position's life, at most
STRATEGY = """
import atexit
import json
import time
from pathlib import Path

import freqtrade
import numpy as np
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.strategy import IStrategy

FOLDER = Path(__file__).parent
SPENT = []
backtest = Backtesting.backtest


def timed(self, *arguments, **more):
    began = time.perf_counter()
    try:
        return backtest(self, *arguments, **more)
    finally:
        SPENT.append(time.perf_counter() - began)


Backtesting.backtest = timed
atexit.register(lambda: (FOLDER / "loop.json").write_text(json.dumps([freqtrade.__version__, min(SPENT)])))


class Decided(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    can_short = True
    startup_candle_count = 0
    minimal_roi = {"0": 0.06, "%d": -1}
    stoploss = -0.04

    def populate_indicators(self, df, metadata):
        return df

    def populate_entry_trend(self, df, metadata):
        side = np.load(FOLDER / "side.npy")
        df["enter_long"] = (side > 0).astype(int)
        df["enter_short"] = (side < 0).astype(int)
        return df

    def populate_exit_trend(self, df, metadata):
        return df
"""


class Measured(TypedDict):
    """Freqtrade's version, the seconds of its loop in the best run, and the trades that it made."""

    version: str
    seconds: float
    trades: int


def measure(folder: Path, candles: Candles, funding: Funding, decisions: DecisionFrame, repeats: int) -> Measured:
    """Run Freqtrade's backtesting of one market in an empty folder; the best of the runs counts."""
    strategies = folder / "user_data" / "strategies"
    strategies.mkdir(parents=True)
    (strategies / "decided.py").write_text(STRATEGY % (60 * HOURS))
    np.save(strategies / "side.npy", np.asarray(decisions.action, np.int8) - Action.HOLD)
    # Prices near 1, so that no lot is larger than the stake.
    prices = {name: getattr(candles, name) / candles.close.mean() for name in ("open", "high", "low", "close")}
    own = replace(candles, symbol=PAIR, **prices)
    write_candles(folder / "data", own)
    write_candles(folder / "data", own, mark=True)
    write_funding(folder / "data", replace(funding, symbol=PAIR), synthetic=True)
    version, best = "", math.inf
    with spawn(folder / "data") as stub:
        config = freqtrade.configuration(stub.urls, [PAIR], futures=True, timeframe=own.timeframe, dry_run_wallet=1e6)
        (folder / "config.json").write_text(json.dumps(config))
        for _ in range(repeats):
            done = freqtrade.run(
                *("backtesting", "--userdir", folder / "user_data", "--datadir", folder / "data"),
                *("-c", folder / "config.json", "--strategy", "Decided", "--fee", "0.00002"),
                *("--cache", "none", "--export", "trades"),
                cwd=folder,
                timeout=600,
            )
            if done.returncode:
                raise SystemExit(f"Freqtrade: {done.stderr[-3_000:]}")
            version, seconds = json.loads((strategies / "loop.json").read_text())
            best = min(best, seconds)
    trades = freqtrade.exported_trades(folder / "user_data" / "backtest_results")
    return {"version": version, "seconds": best, "trades": len(trades)}
