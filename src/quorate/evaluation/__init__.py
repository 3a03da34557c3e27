"""Is it any good: walk-forward, metrics with intervals, baselines, the success criteria, and the report."""

from quorate.evaluation.backtest_setup import BacktestSetup
from quorate.evaluation.baselines.naive import always_hold, buy_and_hold, class_prior
from quorate.evaluation.baselines.random_entries import chance_figures
from quorate.evaluation.baselines.strategies import BaselineStrategy, model_rival, momentum_rival, rules_rival
from quorate.evaluation.criteria import criteria
from quorate.evaluation.labelled_predictions import LabelledPredictions, mean_scores
from quorate.evaluation.lookahead.checks import Leak, LeakageReport, check_features, check_model, check_strategy
from quorate.evaluation.metrics.classification_report import score_figures
from quorate.evaluation.metrics.decisions import decision_figures
from quorate.evaluation.metrics.equity import EquityCurve, equity_figures
from quorate.evaluation.metrics.trades import account_curve, trade_figures
from quorate.evaluation.report.formatting import Cell, Table
from quorate.evaluation.report.html import render, write_report
from quorate.evaluation.report.tables import tables
from quorate.evaluation.scorecard import Scorecard, scorecard
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.evaluation.walk_forward.evaluate_walk import verdict
from quorate.evaluation.walk_forward.fold_rows import FoldRows, steps
from quorate.evaluation.walk_forward.labelled_bars import LabelledBars, build_rows
from quorate.evaluation.walk_forward.walk import walk
from quorate.evaluation.walk_forward.walk_result import WalkResult

__all__ = [
    "BacktestSetup",
    "BaselineStrategy",
    "Cell",
    "EquityCurve",
    "FoldRows",
    "LabelledBars",
    "LabelledPredictions",
    "Leak",
    "LeakageReport",
    "Scorecard",
    "Table",
    "TimeBlocks",
    "WalkResult",
    "account_curve",
    "always_hold",
    "build_rows",
    "buy_and_hold",
    "chance_figures",
    "check_features",
    "check_model",
    "check_strategy",
    "class_prior",
    "criteria",
    "decision_figures",
    "equity_figures",
    "mean_scores",
    "model_rival",
    "momentum_rival",
    "render",
    "rules_rival",
    "score_figures",
    "scorecard",
    "steps",
    "tables",
    "trade_figures",
    "verdict",
    "walk",
    "write_report",
]
