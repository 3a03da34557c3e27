"""Backtest: decisions over stored candles to trades and equity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import TradingError, close_match
from quorate.core.settings import AccountSettings, CostSettings, ExitSettings
from quorate.core.types import Candles, DecisionFrame, FloatArray, Funding, IntArray
from quorate.trading.account.contract import Contract
from quorate.trading.account.currency import account_currency
from quorate.trading.account.orders import Orders
from quorate.trading.account.tape import Tape
from quorate.trading.account_rules import AccountRules
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.backtest.markets import TradedMarkets
from quorate.trading.backtest.run import Run
from quorate.trading.backtest.stepped import SteppedRun
from quorate.trading.engine import TradingEngine
from quorate.trading.oversight import GuardInputs, Oversight
from quorate.trading.sizing.context import frame_contexts
from quorate.trading.sizing.overlay import Overlay


class RuleOptions(TypedDict, total=False):
    """Fields of `AccountRules` as keywords of `backtest`."""

    horizon: int
    account: AccountSettings
    costs: CostSettings
    exits: ExitSettings
    contracts: Mapping[str, Contract]
    oversight: Oversight | None
    overlay: Overlay | None


def backtest(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    funding: Mapping[str, Funding | None],
    rules: AccountRules | None = None,
    *,
    start: int | None = None,
    end: int | None = None,
    marks: Mapping[str, Candles | None] | None = None,
    probabilities: Mapping[str, FloatArray] | None = None,
    shares: Mapping[str, FloatArray] | None = None,
    **options: Unpack[RuleOptions],
) -> BacktestResult:
    """Trade every symbol's decisions in one account.

    An order decided on a closed bar fills at the open of the bar that opens one timeframe later, or not at all. At each
    time: funding, time exits, entries (best confidence first), then stops and targets, then valuation. Positions that
    are open at the last bar of their symbol close at that bar's close; those that are open where prices continue at
    another scale (`core.scale_changes`) close at the last close before it.

    Args:
        frames: symbol -> decisions, all of one timeframe.
        candles: symbol -> candles of the frames' bars; older ones warm ATR up.
        funding: symbol -> settlements; for a perpetual that is missing, the result reports unknown funding.
        rules: of the account; None for the defaults and the options.
        start: only bars that open at or after it, in ms; None for all.
        end: only bars that open before it, in ms; None for all. Nothing at or after it is read.
        marks: symbol -> mark prices of the same timeframe, for funding and liquidation.
        probabilities: symbol -> (n,) calibrated probability of each decision, for half-Kelly sizing; NaN where unknown.
        shares: symbol -> (n,) share of the ordinary stake that a panel leaves of each decision, 0 to 1; None without a
            panel. A decision without a share is counted as refused (`vetoed`).
        **options: fields of `AccountRules` that replace those of `rules`, such as `horizon`, which is required without
            `rules`. Nobody re-arms a guard or promotes the ladder in a backtest.

    Raises:
        TradingError: no decisions, decisions without candles, several timeframes or currencies, no horizon, or a span
            that ends before it starts.
    """
    markets = TradedMarkets(candles, funding, marks, start, end)
    return trade(frames, markets, _rules(rules, options), probabilities, shares)


def trade(
    frames: Mapping[str, DecisionFrame],
    markets: TradedMarkets,
    rules: AccountRules,
    probabilities: Mapping[str, FloatArray] | None = None,
    shares: Mapping[str, FloatArray] | None = None,
) -> BacktestResult:
    """`backtest` on markets that other backtests may use too.

    Args:
        frames: symbol -> decisions, all of one timeframe.
        markets: of at least the frames' symbols, and the span of the run.
        rules: of the account.
        probabilities: see `backtest`.
        shares: see `backtest`.

    Raises:
        TradingError: see `backtest`.
    """
    _check(frames, markets.candles, rules, markets.start, markets.end, probabilities)
    currency = account_currency(frames, rules.account)
    orders, tapes, time, engine = _prepared(frames, markets, rules, probabilities, shares)
    account = engine.account
    sized: list[float] = []
    if rules.oversight is None and rules.overlay is None:
        plain = Run(account, orders, tapes, time)
        plain.drive()
        values, exposed = plain.equity, plain.exposed
    else:
        stepped = _stepped(engine, frames, orders, tapes, time, rules, markets)
        stepped.drive(rules.overlay)
        values, exposed, sized = stepped.equity, stepped.exposed, stepped.sized
    equity = np.array(values, dtype=np.float64)
    for array in (time, equity):
        array.setflags(write=False)
    return BacktestResult(
        timeframe=next(iter(frames.values())).timeframe,
        symbols=tuple(tapes),
        currency=currency,
        start_equity_usd=rules.account.equity_usd,
        trades=tuple(account.trades),
        time=time,
        equity_usd=equity,
        exposure=exposed / len(time) if len(time) else 0.0,
        refused={reason: count for reason, count in sorted(account.refused.items()) if count},
        synthetic=any(markets.bars(symbol).synthetic for symbol in tapes),
        funding_unknown=tuple(sorted({trade.symbol for trade in account.trades if not trade.funding_known})),
        mark_missing=tuple(sorted({trade.symbol for trade in account.trades if not trade.mark_known})),
        shares=tuple(sized),
    )


def stepped_run(
    frames: Mapping[str, DecisionFrame],
    markets: TradedMarkets,
    rules: AccountRules,
    probabilities: Mapping[str, FloatArray] | None = None,
    shares: Mapping[str, FloatArray] | None = None,
) -> SteppedRun:
    """The run of `trade`, to be driven entry by entry; arguments and errors as of `trade`."""
    _check(frames, markets.candles, rules, markets.start, markets.end, probabilities)
    orders, tapes, time, engine = _prepared(frames, markets, rules, probabilities, shares)
    return _stepped(engine, frames, orders, tapes, time, rules, markets, sized=True)


def _prepared(
    frames: Mapping[str, DecisionFrame],
    markets: TradedMarkets,
    rules: AccountRules,
    probabilities: Mapping[str, FloatArray] | None,
    shares: Mapping[str, FloatArray] | None,
) -> tuple[Orders, dict[str, Tape], IntArray, TradingEngine]:
    """Orders, markets and times of a run, and its engine."""
    start, end = markets.start, markets.end
    timeframe = next(iter(frames.values())).timeframe
    orders = Orders(frames, markets.candles, rules.holding_bars, start, end, probabilities, markets.atr, shares)
    tapes = {symbol: markets.tape(symbol) for symbol in sorted(frames)}
    time = _times([markets.bars(symbol).time for symbol in tapes])
    engine = rules.engine(timeframe_ms(timeframe), int(time[0]) if len(time) else 0)
    engine.account.refused["no_next_bar"] += orders.unfillable
    engine.account.refused["vetoed"] += orders.vetoed
    return orders, tapes, time, engine


def _stepped(
    engine: TradingEngine,
    frames: Mapping[str, DecisionFrame],
    orders: Orders,
    tapes: Mapping[str, Tape],
    time: IntArray,
    rules: AccountRules,
    markets: TradedMarkets,
    *,
    sized: bool = False,
) -> SteppedRun:
    """A run bar by bar, for guards, for an overlay or for whoever sizes its entries."""
    within = {symbol: frame.between(markets.start, markets.end) for symbol, frame in frames.items()}
    inputs = None if rules.oversight is None else GuardInputs(within, rules.oversight)
    contexts = None
    if sized or rules.overlay is not None:
        contexts = {
            (symbol, opened): row
            for symbol, frame in within.items()
            for opened, row in zip(frame.time.tolist(), frame_contexts(frame), strict=True)
        }
    return SteppedRun(engine, orders, tapes, time.tolist(), inputs, contexts)


def _rules(rules: AccountRules | None, options: RuleOptions) -> AccountRules:
    if rules is not None:
        return replace(rules, **options) if options else rules
    if "horizon" not in options:
        raise TradingError("backtest", found="neither `rules` nor `horizon`", expected="one of them")
    return AccountRules(**options)


def _times(columns: Sequence[IntArray]) -> IntArray:
    """Times of all markets, increasing; most often they are the same in each."""
    first = columns[0]
    if all(np.array_equal(first, column) for column in columns[1:]):
        return first
    return np.unique(np.concatenate(columns))


def _check(
    frames: Mapping[str, DecisionFrame],
    candles: Mapping[str, Candles],
    rules: AccountRules,
    start: int | None,
    end: int | None,
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
    misnamed = [symbol for symbol, frame in frames.items() if frame.symbol != symbol]
    if misnamed:
        raise TradingError(
            "backtest",
            found=f"decisions on {frames[misnamed[0]].symbol} under the name {misnamed[0]}",
            expected="each market under its own name",
        )
    timeframes = sorted({frame.timeframe for frame in frames.values()})
    if len(timeframes) > 1:
        raise TradingError("backtest", found=f"timeframes {', '.join(timeframes)}", expected="one timeframe")
    if rules.horizon < 1:
        raise TradingError("backtest", found=f"a horizon of {rules.horizon} bars", expected="1 or more")
    if start is not None and end is not None and start >= end:
        raise TradingError(
            "backtest", found=f"a run from {format_ms(start)} to {format_ms(end)}", expected="a start before the end"
        )
    if rules.account.sizing == "half_kelly":
        without = sorted(frames.keys() - (probabilities or {}).keys())
        if without:
            raise TradingError(
                "size positions by half Kelly",
                found=f"no probabilities for {without[0]}",
                expected="calibrated probabilities of every market's decisions",
                remedy="Calibrate the bundle, or set another account.sizing.",
            )
