"""Metrics of scores, probabilities, predicted returns, decisions, signals, trades and equity."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.metrics.classification_report import score_figures as score_figures
    from quorate.evaluation.metrics.decisions import decision_figures as decision_figures
    from quorate.evaluation.metrics.equity import EquityCurve as EquityCurve
    from quorate.evaluation.metrics.equity import equity_figures as equity_figures
    from quorate.evaluation.metrics.monthly import money_by_month as money_by_month
    from quorate.evaluation.metrics.monthly import skill_by_month as skill_by_month
    from quorate.evaluation.metrics.paired_difference import log_loss_difference as log_loss_difference
    from quorate.evaluation.metrics.regression import return_baselines as return_baselines
    from quorate.evaluation.metrics.regression import return_figures as return_figures
    from quorate.evaluation.metrics.reliability import probability_figures as probability_figures
    from quorate.evaluation.metrics.signal_outcomes import Signals as Signals
    from quorate.evaluation.metrics.trades import account_curve as account_curve
    from quorate.evaluation.metrics.trades import net_returns as net_returns
    from quorate.evaluation.metrics.trades import trade_figures as trade_figures
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "classification_report": "score_figures",
            "decisions": "decision_figures",
            "equity": "EquityCurve equity_figures",
            "monthly": "money_by_month skill_by_month",
            "paired_difference": "log_loss_difference",
            "regression": "return_baselines return_figures",
            "reliability": "probability_figures",
            "signal_outcomes": "Signals",
            "trades": "account_curve net_returns trade_figures",
        },
    )
