"""Decisions and candles to trades and equity: drives the account over all symbols' bars in order of time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import TradingError, close_match
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding
from quorate.trading.account.account import Account
from quorate.trading.account.bar import Bar
from quorate.trading.account.contract import Contract
from quorate.trading.account.orders import Orders
from quorate.trading.account.tape import Tape
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.engine import TradingEngine
from quorate.trading.guards import Guards
from quorate.trading.ladder import Ladder
from quorate.trading.oversight import GuardInputs, Oversight


def backtest(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    funding: Mapping[str, Funding | None],
    *,
    horizon: int,
    costs: CostSettings | None = None,
    account: AccountSettings | None = None,
    exits: ExitSettings | None = None,
    start: int | None = None,
    end: int | None = None,
    marks: Mapping[str, Candles | None] | None = None,
    contracts: Mapping[str, Contract] | None = None,
    probabilities: Mapping[str, FloatArray] | None = None,
    oversight: Oversight | None = None,
) -> BacktestResult:
    """Trade every symbol's decisions in one account.

    An order decided on a closed bar fills at the open of the bar that opens one timeframe later, or not at all. At each
    time: funding, time exits, entries (best confidence first), then stops and targets, then valuation. Whatever is open
    at the last bar of its symbol closes at that bar's close.

    Args:
        frames: symbol -> decisions, all of one timeframe.
        candles: symbol -> candles of the frames' bars; older ones warm ATR up.
        funding: symbol -> settlements; a perpetual that is not in it has unknown funding, and the result says so.
        horizon: bars of the target, and so the longest a position lasts unless `exits.time_bars` says otherwise.
        costs: settings; the defaults where None.
        account: settings; the defaults where None.
        exits: settings; the defaults where None.
        start: the run is over bars that open at or after it, in ms.
        end: and before it; nothing at or after `end` is looked at.
        marks: symbol -> mark prices of the same timeframe, for funding and liquidation.
        contracts: symbol -> the exchange's rules; conservative ones where it has none.
        probabilities: symbol -> (n,) calibrated probability of each decision, for half-Kelly sizing.
        oversight: guards and ladder, as paper trading has them; None for neither. Nobody re-arms or promotes here.

    Raises:
        TradingError: no decisions, decisions without candles, several timeframes, or a span that ends before it starts.
    """
    account, exits = account or AccountSettings(), exits or ExitSettings()
    _check(frames, candles, horizon, start, end, account, probabilities)
    state = Account(account, costs, exits, contracts)
    orders = Orders(frames, candles, exits.time_bars or horizon, start, end, probabilities)
    state.refused["no_next_bar"] += orders.unfillable
    run = {symbol: candles[symbol].between(start, end) for symbol in sorted(frames)}
    tapes = {symbol: Tape(bars, funding.get(symbol), (marks or {}).get(symbol)) for symbol, bars in run.items()}
    time = np.unique(np.concatenate([bars.time for bars in run.values()]))
    length = timeframe_ms(next(iter(frames.values())).timeframe)
    if oversight is None:
        values, exposed = _drive(TradingEngine(state, length), orders, tapes, time.tolist(), _endings(run))
    else:
        began = int(time[0]) if len(time) else 0
        desk = TradingEngine(state, length, guards=Guards(oversight.guards), ladder=Ladder(oversight.ladder, began))
        within = {symbol: frame.between(start, end) for symbol, frame in frames.items()}
        hearings = GuardInputs(within, oversight)
        values, exposed = _drive_watched(desk, orders, tapes, time.tolist(), _endings(run), hearings, length)
    equity = np.array(values, dtype=np.float64)
    for array in (time, equity):
        array.setflags(write=False)
    return BacktestResult(
        timeframe=next(iter(frames.values())).timeframe,
        symbols=tuple(run),
        start_equity_usd=account.equity_usd,
        trades=tuple(state.trades),
        time=time,
        equity_usd=equity,
        exposure=exposed / len(time) if len(time) else 0.0,
        refused={reason: count for reason, count in sorted(state.refused.items()) if count},
        synthetic=any(bars.synthetic for bars in run.values()),
        funding_unknown=tuple(sorted({trade.symbol for trade in state.trades if not trade.funding_known})),
        mark_missing=tuple(sorted({trade.symbol for trade in state.trades if not trade.mark_known})),
    )


def _drive(
    desk: TradingEngine,
    orders: Orders,
    tapes: Mapping[str, Tape],
    times: list[int],
    endings: Mapping[int, list[str]],
) -> tuple[list[float], int]:
    """Equity at every time, and at how many of them a position was held."""
    account = desk.account
    time, exposed = 0, 0
    equity: list[float] = []

    def bar_of(symbol: str) -> Bar | None:
        return tapes[symbol].at(time)

    entries = iter([*np.searchsorted(times, orders.times).tolist(), len(times)])
    next_entry = next(entries)
    while len(equity) < len(times):
        now = len(equity)
        if not account.positions and next_entry > now:
            # Nothing can happen before the next order.
            equity += [account.equity_usd] * (next_entry - now)
            continue
        time = times[now]
        if next_entry == now:
            desk.pending = list(orders.at(time))
            next_entry = next(entries)
        desk.opening(time, bar_of)
        exposed += bool(account.positions)
        desk.closing(time, bar_of, endings.get(time, ()))
        equity.append(account.equity_usd)
    return equity, exposed


def _drive_watched(
    desk: TradingEngine,
    orders: Orders,
    tapes: Mapping[str, Tape],
    times: list[int],
    endings: Mapping[int, list[str]],
    hearings: GuardInputs,
    length: int,
) -> tuple[list[float], int]:
    """As `_drive`, with guards that have to see every bar."""
    time, exposed = 0, 0
    equity: list[float] = []

    def bar_of(symbol: str) -> Bar | None:
        return tapes[symbol].at(time)

    for time in times:
        desk.opening(time, bar_of)
        exposed += bool(desk.account.positions)
        desk.closing(time, bar_of, endings.get(time, ()), *hearings.at(time))
        desk.propose(orders.at(time + length))
        equity.append(desk.account.equity_usd)
    return equity, exposed


def _endings(run: Mapping[str, Candles]) -> dict[int, list[str]]:
    """Time of the last bar -> the symbols that end with it."""
    endings: dict[int, list[str]] = {}
    for symbol, bars in run.items():
        if len(bars):
            endings.setdefault(int(bars.time[-1]), []).append(symbol)
    return endings


def _check(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    horizon: int,
    start: int | None,
    end: int | None,
    account: AccountSettings,
    probabilities: Mapping[str, FloatArray] | None,
) -> None:
    if not frames:
        raise TradingError("backtest", found="no decisions", expected="one market or more")
    missing = sorted(frames.keys() - candles.keys())
    if missing:
        raise TradingError(
            "backtest",
            found=f"decisions on {missing[0]} without its candles",
            expected="candles of every market",
            remedy=close_match(missing[0], candles),
        )
    strays = [symbol for symbol, frame in frames.items() if frame.symbol != symbol]
    if strays:
        raise TradingError(
            "backtest",
            found=f"decisions on {frames[strays[0]].symbol} under the name {strays[0]}",
            expected="each market under its own name",
        )
    timeframes = sorted({frame.timeframe for frame in frames.values()})
    if len(timeframes) > 1:
        raise TradingError("backtest", found=f"timeframes {', '.join(timeframes)}", expected="one timeframe")
    if horizon < 1:
        raise TradingError("backtest", found=f"a horizon of {horizon} bars", expected="1 or more")
    if start is not None and end is not None and start >= end:
        raise TradingError(
            "backtest", found=f"a run from {format_ms(start)} to {format_ms(end)}", expected="a start before the end"
        )
    if account.sizing == "half_kelly":
        unsized = sorted(frames.keys() - (probabilities or {}).keys())
        if unsized:
            raise TradingError(
                "size positions by half Kelly",
                found=f"no probabilities for {unsized[0]}",
                expected="calibrated probabilities of every market's decisions",
                remedy="Calibrate the bundle, or choose another account.sizing.",
            )
