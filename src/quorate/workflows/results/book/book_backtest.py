"""A book traded in the simulated account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.core.progress import Progress, silent
from quorate.core.text.plural import counted
from quorate.evaluation.report.formatting import Kind, interval_text, text_of

if TYPE_CHECKING:
    from quorate.evaluation.book import BookJudgement
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False)
class BookBacktest:
    """A book traded in the simulated account.

    Attributes:
        document: JSON-safe; the document of `quorate backtest --json`.
        result: trades, equity and weights.
        judge: judges the target weights of the same days, for the page.
    """

    document: Mapping[str, Any]
    result: BacktestResult
    judge: Callable[[Progress], BookJudgement] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate backtest --json`."""
        return dict(self.document)

    @property
    def verdict(self) -> str:
        """What happened, beside holding, in a sentence."""
        stats, held = self.document["stats"], self.document["baselines"].get("universe", {})
        days = stats["days"]
        if not self.result.trades:
            return f"Nothing was held in {counted(days, 'day')}."
        sharpe = figure_text(stats, "sharpe", "number")
        beside = f", beside {figure_text(held, 'sharpe', 'number')} by holding the universe" if held else ""
        interval = stats.get("sharpe_ci")
        sure = interval is not None and interval[0] > 0
        proof = "a gain that chance does not explain" if sure else "no evidence of an edge"
        return (
            f"{counted(days, 'day')}: {figure_text(stats, 'total_return', 'percent')} after all costs, net Sharpe "
            f"{sharpe}{beside}, drawdown {figure_text(stats, 'max_drawdown', 'odds')}: {proof}."
        )

    def report(self, path: str | Path, *, progress: Progress = silent) -> Path:
        """Write the page of a book: its target weights on the days of the backtest, judged as `evaluate` judges them.

        Args:
            path: of the HTML file.
            progress: of the judgement, which takes some seconds.

        Raises:
            DataError: the file cannot be written.
        """
        from quorate.evaluation.report.book.page import write_book_report

        overlaps = self.document["training_span_overlaps"]
        marks = ["Days that trained this book are among those traded: not evidence."] if overlaps else []
        write_book_report(self.judge(progress), Path(path), warnings=marks)
        return Path(path)

    def write_trades(self, path: str | Path) -> Path:
        """Write a CSV file with a row for each part of a position that was closed.

        Raises:
            DataError: the file cannot be written.
        """
        from quorate.workflows.runs.trade_list import write_trades

        return write_trades(path, self.result, {})


def figure_text(figures: Mapping[str, Any], name: str, kind: Kind) -> str:
    """A figure with its interval, or "unknown"."""
    if figures.get(name) is None:
        return "unknown"
    ends = interval_text(figures.get(f"{name}_ci"), kind)
    return text_of(figures[name], kind) + (f" ({ends})" if ends else "")
