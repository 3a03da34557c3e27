"""A paper account beside its baselines: its decided bars, its own rules and costs, and the candles of a source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from quorate.core.clock import timeframe_ms

if TYPE_CHECKING:
    from quorate.core.settings import AccountSettings, Settings
    from quorate.core.types import Candles, DecisionFrame
    from quorate.ensemble.bundle.manifest import Manifest
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.baselines import AccountBaselines
    from quorate.market.source import CandleSource
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.trading.paper import AccountStatus
    from quorate.trading.paper.account_config import AccountConfig

# Decisions that are compared, the newest of all markets together: 100,000 bars of five markets.
_MOST_DECISIONS = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class DecidedAccount:
    """What is compared of an account; a copy, which later records leave as it is.

    Attributes:
        config: its rules and costs, those of the newest session.
        result: equity at the compared bars, and the trades entered on them.
        frames: symbol -> its decisions on these bars.
        step: of the ladder, at which it spent most of these bars; None without a ladder.
    """

    config: AccountConfig
    result: BacktestResult
    frames: Mapping[str, DecisionFrame]
    step: int | None

    @classmethod
    def of(cls, status: AccountStatus) -> Self:
        """The newest bars of an account."""
        history = status.history
        frames = {frame.symbol: frame for frame in history.frames() if len(frame)}
        result = _newest(history.result(), _MOST_DECISIONS // max(1, len(frames)))
        step = None if status.config.oversight is None else _usual_step(status, result)
        if len(result.time):
            span = int(result.time[0]), int(result.time[-1]) + 1
            frames = {symbol: frame.between(*span) for symbol, frame in frames.items()}
        return cls(status.config, result, frames, step)

    @property
    def limited(self) -> AccountSettings:
        """The account's settings within the limits of the ladder's step; baselines have no probabilities to size by."""
        from quorate.trading.ladder import Ladder

        account = self.config.account
        if account.sizing == "half_kelly":
            account = replace(account, sizing="risk")
        if self.config.oversight is None or self.step is None:
            return account
        ladder = Ladder(self.config.oversight.ladder)
        ladder.step = self.step
        return ladder.limits(account)


def baselines_of(
    account: DecidedAccount, manifest: Manifest, source: CandleSource, settings: Settings
) -> AccountBaselines | None:
    """The account beside buy and hold, simple strategies and random entries, over the bars it has decided on.

    The baselines trade by the account's own rules and costs, but without guards, since nobody would have re-armed them.

    Args:
        account: what is compared.
        manifest: of the bundle whose target momentum uses.
        source: of the candles, the funding and the mark prices.
        settings: number of random accounts, and their range.

    Returns:
        None before the first bar, and where no market has candles.

    Raises:
        DataError: candles that cannot be read.
    """
    from quorate.evaluation.baselines import account_baselines

    compared = compared_bars(account, account.frames, source, settings)
    if compared is None:
        return None
    setup, frames = compared
    known = replace(account.result, trades=tuple(trade for trade in account.result.trades if trade.symbol in frames))
    target = replace(manifest.target, horizon=manifest.horizon)
    left_out = tuple(symbol for symbol in sorted(account.frames) if symbol not in frames)
    return account_baselines(known, frames, setup, target, step=account.step, left_out=left_out)


def compared_bars(
    account: DecidedAccount, decided: Mapping[str, DecisionFrame], source: CandleSource, settings: Settings
) -> tuple[BacktestSetup, dict[str, DecisionFrame]] | None:
    """The candles of an account's bars with its own rules and costs, and the decisions that have a candle.

    Args:
        account: whose bars they are.
        decided: symbol -> its decisions.
        source: of the candles, the funding and the mark prices.
        settings: all others.

    Returns:
        None before the first bar, and where no market has candles.

    Raises:
        DataError: candles that cannot be read.
    """
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.workflows.inputs.market_data import read_funding, read_marks

    result, config = account.result, account.config
    if not len(result.time):
        return None
    start, end = int(result.time[0]), int(result.time[-1]) + timeframe_ms(result.timeframe)
    panel = _panel(source, decided, result.timeframe, start, end)
    frames = {symbol: _with_candles(decided[symbol].between(start, end), panel[symbol]) for symbol in panel}
    frames = {symbol: frame for symbol, frame in frames.items() if len(frame)}
    if not frames:
        return None
    setup = BacktestSetup(
        {symbol: panel[symbol] for symbol in frames},
        read_funding(source, tuple(frames), start, end),
        replace(settings, account=account.limited, costs=config.costs, exits=config.exits),
        config.horizon,
        start,
        end,
        read_marks(source, tuple(frames), result.timeframe, start, end),
    )
    return setup, frames


def _newest(result: BacktestResult, bars: int) -> BacktestResult:
    """The newest bars of an account and the trades entered on them; it starts with its equity before."""
    first = max(0, len(result.time) - bars)
    if not first:
        return result
    begin = int(result.time[first])
    return replace(
        result,
        start_equity_usd=float(result.equity_usd[first - 1]),
        time=result.time[first:],
        equity_usd=result.equity_usd[first:],
        trades=tuple(trade for trade in result.trades if trade.entry_time >= begin),
    )


def _usual_step(status: AccountStatus, result: BacktestResult) -> int:
    """The ladder's step on most of the bars."""
    from quorate.trading.journal import LadderMovedRecord

    step = np.ones(len(result.time), np.intp)
    for move in status.history.moves:
        if isinstance(move, LadderMovedRecord):
            step[result.time > move.time] = move.after
    return int(np.bincount(step).argmax()) if len(step) else 1


def _panel(source: CandleSource, symbols: Iterable[str], timeframe: str, start: int, end: int) -> dict[str, Candles]:
    """Symbol -> candles of the span and those that warm indicators up; markets that the source lacks are left out."""
    from quorate.workflows.inputs.market_data import warm_start

    known, first = set(source.symbols(timeframe)), warm_start(start, timeframe)
    return {symbol: source.candles(symbol, timeframe, first, end) for symbol in symbols if symbol in known}


def _with_candles(frame: DecisionFrame, candles: Candles) -> DecisionFrame:
    """The decisions on bars that have a candle."""
    there = np.isin(frame.time, candles.time)
    return frame if there.all() else frame.select(there)
