"""Decisions on many bars, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from quorate.core.arguments import FLAG, MAPPING, TEXT, WHOLE, Kind, require_type, require_types
from quorate.core.errors import DataError
from quorate.core.text.plural import counted
from quorate.core.types.actions import Action, DecidedBy
from quorate.core.types.arrays import ActionArray, BoolArray, FloatArray, IntArray, TextArray

#: Rules of bars on which no model voted: all abstained, the bar trained the bundle, or a series begins later.
NO_DECISION = ("no_votes", "training_span", "before_series")

_ARRAY = Kind((np.ndarray,), "an array (n,), or (n, 3) of the classes")
_TABLES = ("scores", "unselected", "calibrated", "forecasts")
_COLUMNS = ("time", "action", "confidence", "base", "consensus", "rule", "volatility")


@dataclass(frozen=True, slots=True, eq=False)
class DecisionFrame:
    """Decisions on n bars of one market: the arrays of what `Signal` holds for one bar.

    Attributes:
        time: (n,) int64 open times in ms UTC.
        action: (n,) int8, values of Action.
        confidence, base: (n,) float64; 0 where there is no winner.
        consensus, rule: (n,) str, as in Signal.
        volatility: (n,) float64; NaN in warm-up rows.
        scores: model -> (n, 3) float64 in class order; NaN rows where that model abstained.
        unselected: the same of members that were not chosen to vote, on the bars on which they were not; empty where
            all members vote. They do not count.
        synthetic: the candles come from the synthetic market.
        policy: classic, calibrated, consensus, closed or stack; mixed where bars were decided by different ones.
        probabilities: (n, 3) of the ensemble, NaN where no member voted; None without calibration.
        calibrated: model -> (n, 3) calibrated probabilities, for the members that are calibrated.
        side: (n,) int8, BUY or SELL: the side that the calibrated policy considered, also where it did not act; None
            without that policy.
        limit: (n,) the prediction set of a bar holds the classes whose 1 - probability is at most this; None without
            prediction sets.
        forecasts: member of a stack -> (n,) predicted returns, fractions; NaN where it abstained.
        predicted: (n,) predicted return of the stack, fractions; None in a vote.
    """

    symbol: str
    timeframe: str
    time: IntArray
    action: ActionArray
    confidence: FloatArray
    base: FloatArray
    consensus: TextArray
    rule: TextArray
    volatility: FloatArray
    scores: Mapping[str, FloatArray] = field(default_factory=dict)
    synthetic: bool = False
    policy: DecidedBy = "classic"
    probabilities: FloatArray | None = None
    calibrated: Mapping[str, FloatArray] = field(default_factory=dict)
    limit: FloatArray | None = None
    forecasts: Mapping[str, FloatArray] = field(default_factory=dict)
    predicted: FloatArray | None = None
    side: ActionArray | None = None
    unselected: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        arrays = {name: (getattr(self, name), _ARRAY) for name in _COLUMNS}
        optional = ("probabilities", "limit", "predicted", "side")
        require_types(
            "make a frame of decisions",
            symbol=(self.symbol, TEXT),
            timeframe=(self.timeframe, TEXT),
            policy=(self.policy, TEXT),
            synthetic=(self.synthetic, FLAG),
            **arrays,
            **{name: (getattr(self, name), _ARRAY.optional) for name in optional},
            **{name: (getattr(self, name), MAPPING) for name in _TABLES},
        )

    def __repr__(self) -> str:
        counts = ", ".join(f"{int((self.action == action).sum()):,} {action.name}" for action in Action)
        return f"DecisionFrame({self.symbol}, {self.timeframe}: {counted(len(self), 'bar')}, {counts}, {self.policy})"

    def __len__(self) -> int:
        return len(self.time)

    @property
    def probability(self) -> FloatArray | None:
        """(n,) calibrated probability of each bar's action; None without calibration."""
        if self.probabilities is None:
            return None
        return np.asarray(self.probabilities[np.arange(len(self)), self.action])

    def row_at(self, time: int) -> int | None:
        """Row of the bar that opens at `time`, ms UTC; None if there is none."""
        require_types("find a decision", time=(time, WHOLE))
        row = int(np.searchsorted(self.time, time))
        return row if row < len(self) and int(self.time[row]) == time else None

    def between(self, start: int | None = None, end: int | None = None) -> Self:
        """The bars that open at or after `start` and before `end`, both in ms UTC, as views."""
        require_types("select decisions", start=(start, WHOLE.optional), end=(end, WHOLE.optional))
        rows = slice(
            None if start is None else int(np.searchsorted(self.time, start)),
            None if end is None else int(np.searchsorted(self.time, end)),
        )
        return self._at(rows)

    def select(self, rows: BoolArray) -> Self:
        """The bars at which (n,) `rows` is True, as copies.

        Raises:
            ArgumentError: not an array.
            DataError: not one value for each bar.
        """
        require_types("select decisions", rows=(rows, _ARRAY))
        if rows.shape != (len(self),) or rows.dtype != np.bool_:
            raise DataError(
                "select decisions",
                found=f"`rows` of shape {rows.shape} and type {rows.dtype}",
                expected=f"({len(self)},) bool, one value for each bar",
            )
        return self._at(rows)

    def take(self, rows: IntArray, time: IntArray) -> Self:
        """The bars at (m,) int64 `rows`, in that order and repeated where they are, moved to (m,) open times.

        Raises:
            ArgumentError: not arrays.
            DataError: not whole numbers, or of different lengths.
        """
        require_types("take decisions", rows=(rows, _ARRAY), time=(time, _ARRAY))
        whole = rows.ndim == 1 and rows.dtype.kind == time.dtype.kind == "i"
        if not whole or rows.shape != time.shape:
            raise DataError(
                "take decisions",
                found=f"`rows` of shape {rows.shape} and type {rows.dtype}, `time` of {time.shape} and {time.dtype}",
                expected="(m,) whole numbers both",
            )
        return replace(self._at(rows), time=time)

    def _at(self, rows: slice | BoolArray | IntArray) -> Self:
        columns = {name: getattr(self, name)[rows] for name in _COLUMNS}
        for name in ("probabilities", "limit", "predicted", "side"):
            table = getattr(self, name)
            columns[name] = None if table is None else table[rows]
        for name in _TABLES:
            columns[name] = {model: table[rows] for model, table in getattr(self, name).items()}
        return replace(self, **columns)

    @classmethod
    def concat(cls, frames: Sequence[DecisionFrame]) -> DecisionFrame:
        """Concatenate frames of one market, at least one, in order of time.

        A table that only some frames have, such as probabilities, is NaN in the rows of the others. The policy is kept
        where it is the same in all frames; otherwise it is "mixed".

        Raises:
            ArgumentError: not a sequence of frames.
            DataError: no frame.
        """
        attempted, expected = "join frames of decisions", "a sequence of quorate.DecisionFrame"
        for frame in require_type(attempted, "frames", frames, (list, tuple), expected):
            require_type(attempted, "frames", frame, DecisionFrame, expected)
        if not frames:
            raise DataError(attempted, found="no `frames`", expected="at least one")
        if len(frames) == 1:
            return frames[0]
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(frame, name) for frame in frames]) for name in _COLUMNS
        }
        return replace(
            frames[0],
            **columns,
            scores=_concat_by_model([frame.scores for frame in frames], frames, 3),
            calibrated=_concat_by_model([frame.calibrated for frame in frames], frames, 3),
            forecasts=_concat_by_model([frame.forecasts for frame in frames], frames),
            unselected=_concat_by_model([frame.unselected for frame in frames], frames, 3),
            predicted=_concat_tables([frame.predicted for frame in frames], frames),
            probabilities=_concat_tables([frame.probabilities for frame in frames], frames, 3),
            limit=_concat_tables([frame.limit for frame in frames], frames),
            side=_concat_sides(frames),
            policy=frames[0].policy if len({frame.policy for frame in frames}) == 1 else "mixed",
            synthetic=any(frame.synthetic for frame in frames),
        )


