"""The result of an evaluation, of a bundle or along a walk-forward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorate.core.progress import Progress, silent
from quorate.core.text.plural import counted
from quorate.evaluation.verdict import Verdict, verdict_of
from quorate.workflows.results import tables
from quorate.workflows.results.headline import (
    IN_TRAINING_SPAN,
    Headline,
    Headlined,
    beside,
    figure,
    marks_of,
    money_rows,
    span_text,
)
from quorate.workflows.runs.trade_list import write_trades

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from quorate.core.types import DecisionFrame
    from quorate.evaluation.backtest_setup import BacktestSetup
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.evaluation.scorecard import Scorecard
    from quorate.trading.backtest.backtest_result import BacktestResult


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Evaluation(Headlined):
    """Scores, decisions and trades on bars outside the training span, beside their baselines.

    Printed, or as the last line of a notebook's cell, it shows its headline.

    Attributes:
        document: JSON-safe; the document of `quorate evaluate --json`.
        frames: symbol -> decisions on every bar of the run.
        result: trades and equity of these decisions.
        setup: candles, costs and account of the backtest.
        scorecard: figures and curves of the baselines; None for a stack.
    """

    document: Mapping[str, Any]
    frames: Mapping[str, DecisionFrame]
    result: BacktestResult
    setup: BacktestSetup
    scorecard: Scorecard | None = None

    @property
    def synthetic(self) -> bool:
        """Whether some candles, or those of the training, are synthetic."""
        return bool(self.document["synthetic"])

    @property
    def headline(self) -> Headline:
        """Scores and money, each beside its baseline on the same bars."""
        found, of = self.document, self.document["baselines"]
        if self.scorecard is None:
            zero = beside("predicting zero", of["predict_zero"], "rmse_pct", "loss")
            rows = [
                figure("RMSE of returns, %", found["ensemble"], "rmse_pct", "loss", zero),
                figure("R2 against predicting zero", found["ensemble"], "r2_vs_zero", "percent", "above 0 is better"),
            ]
        else:
            prior = beside("class prior on the same rows", of["prior"], "log_loss", "loss")
            rows = [
                figure("log-loss", found["ensemble"], "log_loss", "loss", prior),
                figure("skill over the prior", found["ensemble"], "skill_vs_prior", "percent", "above 0 is better"),
            ]
        rows += money_rows(found["trades"], of.get("buy_and_hold"), of.get("random"))
        title = f"{subject(found)} evaluated on {span_text(found)}"
        return Headline(title, marks_of(found), tuple(rows), self.verdict.sentence)

    @property
    def verdict(self) -> Verdict:
        """What happened, beside holding and random entries, or why nothing was traded."""
        return verdict_of(self.document)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate evaluate --json`."""
        return dict(self.document)

    def to_pandas(self, table: str = "metrics") -> pd.DataFrame:
        """One of the result's tables as a pandas frame; times are in UTC.

        Args:
            table: "metrics": a row for the ensemble, each member and each baseline; intervals in the columns
                `<metric>_low` and `<metric>_high`, NaN where a figure is missing. "trades": a row a trade. "equity": in
                USD at the close of each bar, with buy-and-hold and the other baselines. "decisions": a row for each
                bar of each market. "policies": a row a policy on the same bars (not of a stack).

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        made = {
            "metrics": self._metrics,
            "trades": lambda: tables.trade_table(self.result),
            "equity": lambda: tables.equity_table(self.result, self._curves()),
            "decisions": lambda: tables.decision_table(self.frames),
        }
        if self.scorecard is not None:
            made["policies"] = self._policies
        return tables.table_of(made, table)

    def write_trades(self, path: str | Path) -> Path:
        """Write a CSV file with each trade and the vote that decided it, and return its path; see `write_trades`.

        Raises:
            DataError: the file cannot be written.
        """
        return write_trades(path, self.result, self.frames)

    def report(self, path: str | Path, *, progress: Progress = silent) -> Path:
        """Write the self-contained HTML page, and return its path.

        Args:
            path: of the file; its folder is created.
            progress: callback, of resampling the account.

        Raises:
            DataError: the file cannot be written.
        """
        from pathlib import Path

        from quorate.evaluation.report import ReportedRun, write_report

        path = Path(path)
        marks = [IN_TRAINING_SPAN] if self.document["in_training_span"] else []
        run = ReportedRun.of(self.document, self.frames, self.result, self.setup, self.scorecard)
        write_report(path, run, warnings=[*marks, *self.document.get("warnings", ())], progress=progress)
        return path

    def _metrics(self) -> pd.DataFrame:
        found = self.document
        rows = {"ensemble": tables.score_and_money(found["ensemble"], found["trades"])}
        rows |= {name: tables.score_and_money(member) for name, member in found["members"].items()}
        rows |= {
            name: tables.score_and_money(baseline, baseline.get("trades"))
            for name, baseline in found["baselines"].items()
        }
        return tables.metric_table(rows).rename_axis("model")

    def _policies(self) -> pd.DataFrame:
        rows = self.document["signals_by_policy"]
        made = tables.metric_table({row["policy"]: row for row in rows}).rename_axis("policy")
        made.insert(0, "in_force", [row["in_force"] for row in rows])
        return made

    def _curves(self) -> dict[str, EquityCurve]:
        card = self.scorecard
        if card is None:
            return {}
        return {**({} if card.hold is None else {"buy_and_hold": card.hold}), **card.curves}


def subject(document: Mapping[str, Any]) -> str:
    """What was evaluated: a bundle, a series, or the members and folds of a walk-forward."""
    if "folds" in document:
        return f"Walk-forward of {', '.join(document['models'])} in {counted(len(document['folds']), 'fold')}"
    return f"{'Series' if 'bundles' in document else 'Bundle'} {document['bundle']}"
