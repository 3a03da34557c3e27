"""The result of a backtest of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quorate.core.progress import Progress, silent
from quorate.core.text.plural import counted
from quorate.evaluation.verdict import Verdict, verdict_of
from quorate.workflows.results import tables
from quorate.workflows.results.headline import Headline, Headlined, marks_of, money_rows
from quorate.workflows.runs.trade_list import write_trades

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from quorate.core.types import DecisionFrame
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.workflows.runs.bundle_run import BundleRun


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Backtest(Headlined):
    """Trades and equity of a bundle's decisions, and buy-and-hold on the same bars.

    Attributes:
        document: JSON-safe; the document of `quorate backtest --json`.
        run: decisions, trades and equity, and the candles behind them.
        hold: equity of buy-and-hold on the same bars; None where there was no bar.
    """

    document: Mapping[str, Any]
    run: BundleRun
    hold: EquityCurve | None

    @property
    def frames(self) -> Mapping[str, DecisionFrame]:
        """Symbol -> decisions on every bar of the run."""
        return self.run.frames

    @property
    def result(self) -> BacktestResult:
        """Trades and equity."""
        return self.run.result

    @property
    def synthetic(self) -> bool:
        """Whether some candles, or those of the training, are synthetic."""
        return bool(self.document["synthetic"])

    @property
    def headline(self) -> Headline:
        """Trades, expectancy and return beside buy-and-hold on the same bars."""
        found, equity = self.document, self.document["equity"]
        span = f", {equity[0]['time'][:10]} to {equity[-1]['time'][:10]}" if equity else ""
        name = f"{'Series' if 'bundles' in found else 'Bundle'} {found['bundle']}"
        title = f"{name} backtested on {counted(len(found['symbols']), 'market')}, {found['timeframe']}{span}"
        of = found["baselines"]
        rows = money_rows(found["stats"], of.get("buy_and_hold"), of["random"])
        return Headline(title, marks_of(found), tuple(rows), self.verdict.sentence)

    @property
    def verdict(self) -> Verdict:
        """What happened, beside holding and random entries, or why nothing was traded."""
        return verdict_of(self.document)

    def to_json(self) -> dict[str, Any]:
        """The document of `quorate backtest --json`."""
        return dict(self.document)

    def to_pandas(self, table: str = "trades") -> pd.DataFrame:
        """One of the result's tables as a pandas frame; times are in UTC.

        Args:
            table: "trades": a row a trade. "equity": in USD at the close of each bar, with buy-and-hold. "decisions": a
                row for each bar of each market. "metrics": the account and buy-and-hold, intervals in the columns
                `<metric>_low` and `<metric>_high`.

        Raises:
            ArgumentError: no such table.
            MissingExtraError: pandas is not installed.
        """
        curves = {} if self.hold is None else {"buy_and_hold": self.hold}
        made = {
            "trades": lambda: tables.trade_table(self.result),
            "equity": lambda: tables.equity_table(self.result, curves),
            "decisions": lambda: tables.decision_table(self.frames),
            "metrics": self._metrics,
        }
        return tables.table_of(made, table)

    def write_trades(self, path: str | Path) -> Path:
        """Write a CSV file with each trade and the vote that decided it, and return its path; see `write_trades`.

        Raises:
            DataError: the file cannot be written.
        """
        return write_trades(path, self.result, self.frames)

    def report(self, path: str | Path, *, progress: Progress = silent) -> Path:
        """Write the self-contained HTML page of an evaluation of these trades, and return its path.

        With a panel of language models it is, as in `evaluate`, that of the account without the panel and without
        guards, and a section compares the two.

        Scores the members and trades the baselines first, which a backtest does not need. Nothing more is written to
        the trial log.

        Args:
            path: of the file; its folder is created.
            progress: callback, of scoring and of resampling the account.

        Raises:
            DataError: the file cannot be written.
        """
        from quorate.workflows.evaluate import evaluate_run
        from quorate.workflows.runs.trials import Recorded

        run = replace(self.run, setup=self.run.setup.unguarded)
        recorded = {key: self.document[key] for key in ("provenance", "deflation") if key in self.document}
        return evaluate_run(run, Recorded(recorded), progress).report(path, progress=progress)

    def _metrics(self) -> pd.DataFrame:
        rows = {"account": tables.score_and_money({}, self.document["stats"])}
        if "buy_and_hold" in self.document["baselines"]:
            rows["buy_and_hold"] = tables.score_and_money(self.document["baselines"]["buy_and_hold"])
        return tables.metric_table(rows).rename_axis("account")
