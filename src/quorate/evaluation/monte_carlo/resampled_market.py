"""Markets made of blocks of their own candles, drawn with replacement, all markets together.

A block (by default a day) of every market moves as one: candles, mark prices, funding, and the decisions made on its
bars. Prices continue from the close before, with the block's own returns. The blocks keep what happens within a day and
between markets; they lose what spans days. Decisions are not computed anew: a model's features at the start of a block
come from the days that preceded it in truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from quorate.core.clock import HOUR_MS, timeframe_ms
from quorate.core.settings import EvaluationSettings
from quorate.core.types import CANDLE_COLUMNS, Action, Candles, DecisionFrame, FloatArray, Funding, IntArray
from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.statistics.block_bootstrap import FEWEST_BLOCKS
from quorate.trading.backtest.backtest_result import BacktestResult

# Bars of all markets together up to which a path takes less than a second or so; beyond them there are fewer paths.
_EASY_BARS, _FEW_PATHS = 200_000, 20


def paths_of(frames: Mapping[str, DecisionFrame], settings: EvaluationSettings) -> int:
    """Number of resampled markets: `evaluation.market_paths`, and fewer where one of them takes long."""
    bars = sum(len(frame) for frame in frames.values())
    return settings.market_paths if bars <= _EASY_BARS else min(settings.market_paths, _FEW_PATHS)


def resampled_markets(
    frames: Mapping[str, DecisionFrame], setup: BacktestSetup, settings: EvaluationSettings
) -> Iterator[BacktestResult]:
    """Backtests of the decisions on `paths_of` resampled markets, one after the other.

    None without a BUY or SELL, or over fewer than five blocks. Markets without a decision to act are left out, since
    they cannot change the account.

    Args:
        frames: symbol -> decisions.
        setup: of their backtest.
        settings: number of paths, length of a block, seed.
    """
    acting = {symbol: frame for symbol, frame in frames.items() if (frame.action != Action.HOLD).any()}
    if not acting:
        return
    length = settings.block_hours * HOUR_MS
    origin = min(int(frame.time[0]) for frame in acting.values())
    end = max(int(frame.time[-1]) for frame in acting.values()) + timeframe_ms(next(iter(acting.values())).timeframe)
    count = (end - origin) // length
    if count < FEWEST_BLOCKS:
        return
    blocks = _Blocks(origin, length, count)
    markets = {symbol: _Market.of(symbol, frame, setup, blocks) for symbol, frame in acting.items()}
    for number in range(paths_of(acting, settings)):
        order = np.random.default_rng([settings.seed, number]).integers(0, count, count)
        drawn = {symbol: market.drawn(order, blocks) for symbol, market in markets.items()}
        # A market that was listed late may have no bar in the blocks drawn.
        drawn = {symbol: path for symbol, path in drawn.items() if len(path.frame)}
        if not drawn:
            continue
        made = replace(
            setup,
            candles={symbol: path.candles for symbol, path in drawn.items()},
            funding={symbol: path.funding for symbol, path in drawn.items() if path.funding is not None},
            marks={symbol: path.marks for symbol, path in drawn.items() if path.marks is not None},
            start=origin,
            end=origin + count * length,
        )
        yield made.trade({symbol: path.frame for symbol, path in drawn.items()})


@dataclass(frozen=True, slots=True)
class _Blocks:
    """`count` blocks of `length` ms from `origin` on."""

    origin: int
    length: int
    count: int

    def edges(self, time: IntArray) -> IntArray:
        """(count + 1,) row at which each block begins, and the one after the last."""
        begin = self.origin + np.arange(self.count + 1) * self.length
        return np.asarray(np.searchsorted(time, begin), np.int64)

    def rows(self, edges: IntArray, order: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Rows of the blocks in this order, by how many ms each moves, and its place in the order."""
        sizes = (edges[1:] - edges[:-1])[order]
        place = np.repeat(np.arange(self.count), sizes)
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        rows = np.arange(int(sizes.sum())) - first[place] + edges[order][place]
        return rows, ((np.arange(self.count) - order) * self.length)[place], place


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """One market on one path."""

    frame: DecisionFrame
    candles: Candles
    funding: Funding | None
    marks: Candles | None


@dataclass(frozen=True, slots=True, eq=False)
class _Market:
    """One market, and where its blocks begin.

    Attributes:
        before: (count,) the last close before each block.
        growth: (count,) factor of the close over each block, the step into it included.
    """

    frame: DecisionFrame
    candles: Candles
    funding: Funding | None
    marks: Candles | None
    before: FloatArray
    growth: FloatArray

    @classmethod
    def of(cls, symbol: str, frame: DecisionFrame, setup: BacktestSetup, blocks: _Blocks) -> Self:
        candles = setup.candles[symbol]
        edges = blocks.edges(candles.time)
        closes = np.concatenate([candles.open[:1], candles.close])  # row + 1; before all, the first open
        before, after = closes[edges[:-1]], closes[edges[1:]]
        # Only what an account reads of decisions; not the members' scores.
        light = replace(frame, scores={}, unselected={}, calibrated={}, forecasts={}, limit=None, predicted=None)
        return cls(light, candles, setup.funding.get(symbol), setup.marks.get(symbol), before, after / before)

    def drawn(self, order: IntArray, blocks: _Blocks) -> _Path:
        """The market with its blocks in this order."""
        reached = np.cumprod(np.concatenate([[1.0], self.growth[order][:-1]]))
        scale = self.before[0] * reached / self.before[order]
        candles, funding = self.candles, self.funding
        moved = None
        if funding is not None:
            rows, shift, _ = blocks.rows(blocks.edges(funding.time), order)
            moved = Funding(funding.symbol, funding.time[rows] + shift, funding.rate[rows])
        rows, shift, _ = blocks.rows(blocks.edges(self.frame.time), order)
        frame = self.frame.take(rows, self.frame.time[rows] + shift)
        marks = None if self.marks is None else _moved(self.marks, order, blocks, scale)
        return _Path(frame, _moved(candles, order, blocks, scale), moved, marks)


def _moved(candles: Candles, order: IntArray, blocks: _Blocks, scale: FloatArray) -> Candles:
    """Candles before the first block, and then the blocks in this order at their scale."""
    edges = blocks.edges(candles.time)
    rows, shift, place = blocks.rows(edges, order)
    early = slice(0, int(edges[0]))

    def column(name: str) -> FloatArray:
        values = getattr(candles, name)
        factor = 1.0 if name == "volume" else scale[place]
        return np.concatenate([values[early], values[rows] * factor])

    time = np.concatenate([candles.time[early], candles.time[rows] + shift])
    opened, high, low, close, volume = (column(name) for name in CANDLE_COLUMNS)
    return Candles(
        candles.symbol, candles.timeframe, time, opened, high, low, close, volume, synthetic=candles.synthetic
    )
