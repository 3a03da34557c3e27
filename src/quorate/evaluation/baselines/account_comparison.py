"""A paper account beside what it could have earned without its model, on the same bars and at the same costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from quorate.core.clock import iso_ms
from quorate.core.settings import EvaluationSettings, TargetSettings
from quorate.core.types import DecisionFrame, FloatArray, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.naive import buy_and_hold
from quorate.evaluation.baselines.random_entries import EquityBand, random_draws
from quorate.evaluation.baselines.strategies import RULES_ABOUT, momentum_about, momentum_frame, rules_frame
from quorate.evaluation.metrics.equity import EquityCurve
from quorate.evaluation.metrics.trades import account_curve
from quorate.trading.backtest.backtest_result import BacktestResult

# A draw takes time in proportion to entries times bars, at some 6e8 of them a second. Beyond this many a draw there are
# fewer draws: enough for a range, too few for its tails.
_EASY = 100_000_000
_FEW_DRAWS = 20


@dataclass(frozen=True, slots=True, eq=False)
class ComparedAccount:
    """Equity of the account or of a baseline.

    Attributes:
        about: how it trades, a phrase.
        curve: equity at the account's bars.
        trades: number of closed trades; None for buy and hold.
    """

    about: str
    curve: EquityCurve
    trades: int | None


@dataclass(frozen=True, slots=True, eq=False)
class RandomEntries:
    """Accounts with as many entries as the compared one, at random bars.

    Attributes:
        band: median and central range of their equity at the account's bars.
        total_return, max_drawdown, trades: (draws,) of each.
        confidence: size of the central range.
    """

    band: EquityBand
    total_return: FloatArray
    max_drawdown: FloatArray
    trades: FloatArray
    confidence: float

    def range_of(self, values: FloatArray) -> tuple[float, float, float]:
        """Low end, median and high end of (draws,) values."""
        tail = (1 - self.confidence) / 2
        low, middle, high = np.quantile(values, [tail, 0.5, 1 - tail]).tolist()
        return low, middle, high


@dataclass(frozen=True, eq=False)
class AccountBaselines:
    """The account and its baselines at the same bars.

    Attributes:
        account: the account itself.
        hold: equal amounts of each market, bought at the first open; with funding where it is known.
        strategies: name -> a simple strategy.
        random: None if the account did not trade.
        step: of the ladder, whose limits the baselines trade within; None without a ladder.
        left_out: markets of the account without candles.
    """

    account: ComparedAccount
    hold: ComparedAccount
    strategies: Mapping[str, ComparedAccount]
    random: RandomEntries | None
    step: int | None
    left_out: tuple[str, ...]

    @property
    def time(self) -> IntArray:
        """(n,) int64 open times in ms of the compared bars."""
        return self.account.curve.time

    @cached_property
    def document(self) -> dict[str, Any]:
        """The section `baselines` of `quorate paper performance --json`, JSON-safe."""
        accounts = {"account": self.account, "buy_and_hold": self.hold, **self.strategies}
        rows = [_row(name, found) for name, found in accounts.items()]
        random = self.random
        if random is not None:
            rows.append(_random_row(random))
        own = self.account.curve.total_return
        return {
            "from": iso_ms(int(self.time[0])),
            "to": iso_ms(int(self.time[-1])),
            "bars": len(self.time),
            "start_equity_usd": self.account.curve.start_usd,
            "ladder_step": self.step,
            "left_out": list(self.left_out),
            "draws": None if random is None else len(random.total_return),
            "confidence": None if random is None else random.confidence,
            "worse_draws": None if random is None else float(np.mean(random.total_return < own)),
            "rows": rows,
        }


def account_baselines(
    result: BacktestResult,
    frames: Mapping[str, DecisionFrame],
    setup: BacktestSetup,
    target: TargetSettings,
    *,
    step: int | None = None,
    left_out: tuple[str, ...] = (),
) -> AccountBaselines:
    """Trade the baselines of an account.

    Args:
        result: of the account on the compared bars, at least one.
        frames: symbol -> its decisions on them, each bar with a candle; at least one market.
        setup: the markets over these bars, and the account's rules.
        target: horizon and band of momentum.
        step: of the ladder, for the document.
        left_out: markets without candles, for the document.
    """
    own = account_curve(result)
    spans = {symbol: setup.candles[symbol].between(setup.start, setup.end) for symbol in frames}
    hold = buy_and_hold(spans, own.start_usd, setup.settings.costs, setup.funding)
    with_funding = all(symbol in setup.funding for symbol in frames)
    momentum = {symbol: momentum_frame(frame, setup.candles[symbol], target) for symbol, frame in frames.items()}
    rules = {symbol: rules_frame(frame, setup.candles[symbol]) for symbol, frame in frames.items()}

    def traded(about: str, decided: Mapping[str, DecisionFrame]) -> ComparedAccount:
        made = setup.trade(decided)
        return ComparedAccount(about, _at(account_curve(made), own.time), len(made.trades))

    about_hold = "equal amounts of each market, bought at the first open"
    return AccountBaselines(
        account=ComparedAccount("the account", own, len(result.trades)),
        hold=ComparedAccount(
            f"{about_hold}, {'with' if with_funding else 'without'} funding", _at(hold, own.time), None
        ),
        strategies={"momentum": traded(momentum_about(target), momentum), "rules": traded(RULES_ABOUT, rules)},
        random=_random_entries(result, frames, setup, own.time),
        step=step,
        left_out=left_out,
    )


def draws_of(entries: int, bars: int, settings: EvaluationSettings) -> int:
    """Number of random accounts: `evaluation.draws`, and fewer where one of them takes long.

    >>> settings = EvaluationSettings(draws=50)
    >>> draws_of(1_000, 20_000, settings), draws_of(7_000, 100_000, settings), draws_of(0, 100, settings)
    (50, 20, 0)
    """
    if not entries:
        return 0
    return settings.draws if entries * bars <= _EASY else min(settings.draws, _FEW_DRAWS)


def _random_entries(
    result: BacktestResult, frames: Mapping[str, DecisionFrame], setup: BacktestSetup, time: IntArray
) -> RandomEntries | None:
    """One account at a time, of which the equity is kept: the trades of all of them would need much memory."""
    settings = setup.settings.evaluation
    equity, total, drawdown, trades = [], [], [], []
    draws = draws_of(len(result.trades), len(time), settings)
    for account in random_draws(result, frames, setup, draws):
        curve = _at(account_curve(account), time)
        equity.append(curve.equity)
        total.append(curve.total_return)
        drawdown.append(curve.max_drawdown)
        trades.append(len(account.trades))
    if not equity:
        return None
    band = EquityBand.of(time, np.array(equity), result.start_equity_usd, settings.confidence)
    return RandomEntries(band, np.array(total), np.array(drawdown), np.array(trades, np.float64), settings.confidence)


def _at(curve: EquityCurve, time: IntArray) -> EquityCurve:
    """A curve at the bars of the account, which may have missed some; the start before the curve's first bar."""
    place = np.searchsorted(curve.time, time, side="right") - 1
    known = np.concatenate([[curve.start_usd], curve.equity])
    return EquityCurve(time, np.asarray(known[place + 1]), curve.start_usd)


def _row(name: str, found: ComparedAccount) -> dict[str, Any]:
    return {
        "name": name,
        "about": found.about,
        "equity_usd": float(found.curve.equity[-1]),
        "equity_usd_ci": None,
        "total_return": found.curve.total_return,
        "total_return_ci": None,
        "max_drawdown": found.curve.max_drawdown,
        "max_drawdown_ci": None,
        "trades": found.trades,
        "trades_ci": None,
    }


def _random_row(random: RandomEntries) -> dict[str, Any]:
    start = random.band.middle.start_usd
    values: dict[str, Any] = {}
    for name, drawn in (
        ("equity_usd", start * (1 + random.total_return)),
        ("total_return", random.total_return),
        ("max_drawdown", random.max_drawdown),
        ("trades", random.trades),
    ):
        low, middle, high = random.range_of(drawn)
        values |= {name: middle, f"{name}_ci": [low, high]}
    about = (
        f"as many entries of each market and side at random bars: median and central {random.confidence:.0%} of "
        f"{len(random.trades)} accounts"
    )
    return {"name": "random_entries", "about": about, **values}
