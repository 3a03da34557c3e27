"""Decisions of a journal as growing columns, a twentieth of the size of their records."""

from __future__ import annotations

import math
from array import array
from typing import Any

import numpy as np

from quorate.core.types import CLASS_NAMES, DecidedBy, DecisionFrame, FloatArray
from quorate.trading.journal.records import DecidedRecord

_CLASSES = len(CLASS_NAMES)
_UNKNOWN = (math.nan,) * _CLASSES


class DecidedBars:
    """Decisions on bars of one market, in the order in which they are added.

    Args:
        symbol: the market.
        votes: whether the records were read with their votes, so that frames have the members' scores.
    """

    def __init__(self, symbol: str, *, votes: bool = False) -> None:
        self.symbol, self._votes = symbol, votes
        self._time, self._action = array("q"), array("b")
        self._confidence, self._base, self._volatility = array("d"), array("d"), array("d")
        self._consensus, self._rule = _Texts(), _Texts()
        self._scores: dict[str, array[float]] = {}
        self._calibrated: dict[str, array[float]] = {}
        self._probabilities = array("d")

    def __len__(self) -> int:
        return len(self._time)

    @property
    def rules(self) -> set[str]:
        """The rules that decided some bar."""
        return self._rule.names

    def add(self, record: DecidedRecord) -> None:
        """Add the decision on a later bar."""
        row = len(self)
        self._time.append(record.time)
        self._action.append(record.action)
        self._confidence.append(record.confidence)
        self._base.append(record.base)
        self._volatility.append(math.nan if record.volatility is None else record.volatility)
        self._consensus.append(record.consensus)
        self._rule.append(record.rule)
        if not self._votes:
            return
        for vote in record.votes:
            _put(self._scores, vote.model, row, vote.scores)
            _put(self._calibrated, vote.model, row, vote.probabilities)
        self._probabilities.extend(record.probabilities or _UNKNOWN)

    def frame(self, timeframe: str, *, synthetic: bool = False, policy: DecidedBy = "classic") -> DecisionFrame:
        """The decisions as a frame; a copy, which later additions leave as it is.

        Args:
            timeframe: of the bars.
            synthetic: whether the candles are.
            policy: that decided.
        """
        probabilities = self._table(self._probabilities) if self._votes else np.empty((0, _CLASSES))
        return DecisionFrame(
            symbol=self.symbol,
            timeframe=timeframe,
            time=np.array(self._time, np.int64),
            action=np.array(self._action, np.int8),
            confidence=np.array(self._confidence, np.float64),
            base=np.array(self._base, np.float64),
            consensus=self._consensus.column(),
            rule=self._rule.column(),
            volatility=np.array(self._volatility, np.float64),
            scores=self._tables(self._scores),
            synthetic=synthetic,
            policy=policy,
            probabilities=probabilities if np.isfinite(probabilities).any() else None,
            calibrated=self._tables(self._calibrated),
        )

    def _tables(self, columns: dict[str, array[float]]) -> dict[str, FloatArray]:
        return {model: self._table(column) for model, column in columns.items()}

    def _table(self, column: array[float]) -> FloatArray:
        """(n, 3); NaN on the bars after the last one in the column."""
        table = np.full((len(self), _CLASSES), np.nan)
        table.ravel()[: len(column)] = column
        return table


class _Texts:
    """A column of few different texts."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._rows = array("i")

    @property
    def names(self) -> set[str]:
        return set(self._codes)

    def append(self, text: str) -> None:
        self._rows.append(self._codes.setdefault(text, len(self._codes)))

    def column(self) -> Any:
        """(n,) the texts as numpy's str."""
        names = np.array(list(self._codes), np.str_)
        return names[np.array(self._rows, np.intp)]


def _put(columns: dict[str, array[float]], model: str, row: int, values: tuple[float, float, float] | None) -> None:
    """Set the row of a member's column, with NaN on the bars since its last vote; None is no vote."""
    if values is None:
        return
    column = columns.setdefault(model, array("d"))
    column.extend(_UNKNOWN * (row - len(column) // _CLASSES))
    column.extend(values)
