"""Is it any good: walk-forward, metrics with intervals, baselines, the success criteria, and the report."""

from quorate.evaluation.baselines import always_hold, buy_and_hold, class_prior
from quorate.evaluation.cells import Cell, Table
from quorate.evaluation.chance import chance_figures
from quorate.evaluation.criteria import criteria
from quorate.evaluation.decisions import decision_figures
from quorate.evaluation.equity import EquityCurve, equity_figures
from quorate.evaluation.lookahead import Leak, Verdict, check_features, check_model, check_strategy
from quorate.evaluation.performance import account_curve, trade_figures
from quorate.evaluation.report import render, write_report
from quorate.evaluation.rivals import Rival, model_rival, momentum_rival, rules_rival
from quorate.evaluation.rows import Rows, build_rows
from quorate.evaluation.sample import Sample, mean_scores
from quorate.evaluation.scorecard import Scorecard, scorecard
from quorate.evaluation.scores import score_figures
from quorate.evaluation.significance import TimeBlocks
from quorate.evaluation.steps import Step, steps
from quorate.evaluation.tables import tables
from quorate.evaluation.venue import Venue
from quorate.evaluation.verdict import verdict
from quorate.evaluation.walked import Walk
from quorate.evaluation.walkforward import walk

__all__ = [
    "Cell",
    "EquityCurve",
    "Leak",
    "Rival",
    "Rows",
    "Sample",
    "Scorecard",
    "Step",
    "Table",
    "TimeBlocks",
    "Venue",
    "Verdict",
    "Walk",
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
