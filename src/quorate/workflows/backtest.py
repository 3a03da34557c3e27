"""Trade a bundle's decisions in the simulated account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from quorate.core.progress import Progress, silent
from quorate.workflows.results import Headline, tables
from quorate.workflows.results.headline import marks_of, money_rows
from quorate.workflows.selection import Selection, resolve_for_bundle, split_symbols

if TYPE_CHECKING:
    import pandas as pd

    from quorate.core.settings import Settings
    from quorate.core.types import DecisionFrame, Policy
    from quorate.evaluation.metrics.equity import EquityCurve
    from quorate.trading.backtest.backtest_result import BacktestResult
    from quorate.workflows.bundle_run import BundleLike, BundleRun
    from quorate.workflows.market_data import Data
    from quorate.workflows.trials import RunRecord


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Backtest:
    """Trades and equity of a bundle's decisions, and buy-and-hold on the same bars.

    Attributes:
        document: JSON-safe; the document of `quorate backtest --json`.
        frames: symbol -> decisions on every bar of the run.
        result: trades and equity.
        hold: equity of buy-and-hold on the same bars; None where there was no bar.
        hold_figures: return and risk of `hold`, JSON-safe.
    """

    document: Mapping[str, Any]
    frames: Mapping[str, DecisionFrame]
    result: BacktestResult
    hold: EquityCurve | None
    hold_figures: Mapping[str, Any] | None

    @property
    def synthetic(self) -> bool:
        """Some candles, or those that trained the bundle, are made up."""
        return bool(self.document["synthetic"])

    @property
    def headline(self) -> Headline:
        """Trades, expectancy and return beside buy-and-hold on the same bars."""
        found, equity = self.document, self.document["equity"]
        span = f", {equity[0]['time']} to {equity[-1]['time']}" if equity else ""
        name = f"{'Series' if 'bundles' in found else 'Bundle'} {found['bundle']}"
        title = f"{name} backtested on {len(found['symbols'])} symbols, {found['timeframe']}{span}"
        return Headline(title, marks_of(found), tuple(money_rows(found["stats"], self.hold_figures, None)))

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

    def __str__(self) -> str:
        return self.headline.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.headline.html()

    def _metrics(self) -> pd.DataFrame:
        rows = {"account": tables.score_and_money({}, self.document["stats"])}
        if self.hold_figures is not None:
            rows["buy_and_hold"] = tables.score_and_money(self.hold_figures)
        return tables.metric_table(rows).rename_axis("account")


def backtest(
    bundle: BundleLike,
    data: Data,
    *,
    policy: Policy | None = None,
    allow_training_span: bool = False,
    guards: bool = False,
    settings: Settings | None = None,
    record: RunRecord | None = None,
    progress: Progress = silent,
    **selection: Unpack[Selection],
) -> Backtest:
    """Trade a frozen bundle on later candles: fees, slippage, funding, stops, targets, time exits.

    Args:
        bundle: folder of a bundle, of bundles (its champion) or of a series, or one that is loaded.
        data: a Freqtrade data folder, or candles as `open_source` takes them.
        policy: decide by this policy instead of the bundle's own.
        allow_training_span: also use bars that trained the bundle; the result is marked.
        guards: apply guards and ladder as paper trading does; nobody re-arms them.
        settings: account, costs, exits; None for those of quorate.toml and the environment.
        record: where the run is recorded; None for the trial log of the settings.
        progress: of reading, predicting and trading.
        **selection: `symbols` (default: every market of the data of the kind the bundle was trained on), `start`,
            `end`.

    Raises:
        ArgumentError: a selection that cannot be resolved.
        BundleError: the bundle is missing, altered, or lacks the policy.
        TrainingSpanError: the span overlaps the training span and that is not allowed.
        DataError: candles that cannot be read, or none in the span.
        EvaluationError: the trial log cannot be written.
    """
    from quorate.core.configuration import load_settings
    from quorate.evaluation.criteria import criteria
    from quorate.evaluation.metrics.decisions import decision_figures
    from quorate.evaluation.metrics.equity import equity_figures
    from quorate.evaluation.metrics.trades import trade_figures
    from quorate.workflows.bundle_run import load_predictor, run_bundle
    from quorate.workflows.market_data import data_name, open_source, read_contracts
    from quorate.workflows.trials import TrialRecorder

    settings = load_settings() if settings is None else settings
    recorder = TrialRecorder.open(record, settings, verb="backtest", data=data_name(data))
    predictor = load_predictor(bundle, settings, policy)
    source = open_source(data, split_symbols(selection.get("symbols")), predictor.manifest.timeframe)
    run = run_bundle(
        predictor,
        source,
        resolve_for_bundle(source, predictor, selection),
        settings,
        allow_training_span=allow_training_span,
        guards=guards,
        contracts=read_contracts(source),
        progress=progress,
    )
    stats = trade_figures(run.result, settings.evaluation)
    document = {
        **run.header,
        "guards": guards,
        **run.result.to_json(),
        "stats": stats,
        "criteria": criteria(decision_figures(run.frames.values(), settings.evaluation), stats, settings.criteria),
        **recorder.record([run.configuration], run.setup, run.choices, run.decision_settings),
    }
    hold = _buy_and_hold(run)
    figures = None if hold is None else equity_figures(hold, settings.evaluation).to_json()
    return Backtest(document, run.frames, run.result, hold, figures)


def _buy_and_hold(run: BundleRun) -> EquityCurve | None:
    """Buy-and-hold over exactly the bars that were decided on; None without one."""
    from quorate.evaluation.baselines.naive import buy_and_hold

    spans = {
        symbol: run.candles[symbol].between(int(frame.time[0]), int(frame.time[-1]) + 1)
        for symbol, frame in run.frames.items()
        if len(frame)
    }
    if not spans:
        return None
    return buy_and_hold(spans, run.result.start_equity_usd, run.settings.costs, run.setup.funding)
