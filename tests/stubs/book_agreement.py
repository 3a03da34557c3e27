"""Comparison of Freqtrade's backtest of a book with Quorate's, on the same candles, fees and trading rules.

Compared are the positions after every open, the value traded there, the fills' prices and the equity at every close.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quorate.core.clock import HOUR_MS
from quorate.core.settings import AccountSettings, CostSettings, Settings
from quorate.core.types import FloatArray, Funding
from quorate.market.files.candle_store import write_candles, write_funding
from quorate.market.files.freqtrade_folder import FreqtradeFolder
from quorate.market.synthetic import SyntheticMarket
from quorate.trading import BacktestResult, Contract
from quorate.trading.account.contracts import write_contracts
from quorate.workflows.book.backtest import backtest_book
from quorate.workflows.book.train import train_book
from quorate.workflows.runs.trials import RunRecord
from stubs import agreement, freqtrade
from stubs.binance import spawn

BAR_MS = 4 * HOUR_MS

STRATEGY = '''
import json
from pathlib import Path

from quorate.integrations.freqtrade.strategies.book_strategy import QuorateBookStrategy


class Agreement(QuorateBookStrategy):
    """The strategy, which also writes down the equity at every close."""

    def bot_loop_start(self, current_time, **kwargs):
        super().bot_loop_start(current_time, **kwargs)
        decision = self.follower.decision
        with (Path(self.config["user_data_dir"]) / "equity.jsonl").open("a") as file:
            file.write(json.dumps([decision.moment, decision.equity]) + "\\n")
'''

# Of real perpetuals, since Freqtrade has leverage tiers of those alone.
COINS = ("BTC", "ETH", "XRP", "LTC", "ADA", "LINK", "BNB", "DOGE", "DOT", "SOL")
PAIRS = tuple(f"{coin}/USDT:USDT" for coin in COINS)

BARS, TRAINED = 1_530, 1_260

# One member, and shorter histories than the recipe's.
SETTINGS = replace(
    Settings(),
    book=replace(Settings().book, markets=10, carry_markets=10, age_days=30, members=("logistic",), quorum=1),
)


@dataclass(frozen=True)
class Trial:
    """Arguments of one comparison.

    Attributes:
        data: a Freqtrade folder.
        book: folder of the book.
        start, end: ms of the first decision, and of the last bar.
        equity: at the start.
        leverage: of every position.
        fee: fraction a side.
    """

    data: Path
    book: Path
    start: int
    end: int
    equity: float = 1_000_000.0
    leverage: float = 2.0
    fee: float = 0.0005


@dataclass(frozen=True)
class Fill:
    """Of Freqtrade: signed base units at a price."""

    time: int
    pair: str
    quantity: float
    price: float


@dataclass(frozen=True)
class Outcome:
    """Both backtests on the bars of ours.

    Attributes:
        ours: Quorate's result.
        trades: Freqtrade's.
        equity: (n,) Freqtrade's at each close; NaN where it did not decide.
        log: Freqtrade's.
    """

    trial: Trial
    ours: BacktestResult
    trades: list[dict[str, Any]]
    equity: FloatArray
    contracts: Mapping[str, Contract]
    log: str

    @property
    def fills(self) -> list[Fill]:
        """Freqtrade's, without those that end the run."""
        found = []
        for trade in self.trades:
            side = -1 if trade["is_short"] else 1
            for order in trade["orders"]:
                if order["order_filled_timestamp"] < self.trial.end:
                    sign = side if order["ft_is_entry"] else -side
                    found.append(
                        Fill(
                            order["order_filled_timestamp"], trade["pair"], sign * order["amount"], order["safe_price"]
                        )
                    )
        return found

    @property
    def ours_held(self) -> FloatArray:
        """(n, S) base units that Quorate holds at each close."""
        closes = self._prices("close")
        return self.ours.weights * self.ours.equity_usd[:, None] / closes

    @property
    def theirs_held(self) -> FloatArray:
        """(n, S) base units that Freqtrade holds at each close."""
        held = np.zeros(self.ours.weights.shape)
        for fill in self.fills:
            held[np.searchsorted(self.ours.time, fill.time) :, self.ours.symbols.index(fill.pair)] += fill.quantity
        return np.round(held, 9)

    @property
    def theirs_traded(self) -> FloatArray:
        """(n,) value that Freqtrade traded at each open."""
        traded: dict[int, float] = defaultdict(float)
        for fill in self.fills:
            traded[fill.time] += abs(fill.quantity) * fill.price
        return np.array([traded[time] for time in self.ours.time.tolist()])

    @property
    def settled_again(self) -> FloatArray:
        """(n,) sum up to each close of what Freqtrade alone books of settlements at the time of a fill.

        It settles what is held before the fill, as Quorate does, and then what is held after it.
        """
        source, opens, held = FreqtradeFolder(self.trial.data), self._prices("open"), self.theirs_held
        rows = {time: row for row, time in enumerate(self.ours.time.tolist())}
        booked = np.zeros(len(rows))
        for time, pair in {(fill.time, fill.pair) for fill in self.fills}:
            funding, column = source.funding(pair), self.ours.symbols.index(pair)
            assert funding is not None
            for rate in funding.rate[funding.time == time]:
                booked[rows[time]] -= held[rows[time], column] * opens[rows[time], column] * rate
        return np.cumsum(booked)

    def prices_off_the_open(self) -> list[Fill]:
        """Fills of Freqtrade at another price than the open."""
        opens = self._prices("open")
        rows = {time: row for row, time in enumerate(self.ours.time.tolist())}
        return [fill for fill in self.fills if fill.price != opens[rows[fill.time], self.ours.symbols.index(fill.pair)]]

    def _prices(self, name: str) -> FloatArray:
        source = FreqtradeFolder(self.trial.data)
        columns = []
        for symbol in self.ours.symbols:
            candles = source.candles(symbol, "4h", int(self.ours.time[0]), int(self.ours.time[-1]) + 1)
            assert np.array_equal(candles.time, self.ours.time)
            columns.append(getattr(candles, name))
        return np.stack(columns, axis=1)


