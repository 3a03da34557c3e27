"""The book of the demo and its control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quorate.core.text.plural import counted
from quorate.workflows.results.book.book_backtest import BookBacktest, figure_text


@dataclass(frozen=True, slots=True, eq=False)
class BookDemo:
    """A book on a synthetic market with a planted effect, and on one without.

    Attributes:
        edge: share of the returns' variance that is predictable in the first.
        planted: the backtest of the first; None where nothing is predictable.
        control: that of the other.
    """

    edge: float
    planted: BookBacktest | None
    control: BookBacktest

    @property
    def sentence(self) -> str:
        """Both results."""
        count = counted(len(self.control.document["symbols"]), "market")
        control = f"{figure_text(self.control.document['stats'], 'sharpe', 'number')} in a control"
        if self.planted is None:
            return f"Book of {count}: net Sharpe {control}."
        found = figure_text(self.planted.document["stats"], "sharpe", "number")
        return f"Book of {count}: net Sharpe {found} where single markets trend, {control}."

    def to_json(self) -> dict[str, Any]:
        """Statistics of both, without trades and equity."""
        return {
            "edge": self.edge,
            "planted": None if self.planted is None else self.planted.document["stats"],
            "control": self.control.document["stats"],
        }
