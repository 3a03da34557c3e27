"""Comparison of Freqtrade's backtest with Quorate's on the decisions of the same bundle.

Two differences are known and accounted for, so that nothing else may differ: a position that Freqtrade opens at the
time of a settlement pays it, in Quorate's backtest it does not; and positions that are open at the end are closed at
the last bar's open by Freqtrade, at its close by Quorate.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ccxt
import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame
from quorate.ensemble.inference.predictor import LIVE_BARS
from quorate.ensemble.series import load
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.trading import BacktestResult, Contract, MarginTiers, Trade
from quorate.trading.backtest import backtest
from stubs import freqtrade
from stubs.binance import spawn

STRATEGY = '''
from quorate.integrations.freqtrade.strategies.vote_strategy import QuorateVoteStrategy


class Agreement(QuorateVoteStrategy):
    """The strategy unchanged; Freqtrade loads only classes that are defined in the strategy's own file."""
'''

# Exit reasons of Freqtrade -> those of Quorate.
REASONS = {
    "time": "time",
    "stop": "stop",
    "stop_loss": "stop",
    "trailing_stop_loss": "stop",
    "target": "target",
    "roi": "target",
    "liquidation": "liquidation",
    "force_exit": "end",
}


@dataclass(frozen=True)
class Trial:
    """Arguments of one comparison.

    Attributes:
        data: a Freqtrade folder, with funding and mark prices of perpetuals.
        bundle: folder of a bundle, or of a series.
        pairs: all may be held at the same time.
        start, end: ms; the bar at `end` is the last one, as in a timerange of Freqtrade.
        leverage: the highest allowed.
        stake: margin of each position.
        fee: fraction per side.
        exits: settings of both.
    """

    data: Path
    bundle: Path
    pairs: tuple[str, ...]
    start: int
    end: int
    timeframe: str = "1h"
    leverage: float = 3.0
    stake: float = 100.0
    fee: float = 0.0005
    exits: ExitSettings = field(default_factory=lambda: ExitSettings(reopen=False))

    @property
    def futures(self) -> bool:
        return ":" in self.pairs[0]


@dataclass(frozen=True)
class Outcome:
    """Trades of both backtests."""

    trial: Trial
    ours: BacktestResult
    theirs: list[dict[str, Any]]
    contracts: Mapping[str, Contract]
    frames: Mapping[str, DecisionFrame]
    log: str


def run(trial: Trial, user_data: Path) -> Outcome:
    """Run both backtests with the same decisions, candles, funding, fees and stops, without slippage."""
    (user_data / "strategies").mkdir(parents=True)
    (user_data / "strategies" / "agreement.py").write_text(STRATEGY)
    with spawn(trial.data) as stub:
        chosen = freqtrade.configuration(
            stub.urls,
            list(trial.pairs),
            futures=trial.futures,
            timeframe=trial.timeframe,
            stake_amount=trial.stake,
            quorate={
                "bundle": str(trial.bundle),
                "leverage": trial.leverage,
                "leave_on_opposite": "never",
                "tag": "consensus",
            },
        )
        (user_data / "config.json").write_text(json.dumps(chosen))
        done = freqtrade.run(
            *("backtesting", "--userdir", user_data, "--datadir", trial.data, "-c", user_data / "config.json"),
            *("--strategy", "Agreement", "--timerange", f"{trial.start}-{trial.end}"),
            *("--fee", str(trial.fee), "--cache", "none", "--export", "trades"),
            cwd=user_data,
            settings={
                f"QUORATE_EXITS__{name.upper()}": str(getattr(trial.exits, name))
                for name in ("stop_atr", "target_ratio", "time_bars", "trail_atr")
            },
        )
        assert done.returncode == 0, done.stderr[-3000:]
        contracts = read_contracts(trial, stub.urls)
    theirs = freqtrade.exported_trades(user_data / "backtest_results")
    frames, ours = trade(trial, contracts)
    return Outcome(trial, ours, theirs, contracts, frames, done.stderr)


def trade(trial: Trial, contracts: Mapping[str, Contract]) -> tuple[dict[str, DecisionFrame], BacktestResult]:
    """Quorate's backtest of a trial."""
    source, bundle = FreqtradeFolder(trial.data), load(trial.bundle)
    length = timeframe_ms(trial.timeframe)
    warm, after = trial.start - LIVE_BARS * length, trial.end + length
    candles = {pair: source.candles(pair, trial.timeframe, warm, after) for pair in trial.pairs}
    frames = {pair: bundle.predict_frame(own).between(trial.start) for pair, own in candles.items()}
    result = backtest(
        frames,
        candles,
        {pair: source.funding(pair) for pair in trial.pairs} if trial.futures else {},
        horizon=bundle.manifest.horizon,
        costs=CostSettings(taker_fee=trial.fee, slippage=0.0),
        account=AccountSettings(
            equity_usd=10_000, sizing="fixed", stake_usd=trial.stake, leverage=trial.leverage, positions=len(candles)
        ),
        exits=trial.exits,
        start=trial.start,
        end=after,
        marks={pair: source.mark(pair, trial.timeframe) for pair in trial.pairs} if trial.futures else {},
        contracts=contracts,
    )
    return frames, result


def read_contracts(trial: Trial, urls: Mapping[str, str]) -> dict[str, Contract]:
    """Contract rules of the markets from the stub, and leverage tiers from Freqtrade's table."""
    exchange = (ccxt.binanceusdm if trial.futures else ccxt.binance)({"enableRateLimit": False})
    if not trial.futures:
        exchange.options["fetchMarkets"] = {"types": ["spot"]}
    exchange.urls["api"].update(urls)
    markets = exchange.load_markets()
    if not trial.futures:
        return {pair: Contract.from_ccxt(markets[pair]) for pair in trial.pairs}
    table = next(freqtrade.require().glob("lib/python3.*/site-packages/freqtrade/exchange/binance_leverage_tiers.json"))
    tiers = json.loads(table.read_text())
    return {
        pair: replace(Contract.from_ccxt(markets[pair]), tiers=MarginTiers.from_ccxt(tiers[pair]))
        for pair in trial.pairs
    }


def differences(outcome: Outcome) -> list[str]:
    """Differences of the two beyond the known ones, one line each."""
    source = FreqtradeFolder(outcome.trial.data)
    ours = {(trade.symbol, trade.entry_time): trade for trade in outcome.ours.trades}
    theirs = {(trade["pair"], trade["open_timestamp"]): trade for trade in outcome.theirs}
    found = [f"{_name(key)}: only in Quorate" for key in sorted(ours.keys() - theirs.keys())]
    found += [f"{_name(key)}: only in Freqtrade" for key in sorted(theirs.keys() - ours.keys())]
    for key in sorted(ours.keys() & theirs.keys()):
        paid = _settled_at(source, outcome, key)
        found += [f"{_name(key)}: {what}" for what in _differences_of(ours[key], theirs[key], outcome, paid)]
    return found


def reasons(outcome: Outcome) -> Counter[str]:
    """Number of trades by exit reason."""
    return Counter(trade.reason for trade in outcome.ours.trades)


def opened_at_settlements(outcome: Outcome) -> int:
    """Number of trades opened at a settlement, whose funding differs."""
    source = FreqtradeFolder(outcome.trial.data)
    return sum(_settled_at(source, outcome, (trade.symbol, trade.entry_time)) != 0 for trade in outcome.ours.trades)


def _name(key: tuple[str, int]) -> str:
    return f"{key[0]} {format_ms(key[1])}"


def _differences_of(ours: Trade, theirs: Mapping[str, Any], outcome: Outcome, at_entry: float) -> list[str]:
    tick = outcome.contracts[ours.symbol].tick
    ended = REASONS[theirs["exit_reason"]]
    found = []
    if (ours.side < 0) != theirs["is_short"]:
        found.append("side")
    if ours.exit_time != theirs["close_timestamp"]:
        found.append(f"closed {format_ms(ours.exit_time)}, {theirs['close_date']}")
    if ours.reason.replace("trailing", "stop") != ended:
        found.append(f"ended by {ours.reason}, {theirs['exit_reason']}")
    if abs(ours.entry_price - theirs["open_rate"]) > 1e-9 * ours.entry_price:
        found.append(f"entry {ours.entry_price}, {theirs['open_rate']}")
    if abs(ours.quantity - theirs["amount"]) > 1e-9 * ours.quantity:
        found.append(f"quantity {ours.quantity}, {theirs['amount']}")
    if ours.leverage != theirs["leverage"]:
        found.append(f"leverage {ours.leverage}, {theirs['leverage']}")
    if ended == "end":
        return found
    if abs(ours.exit_price - theirs["close_rate"]) > 1.001 * tick:
        found.append(f"exit {ours.exit_price}, {theirs['close_rate']}")
    profit = ours.net_usd + at_entry
    if abs(profit - theirs["profit_abs"]) > 1e-4 * theirs["stake_amount"]:
        found.append(f"profit {profit}, {theirs['profit_abs']}, of a stake of {theirs['stake_amount']}")
    return found


def _settled_at(source: FreqtradeFolder, outcome: Outcome, key: tuple[str, int]) -> float:
    """Funding that the position of a trade receives at a settlement at the time of its entry; 0 without one."""
    if not outcome.trial.futures:
        return 0.0
    symbol, time = key
    funding, mark = source.funding(symbol), source.mark(symbol, outcome.trial.timeframe)
    assert funding is not None
    row = np.flatnonzero(funding.time == time)
    if not row.size:
        return 0.0
    trade = next(one for one in outcome.ours.trades if (one.symbol, one.entry_time) == key)
    return -trade.side * trade.quantity * _open_at(mark, time) * float(funding.rate[row[0]])


def _open_at(candles: Candles | None, time: int) -> float:
    assert candles is not None
    row = int(np.searchsorted(candles.time, time))
    assert candles.time[row] == time
    return float(candles.open[row])
