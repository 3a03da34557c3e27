"""The evaluation of a book along time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quorate.book.portfolio.weights import Forecasts
    from quorate.evaluation.book import BookJudgement
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedBook:
    """A book judged on the days after each refit.

    Attributes:
        document: JSON-safe; the document of `quorate evaluate --recipe book --json`.
        judgement: of the weights.
        result: of the simulated account.
        forecasts: sleeve -> member -> (D, S), to judge other settings of the portfolio without refits.
    """

    document: Mapping[str, Any]
    judgement: BookJudgement
    result: BacktestResult
    forecasts: Forecasts

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate evaluate --recipe book --json`."""
        return dict(self.document)

    def report(self, path: str | Path) -> Path:
        """Write the page of the judgement.

        Raises:
            DataError: the file cannot be written.
        """
        from quorate.evaluation.report.book.page import write_book_report

        write_book_report(self.judgement, Path(path))
        return Path(path)
