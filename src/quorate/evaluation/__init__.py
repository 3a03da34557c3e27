"""Evaluation: metrics with intervals, baselines, walk-forward, success criteria, leakage checks, and the report."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.backtest_setup import BacktestSetup as BacktestSetup
    from quorate.evaluation.evaluate_decisions import TradedDecisions as TradedDecisions
    from quorate.evaluation.labelled_predictions import LabelledPredictions as LabelledPredictions
    from quorate.evaluation.lookahead.checks import check_features as check_features
    from quorate.evaluation.lookahead.checks import check_model as check_model
    from quorate.evaluation.lookahead.checks import check_strategy as check_strategy
    from quorate.evaluation.lookahead.leakage_report import Leak as Leak
    from quorate.evaluation.lookahead.leakage_report import LeakageReport as LeakageReport
    from quorate.evaluation.metrics.equity import EquityCurve as EquityCurve
    from quorate.evaluation.report.html import render_report as render_report
    from quorate.evaluation.report.html import write_report as write_report
    from quorate.evaluation.scorecard import Scorecard as Scorecard
    from quorate.evaluation.scorecard import build_scorecard as build_scorecard
    from quorate.evaluation.scorecard_inputs import ScorecardInputs as ScorecardInputs
    from quorate.evaluation.statistics.block_bootstrap import TimeBlocks as TimeBlocks
    from quorate.evaluation.statistics.trial_log import TrialLog as TrialLog
    from quorate.evaluation.walk_forward.labelled_bars import LabelledBars as LabelledBars
    from quorate.evaluation.walk_forward.labelled_bars import build_rows as build_rows
    from quorate.evaluation.walk_forward.walk import WalkOptions as WalkOptions
    from quorate.evaluation.walk_forward.walk_result import WalkResult as WalkResult
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "backtest_setup": "BacktestSetup",
            "evaluate_decisions": "TradedDecisions",
            "labelled_predictions": "LabelledPredictions",
            "lookahead.checks": "check_features check_model check_strategy",
            "lookahead.leakage_report": "Leak LeakageReport",
            "metrics.equity": "EquityCurve",
            "report.html": "render_report write_report",
            "scorecard": "Scorecard build_scorecard",
            "scorecard_inputs": "ScorecardInputs",
            "statistics.block_bootstrap": "TimeBlocks",
            "statistics.trial_log": "TrialLog",
            "walk_forward.labelled_bars": "LabelledBars build_rows",
            "walk_forward.walk": "WalkOptions",
            "walk_forward.walk_result": "WalkResult",
        },
    )
