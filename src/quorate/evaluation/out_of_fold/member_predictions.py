"""Labelled bars with each member's scores, made by members that were fitted on earlier bars only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from quorate.core.clock import timeframe_ms
from quorate.core.errors import EvaluationError
from quorate.core.types import ActionArray, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, finite_rows
from quorate.ensemble.training.out_of_fold import stretch_numbers
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.out_of_fold.regime import REGIME, regime_columns
from quorate.evaluation.walk_forward.walk_result import WalkResult
from quorate.targets.labels import Target


@dataclass(frozen=True, slots=True, eq=False)
class MemberPredictions:
    """Rows with a known label on which at least one member voted, in order of time.

    Attributes:
        members: model -> (n, 3) float64 raw scores in class order; a NaN row is an abstention.
        y: (n,) int8 classes.
        forward_return: (n,) float64, a fraction.
        time: (n,) int64 open times in ms.
        span_end: (n,) int64 open time in ms of the last bar whose close the label reads.
        fold: (n,) int64 number of the test span, or of the stretch of a live account, from 0.
        symbol: (n,) int64, index into `symbols`.
        symbols: names.
        volatility: (n,) float64 volatility_20; NaN where unknown.
        regime: column of `REGIME` -> (n,) float64; NaN where unknown.
        timeframe: of every bar.
        synthetic: whether some candles are synthetic.

    Raises:
        EvaluationError: no row, no member, or columns of different lengths.
    """

    members: Mapping[str, FloatArray]
    y: ActionArray
    forward_return: FloatArray
    time: IntArray
    span_end: IntArray
    fold: IntArray
    symbol: IntArray
    symbols: tuple[str, ...]
    volatility: FloatArray
    regime: Mapping[str, FloatArray]
    timeframe: str
    synthetic: bool = False

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in _COLUMNS}
        lengths |= {name: len(table) for tables in (self.members, self.regime) for name, table in tables.items()}
        if len(set(lengths.values())) > 1 or not len(self.y) or not self.members:
            raise EvaluationError(
                "collect the members' scores",
                found=f"{len(self.members)} members and columns of {sorted(set(lengths.values()))} rows",
                expected="at least one member, and labelled bars on which it voted",
            )

    def __len__(self) -> int:
        return len(self.y)

    def select(self, rows: BoolArray | IntArray) -> Self:
        """Some of the rows, as copies."""
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(
            self,
            members={name: table[rows] for name, table in self.members.items()},
            regime={name: table[rows] for name, table in self.regime.items()},
            **columns,
        )

    @property
    def bar_ms(self) -> int:
        """Length of a bar in ms."""
        return timeframe_ms(self.timeframe)

    def labelled(self) -> LabelledPredictions:
        """The same rows as paired tests take them; no decision belongs to them."""
        hold = np.ones(len(self), np.int8)
        return LabelledPredictions(
            self.y, self.forward_return, self.time, self.symbol, self.symbols, dict(self.members), hold
        )

    @classmethod
    def of_walk(cls, walk: WalkResult, panel: Mapping[str, Candles]) -> Self:
        """The tested rows of a walk-forward.

        Args:
            walk: scores of each fold's test span by members fitted before it.
            panel: symbol -> candles of the walk, for the regime.

        Raises:
            EvaluationError: no tested row with a label and a vote.
        """
        rows = walk.rows
        found, of = regime_columns(panel), {name: np.full(len(rows), np.nan) for name in REGIME}
        symbol = np.empty(len(rows), np.int64)
        for place, (name, span) in enumerate(rows.spans.items()):
            symbol[span] = place
            at = np.searchsorted(panel[name].time, rows.time[span])
            for column, values in of.items():
                values[span] = found[name][column][at]
        fold = np.full(len(rows), -1, np.int64)
        for each in walk.folds:
            fold[each.test] = each.number
        members = {name: walk.scores[name] for name in walk.members}
        voted = np.any([finite_rows(table) for table in members.values()], axis=0)
        return cls(
            members=members,
            y=rows.y,
            forward_return=rows.forward_return,
            time=rows.time,
            span_end=rows.span_end,
            fold=fold,
            symbol=symbol,
            symbols=tuple(rows.spans),
            volatility=rows.volatility,
            regime=of,
            timeframe=rows.timeframe,
            synthetic=bool(rows.synthetic),
        )._ordered(rows.known & (fold >= 0) & voted)

    @classmethod
    def of_frames(
        cls,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        target: Target,
        folds: int,
    ) -> Self:
        """Decided bars whose outcome is known, such as those of a paper account.

        Args:
            frames: symbol -> decisions with the members' scores.
            candles: symbol -> candles, with every bar of the frame and those before it that the regime reads.
            target: what was predicted.
            folds: number of stretches of equal length; weights for one are fitted on those before it.

        Raises:
            EvaluationError: no frame, or no bar with an outcome and a vote.
        """
        sample = LabelledPredictions.of(frames, candles, target)
        found = regime_columns({symbol: candles[symbol] for symbol in sample.symbols})
        regime, volatility = {name: np.full(len(sample), np.nan) for name in REGIME}, np.full(len(sample), np.nan)
        for place, name in enumerate(sample.symbols):
            own = sample.symbol == place
            at = np.searchsorted(candles[name].time, sample.time[own])
            volatility[own] = frames[name].volatility[np.searchsorted(frames[name].time, sample.time[own])]
            for column, values in regime.items():
                values[own] = found[name][column][at]
        timeframe = next(iter(frames.values())).timeframe
        voted = np.any([finite_rows(table) for table in sample.members.values()], axis=0)
        return cls(
            members=sample.members,
            y=sample.y,
            forward_return=sample.forward_return,
            time=sample.time,
            span_end=sample.time + target.horizon * timeframe_ms(timeframe),
            fold=stretch_numbers(sample.time, folds),
            symbol=sample.symbol,
            symbols=sample.symbols,
            volatility=volatility,
            regime=regime,
            timeframe=timeframe,
            synthetic=any(frame.synthetic for frame in frames.values()),
        )._ordered(voted)

    def _ordered(self, rows: BoolArray) -> Self:
        """These rows, in order of time, and of symbols at a time."""
        chosen = np.flatnonzero(rows)
        return self.select(chosen[np.lexsort((self.symbol[chosen], self.time[chosen]))])


_TABLES = {"members", "regime", "symbols", "timeframe", "synthetic"}
_COLUMNS = tuple(each.name for each in fields(MemberPredictions) if each.name not in _TABLES)
