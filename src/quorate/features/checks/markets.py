"""Seeded synthetic markets on which columns are checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from quorate.core.clock import parse_ms, timeframe_ms
from quorate.core.types import CANDLE_COLUMNS, BoolArray, Candles, Float32Array, FloatArray, Funding, IntArray
from quorate.core.types.market_statistics import STATISTICS, MarketStatistics
from quorate.features.bars import Bars
from quorate.features.column import Column
from quorate.features.matrix import fill
from quorate.features.panel_context import contexts

SYMBOL = "A/USDT:USDT"
EXTREMES = ("flat", "ticking", "steady", "leaping", "wild")


@dataclass(frozen=True, slots=True, eq=False)
class CheckMarket:
    """A symbol with the symbols, the funding and the market statistics that are its context.

    Attributes:
        panel: symbol -> candles.
        funding: symbol -> settlements.
        symbol: whose columns are computed.
        label: what the candles are like, for messages.
        statistics: symbol -> market statistics.
    """

    panel: Mapping[str, Candles]
    funding: Mapping[str, Funding] = field(default_factory=dict)
    symbol: str = SYMBOL
    label: str = "synthetic candles"
    statistics: Mapping[str, MarketStatistics] = field(default_factory=dict)

    @property
    def candles(self) -> Candles:
        """Of the symbol."""
        return self.panel[self.symbol]

    def bars(self, columns: Sequence[Column]) -> Bars:
        """Of the symbol, with their context where a column reads one."""
        if not any(column.context for column in columns):
            return Bars(self.candles)
        return Bars(self.candles, contexts(self.panel, self.funding, statistics=self.statistics)[self.symbol])

    def compute(self, columns: Sequence[Column], newest: int | None = None) -> Float32Array:
        """(n, F) or (newest, F) float32, as `quorate.features.build` has them."""
        bars = self.bars(columns)
        X = np.empty((len(bars) if newest is None else min(newest, len(bars)), len(columns)), np.float32)
        fill(X, bars, tuple(columns))
        return X

    def until(self, time: int) -> CheckMarket:
        """What was known before the bar that opens at `time`, ms."""

        def known(settlements: Funding) -> Funding:
            rows = settlements.time <= time
            return replace(settlements, time=settlements.time[rows], rate=settlements.rate[rows])

        return self.each(lambda candles: _copied(candles.between(end=time)), known, lambda held: held.between(end=time))

    def tail(self, bars: int) -> CheckMarket:
        """The newest bars of every symbol."""
        return self.each(lambda candles: _copied(candles.tail(bars)))

    def poisoned(self, time: int, seed: int) -> CheckMarket:
        """With random prices, volumes and rates from the bar that opens at `time` on."""
        random = np.random.default_rng(seed)

        def poison(candles: Candles) -> Candles:
            later = candles.time >= time
            columns = {name: getattr(candles, name).copy() for name in CANDLE_COLUMNS}
            for values in columns.values():
                values[later] = np.exp(random.uniform(-40, 40, int(later.sum())))
            return replace(candles, **columns)

        def publish(held: MarketStatistics) -> MarketStatistics:
            columns = {name: np.where(held.time >= time, 0.9, held.values[name]) for name in STATISTICS}
            return MarketStatistics.of(held.symbol, held.timeframe, held.time, columns)

        return self.each(poison, lambda f: replace(f, rate=np.where(f.time > time, 9.9, f.rate)), publish)

    def each(
        self,
        candles: Callable[[Candles], Candles],
        funding: Callable[[Funding], Funding] = lambda held: held,
        statistics: Callable[[MarketStatistics], MarketStatistics] = lambda held: held,
    ) -> CheckMarket:
        """With other candles, funding and statistics for every symbol."""
        return replace(
            self,
            panel={symbol: candles(held) for symbol, held in self.panel.items()},
            funding={symbol: funding(held) for symbol, held in self.funding.items()},
            statistics={symbol: statistics(held) for symbol, held in self.statistics.items()},
        )


def random_walk(
    bars: int,
    seed: int = 0,
    *,
    timeframe: str = "1h",
    price: float = 100.0,
    quiet: bool = False,
    symbol: str = SYMBOL,
) -> Candles:
    """Candles of a random walk.

    Args:
        bars: how many.
        seed: of the walk.
        timeframe: of a bar.
        price: where the walk begins.
        quiet: with bars without trades, of volume 0 and one price, now and then 30 of them in a row.
        symbol: of the market.
    """
    random = np.random.default_rng(seed)
    moves = random.normal(0, 0.01, bars) * random.choice([0.3, 1.0, 2.5], bars)
    still = random.random(bars) < 0.15
    for start in range(100, bars, 211):
        still[start : start + 30] = True
    still &= quiet
    moves[still] = 0
    close = price * np.exp(np.cumsum(moves))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.where(still, 1, np.exp(random.normal(0, 0.002, bars)))
    high = np.maximum(open_, close) * np.where(still, 1, np.exp(np.abs(random.normal(0, 0.005, bars))))
    low = np.minimum(open_, close) * np.where(still, 1, np.exp(-np.abs(random.normal(0, 0.005, bars))))
    volume = np.where(still, 0.0, random.lognormal(6, 1, bars))
    return Candles(symbol, timeframe, _times(timeframe, bars), open_, high, low, close, volume)


def with_gaps(candles: Candles, seed: int) -> Candles:
    """Without one bar in a hundred, at random."""
    return _kept(candles, np.random.default_rng(seed).random(len(candles)) > 0.01)


def extreme(kind: str, bars: int, seed: int, *, traded: bool) -> Candles:
    """Valid candles as far from usual ones as a market may have them.

    Args:
        kind: one of `EXTREMES`: prices that never move, that move one tick at times, that grow by a fixed rate, that
            leap by twelve orders of magnitude, or that are unrelated from bar to bar.
        bars: how many.
        seed: of what is random.
        traded: volumes from 1e-6 to 1e30, and 0 in half of the bars; else no volume at all.
    """
    random = np.random.default_rng(seed)
    price: FloatArray = {
        "flat": np.full(bars, 7.3),
        "ticking": 65_000 + 0.1 * (random.random(bars) < 0.05),
        "steady": 100 * 1.001 ** np.arange(bars),
        "leaping": np.where(random.random(bars) < 0.02, 1e6, 1e-6),
        "wild": np.exp(random.uniform(-14, 14, bars)),
    }[kind]
    spread = np.ones(bars) if kind in ("flat", "ticking") else 1 + random.random(bars)
    volume = np.exp(random.uniform(-14, 69, bars)) * (random.random(bars) < 0.5) if traded else np.zeros(bars)
    return Candles(SYMBOL, "1h", _times("1h", bars), price, price * spread, price / spread, price, volume)


def _times(timeframe: str, bars: int) -> IntArray:
    return parse_ms("2024-01-30") + timeframe_ms(timeframe) * np.arange(bars)


def _kept(candles: Candles, rows: BoolArray) -> Candles:
    return replace(candles, **{name: getattr(candles, name)[rows] for name in ("time", *CANDLE_COLUMNS)})


def _copied(candles: Candles) -> Candles:
    """In arrays of its own: a view would still hold the rows that were cut off."""
    return _kept(candles, np.ones(len(candles), np.bool_))