def make_trial(folder: Path, *, funding: bool, seed: int = 7) -> Trial:
    """A synthetic market of 280 days, with a book of one member trained on the first 210 of them.

    Args:
        folder: for candles and book.
        funding: whether settlements have rates; else all are 0.
        seed: of the market.
    """
    market = SyntheticMarket(seed=seed, symbols=len(PAIRS), bars=BARS, timeframe="4h", edge=0.05)
    data = folder / "data"
    for pair, name in zip(PAIRS, market.names, strict=True):
        made = market.candles(name)
        digits = max(0, 5 - int(np.log10(made.close.min())))
        prices = {column: np.round(getattr(made, column), digits) for column in ("open", "high", "low", "close")}
        candles = replace(made, symbol=pair, **prices)
        write_candles(data, candles)
        write_candles(data, replace(candles, timeframe="1h"), mark=True)
        settled = market.funding(name)
        assert settled is not None
        rate = settled.rate if funding else np.zeros(len(settled))
        write_funding(data, Funding(pair, settled.time, rate), synthetic=True)
    first = int(market.candles(market.names[0]).time[0])
    start = first + TRAINED * BAR_MS
    # Without the trend, a market outside both outer thirds is not held.
    chosen = SETTINGS.book if funding else replace(SETTINGS.book, sleeves=("cross_section", "dip"), smooth_days=1)
    settings = replace(SETTINGS, book=chosen, train=replace(SETTINGS.train, threads=1))
    book = train_book(data, folder / "books", settings=settings, end=start).path
    return Trial(data, book, start, first + (BARS - 1) * BAR_MS)


def run(trial: Trial, user_data: Path) -> Outcome:
    """Run both backtests with the same book, candles, fees and trading rules, without slippage."""
    (user_data / "strategies").mkdir(parents=True)
    (user_data / "strategies" / "agreement.py").write_text(STRATEGY)
    with spawn(trial.data) as stub:
        chosen = freqtrade.configuration(
            stub.urls,
            list(PAIRS),
            futures=True,
            timeframe="4h",
            margin_mode="cross",
            stake_amount=10,
            max_open_trades=-1,
            dry_run_wallet=trial.equity,
            tradable_balance_ratio=1.0,
            quorate={"bundle": str(trial.book), "leverage": trial.leverage},
        )
        (user_data / "config.json").write_text(json.dumps(chosen))
        done = freqtrade.run(
            *("backtesting", "--userdir", user_data, "--datadir", trial.data, "-c", user_data / "config.json"),
            # Freqtrade begins one bar after the start of its timerange.
            *("--strategy", "Agreement", "--timerange", f"{trial.start - BAR_MS}-{trial.end}"),
            *("--fee", str(trial.fee), "--cache", "none", "--export", "trades"),
            cwd=user_data,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        rules = agreement.Trial(trial.data, trial.book, PAIRS, trial.start, trial.end)
        contracts = agreement.read_contracts(rules, stub.urls)
    trades = freqtrade.exported_trades(user_data / "backtest_results")
    ours = trade(trial, contracts, user_data)
    known = dict(json.loads(line) for line in (user_data / "equity.jsonl").read_text().splitlines())
    equity = np.array([known.get(time + BAR_MS, np.nan) for time in ours.time.tolist()])
    return Outcome(trial, ours, trades, equity, contracts, done.stdout + done.stderr)


def trade(trial: Trial, contracts: Mapping[str, Contract], folder: Path) -> BacktestResult:
    """Quorate's backtest of a trial, with the trading rules of the exchange."""
    write_contracts(trial.data, contracts.values())
    settings = replace(
        SETTINGS,
        account=AccountSettings(equity_usd=trial.equity, leverage=trial.leverage),
        costs=CostSettings(taker_fee=trial.fee, slippage=0.0),
    )
    record = RunRecord(path=folder / "trials.jsonl")

    span = {"start": trial.start, "end": trial.end + BAR_MS}
    return backtest_book(trial.book, trial.data, settings=settings, record=record, **span).result
