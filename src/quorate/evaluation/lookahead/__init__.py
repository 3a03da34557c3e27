"""Leakage checks for feature sets, strategies and models."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.lookahead.checks import check_features as check_features
    from quorate.evaluation.lookahead.checks import check_model as check_model
    from quorate.evaluation.lookahead.checks import check_strategy as check_strategy
    from quorate.evaluation.lookahead.implausible_auc import ImplausibleColumn as ImplausibleColumn
    from quorate.evaluation.lookahead.implausible_auc import implausible_columns as implausible_columns
    from quorate.evaluation.lookahead.leakage_report import Leak as Leak
    from quorate.evaluation.lookahead.leakage_report import LeakageReport as LeakageReport
    from quorate.evaluation.lookahead.truncation import Change as Change
    from quorate.evaluation.lookahead.truncation import perturbation_changes as perturbation_changes
    from quorate.evaluation.lookahead.truncation import truncation_changes as truncation_changes
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "checks": "check_features check_model check_strategy",
            "implausible_auc": "ImplausibleColumn implausible_columns",
            "leakage_report": "Leak LeakageReport",
            "truncation": "Change perturbation_changes truncation_changes",
        },
    )
