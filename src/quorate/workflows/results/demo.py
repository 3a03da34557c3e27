"""The result of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.workflows.results.book import BookDemo
from quorate.workflows.results.evaluation import Evaluation
from quorate.workflows.results.training import TrainResult

if TYPE_CHECKING:
    import pandas as pd

    from quorate.core.types import Signal


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DemoResult:
    """A bundle trained on a synthetic market, its signals at the newest bar, and its evaluation on later bars.

    Attributes:
        seed: of the market.
        edge: share of the returns' variance that is predictable.
        trained: the bundle.
        signals: one a market, at the newest closed bar.
        evaluation: of the bars after the training span.
        page: the report.
        book: trained and traded on two other synthetic markets.
    """

    seed: int
    edge: float
    trained: TrainResult
    signals: tuple[Signal, ...]
    evaluation: Evaluation
    page: Path
    book: BookDemo

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate demo --json`."""
        return {
            "synthetic": True,
            "seed": self.seed,
            "edge": self.edge,
            "train": self.trained.to_json(),
            "signals": [signal.to_json() for signal in self.signals],
            "evaluate": self.evaluation.to_json(),
            "book": self.book.to_json(),
            "report": str(self.page),
        }

    def to_pandas(self, table: str = "metrics") -> pd.DataFrame:
        """One of the tables of the evaluation, see `Evaluation.to_pandas`."""
        return self.evaluation.to_pandas(table)

    def __str__(self) -> str:
        return str(self.evaluation)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.evaluation._repr_html_()
