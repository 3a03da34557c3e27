"""Watching a bundle for drift: of its features, its calibration, its skill and its log-loss."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.lifecycle.drift.check import check_drift as check_drift
    from quorate.lifecycle.drift.drift_scheduler import DriftScheduler as DriftScheduler
    from quorate.lifecycle.drift.watch import watch_drift as watch_drift
else:
    __getattr__, __all__ = deferred(
        __name__, {"check": "check_drift", "drift_scheduler": "DriftScheduler", "watch": "watch_drift"}
    )
