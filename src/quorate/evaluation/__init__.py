"""Is it any good: metrics with intervals, baselines, the success criteria, and the report."""

from quorate.evaluation.baselines import always_hold, buy_and_hold, class_prior
from quorate.evaluation.criteria import criteria
from quorate.evaluation.decisions import decision_figures
from quorate.evaluation.equity import EquityCurve, equity_figures
from quorate.evaluation.performance import account_curve, trade_figures
from quorate.evaluation.report import render, write_report
from quorate.evaluation.sample import Sample, mean_scores
from quorate.evaluation.scorecard import Scorecard, score_figures, scorecard
from quorate.evaluation.significance import TimeBlocks, wilson
from quorate.evaluation.tables import Cell, Table, tables

__all__ = [
    "Cell",
    "EquityCurve",
    "Sample",
    "Scorecard",
    "Table",
    "TimeBlocks",
    "account_curve",
    "always_hold",
    "buy_and_hold",
    "class_prior",
    "criteria",
    "decision_figures",
    "equity_figures",
    "mean_scores",
    "render",
    "score_figures",
    "scorecard",
    "tables",
    "trade_figures",
    "wilson",
    "write_report",
]
