"""Backtest of target weights: positions that follow shares of equity, over stored candles."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

import numpy as np

from quorate.core.clock import format_ms, timeframe_ms
from quorate.core.errors import TradingError
from quorate.core.settings import AccountSettings, CostSettings
from quorate.core.types import FloatArray, IntArray
from quorate.trading.account.account import Account, BarOf
from quorate.trading.account.bar import Bar
from quorate.trading.account.contract import Contract
from quorate.trading.account.currency import account_currency
from quorate.trading.account.margin.cross import MarkOf
from quorate.trading.account.order import TargetOrder
from quorate.trading.account.rebalancing import (
    DecideWeights,
    held_weights,
    rebalance,
    refuse_targets,
    weight_orders,
)
from quorate.trading.account.tape import Tape
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.backtest.bar_flags import (
    FUNDING_MISSING,
    MARK_MISSING,
    RESCALED,
    SETTLED_AT_OPEN,
    SETTLED_INSIDE,
    BarFlags,
)
from quorate.trading.backtest.markets import TradedMarkets


def backtest_weights(
    decide: DecideWeights,
    decisions: Iterable[int],
    markets: TradedMarkets,
    account: AccountSettings | None = None,
    costs: CostSettings | None = None,
    contracts: Mapping[str, Contract] | None = None,
) -> BacktestResult:
    """Trade target weights in one account.

    A weight is a signed fraction of equity. At the close of each bar of `decisions` it becomes a quantity, by the
    equity and the market's last close then, which the account trades towards at the open one timeframe later, within
    its margin, the exchange's tiers, lots and minima (`rebalance`). A market that is held and not named is closed.
    Between decisions quantities stay as they are. At each time: funding, targets, liquidations, valuation. Positions
    that are open at the last bar of their market close at that bar's close, and where prices continue at another scale
    at the last close before it. On cross margin the account is liquidated as a whole, at opens and closes.

    Args:
        decide: called after the close of each bar of `decisions`, in order of time. What it reads must be known then.
            Weights held are those at that close; markets without a position are left out.
        decisions: open times in ms of the bars after which is decided; others than the markets' are passed over.
        markets: all that may be held, of one timeframe, and the span of the run.
        account: equity, leverage and limits; the number of positions is none.
        costs: fees and slippage.
        contracts: symbol -> the exchange's trading rules; conservative ones for markets without.

    Returns:
        Trades, equity, `weights` and `traded_usd`.

    Raises:
        TradingError: no markets, several timeframes or currencies, a weight that is not finite or of another market, or
            a span that ends before it starts.
    """
    settings = account or AccountSettings()
    timeframe = _timeframe(markets)
    currency = account_currency(markets.candles, settings)
    tapes = {symbol: markets.tape(symbol) for symbol in sorted(markets.candles)}
    times = np.unique(np.concatenate([markets.bars(symbol).time for symbol in tapes]))
    run = _WeightsRun(Account(settings, costs, contracts=contracts), tapes, times, timeframe_ms(timeframe))
    equity, weights, traded = run.drive(decide, set(decisions))
    for array in (times, equity, weights, traded):
        array.setflags(write=False)
    trades = run.account.trades
    return BacktestResult(
        timeframe=timeframe,
        symbols=tuple(tapes),
        currency=currency,
        start_equity_usd=settings.equity_usd,
        trades=tuple(trades),
        time=times,
        equity_usd=equity,
        exposure=run.exposed / len(times) if len(times) else 0.0,
        refused={reason: count for reason, count in sorted(run.account.refused.items()) if count},
        synthetic=any(markets.bars(symbol).synthetic for symbol in tapes),
        funding_unknown=tuple(sorted({trade.symbol for trade in trades if not trade.funding_known})),
        mark_missing=tuple(sorted({trade.symbol for trade in trades if not trade.mark_known})),
        weights=weights,
        traded_usd=traded,
    )


class _WeightsRun:
    """One run of an account that follows weights.

    The account changes exactly as if it were asked at every open and every close: a position at which nothing happens
    sees no bar.

    Attributes:
        account: that trades.
        exposed: number of bars so far with a position after their open.
    """

    def __init__(self, account: Account, tapes: Mapping[str, Tape], time: IntArray, length_ms: int) -> None:
        self.account, self.exposed = account, 0
        self._tapes, self._length, self._times = tapes, length_ms, time.tolist()
        self._markets = {symbol: BarFlags(tape, time) for symbol, tape in tapes.items()}
        self._columns = {symbol: column for column, symbol in enumerate(tapes)}
        self._endings: dict[int, list[str]] = {}
        for symbol, tape in tapes.items():
            if len(tape.time):
                self._endings.setdefault(tape.time[-1], []).append(symbol)

    def drive(self, decide: DecideWeights, due: set[int]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Trade all bars: (n,) equity, (n, symbols) weights held at the closes, and (n,) value traded at the opens."""
        account, bars = self.account, len(self._times)
        equity, traded, weights = np.empty(bars), np.zeros(bars), np.zeros((bars, len(self._tapes)))
        targets: list[TargetOrder] = []
        fill = -1
        for step, time in enumerate(self._times):
            if targets and time != fill:
                refuse_targets(account, targets, "no_next_bar")
                targets = []
            self._open(step, time)
            if targets:
                traded[step] = rebalance(account, time, self._bar_at(time), targets)
                targets = []
            self.exposed += bool(account.positions)
            self._close(step, time)
            worth = equity[step] = account.equity_usd
            held = held_weights(account)
            weights[step, [self._columns[symbol] for symbol in held]] = list(held.values())
            if time in due and worth > 0 and (wanted := decide(time, worth, held)) is not None:
                targets, fill = self._targets(time, wanted), time + self._length
        if targets:
            refuse_targets(account, targets, "no_next_bar")
        return equity, weights, traded

    def _open(self, step: int, time: int) -> None:
        """`Account.at_open` without orders."""
        account, markets = self.account, self._markets
        rescaled: list[str] = []
        for symbol in account.positions:
            market = markets[symbol]
            flags = market.flags[step]
            if flags & RESCALED:
                rescaled.append(symbol)
            elif flags & SETTLED_AT_OPEN:
                for rate, price in market.tape.settled_at_open[market.rows[step]]:
                    account.settle(symbol, rate, price)
        for symbol in rescaled:
            account.close(symbol, time, account.positions[symbol].mark, "end")
        if account.cross:
            account.liquidate(time, self._bar_at(time), opening=True, mark_of=self._marks(step, opening=True))

    def _close(self, step: int, time: int) -> None:
        """`Account.at_close` and `Account.end`."""
        account, markets = self.account, self._markets
        awake: set[str] = set()
        for symbol, position in account.positions.items():
            market = markets[symbol]
            flags = market.flags[step]
            if not flags:
                continue
            row, tape = market.rows[step], market.tape
            if position.cross:
                safe = True
            elif position.order.side > 0:
                safe = tape.mark_lowest[row] > position.liquidation_price
            else:
                safe = tape.mark_highest[row] < position.liquidation_price
            if flags & (SETTLED_INSIDE | RESCALED) or not safe:
                awake.add(symbol)
                continue
            position.mark = tape.close[row]
            if flags & FUNDING_MISSING:
                position.funding_known = False
            if flags & MARK_MISSING:
                position.mark_known = False
        if awake:
            account.trade_bars(time, self._bar_at(time, awake))
        if account.cross:
            account.liquidate(time, self._bar_at(time), opening=False, mark_of=self._marks(step, opening=False))
        if time in self._endings:
            account.end(time, self._bar_at(time), self._endings[time])

    def _marks(self, step: int, *, opening: bool) -> MarkOf:
        """Symbol -> its mark price at a step's open or close; None without a bar, and where its scale changes."""
        markets = self._markets

        def mark_of(symbol: str) -> float | None:
            market = markets[symbol]
            flags = market.flags[step]
            if not flags or flags & RESCALED:
                return None
            column = market.tape.mark_open if opening else market.tape.mark_close
            price: float = column[market.rows[step]]
            return price

        return mark_of

    def _bar_at(self, time: int, symbols: Container[str] | None = None) -> BarOf:
        """Symbol -> its bar at a time; None for others than these, where some are named."""

        def bar_of(symbol: str) -> Bar | None:
            return self._tapes[symbol].at(time) if symbols is None or symbol in symbols else None

        return bar_of

    def _targets(self, time: int, wanted: Mapping[str, float]) -> list[TargetOrder]:
        """Quantities of weights at the closes of the bars at `time`."""

        def close_of(symbol: str) -> float | None:
            return self._last_close(symbol, time)

        targets, unknown = weight_orders(self.account, time, wanted, self._tapes, close_of)
        self.account.refused["no_next_bar"] += len(unknown)
        return targets

    def _last_close(self, symbol: str, time: int) -> float | None:
        """The market's last close up to the close of the bar at `time`; None before its first."""
        tape = self._tapes[symbol]
        row = tape.row(time + self._length) - 1
        return tape.close[row] if row >= 0 else None


def _timeframe(markets: TradedMarkets) -> str:
    """Timeframe of all markets.

    Raises:
        TradingError: no markets, several timeframes, or a span that ends before it starts.
    """
    if not markets.candles:
        raise TradingError("backtest weights", found="no markets", expected="one or more")
    timeframes = sorted({candles.timeframe for candles in markets.candles.values()})
    if len(timeframes) > 1:
        raise TradingError("backtest weights", found=f"timeframes {', '.join(timeframes)}", expected="one timeframe")
    if markets.start is not None and markets.end is not None and markets.start >= markets.end:
        raise TradingError(
            "backtest weights",
            found=f"a run from {format_ms(markets.start)} to {format_ms(markets.end)}",
            expected="a start before the end",
        )
    return timeframes[0]