def _concat_by_model(
    tables: Sequence[Mapping[str, FloatArray]], frames: Sequence[DecisionFrame], *width: int
) -> dict[str, FloatArray]:
    """Model -> its table over all frames; NaN in the rows of frames without that model."""
    models = dict.fromkeys(model for table in tables for model in table)
    return {
        model: np.concatenate(
            [_table_or_nan(table.get(model), len(frame), *width) for table, frame in zip(tables, frames, strict=True)]
        )
        for model in models
    }


def _concat_tables(
    tables: Sequence[FloatArray | None], frames: Sequence[DecisionFrame], *width: int
) -> FloatArray | None:
    if all(table is None for table in tables):
        return None
    return np.concatenate(
        [_table_or_nan(table, len(frame), *width) for table, frame in zip(tables, frames, strict=True)]
    )


def _concat_sides(frames: Sequence[DecisionFrame]) -> ActionArray | None:
    """Sides of all frames; HOLD in the rows of frames that the vote decided, which has no side."""
    if all(frame.side is None for frame in frames):
        return None
    sides = (np.full(len(frame), Action.HOLD, np.int8) if frame.side is None else frame.side for frame in frames)
    return np.concatenate(list(sides))


def _table_or_nan(table: FloatArray | None, *shape: int) -> FloatArray:
    return np.full(shape, np.nan) if table is None else table
