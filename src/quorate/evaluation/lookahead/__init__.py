"""Leakage checks for feature sets, strategies and models."""

from quorate.evaluation.lookahead.checks import Leak, LeakageReport, check_features, check_model, check_strategy

__all__ = ["Leak", "LeakageReport", "check_features", "check_model", "check_strategy"]
