"""Watching a bundle for drift: of its features, its calibration, its skill and its log-loss."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.lifecycle.drift.check import check_drift as check_drift
    from quorate.lifecycle.drift.drift_check import DriftAlarm as DriftAlarm
    from quorate.lifecycle.drift.drift_check import DriftCheck as DriftCheck
    from quorate.lifecycle.drift.drift_check import FeatureDrift as FeatureDrift
    from quorate.lifecycle.drift.stored_check import read_check as read_check
    from quorate.lifecycle.drift.stored_check import retraining_reason as retraining_reason
    from quorate.lifecycle.drift.stored_check import write_check as write_check
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "check": "check_drift",
            "drift_check": "DriftAlarm DriftCheck FeatureDrift",
            "stored_check": "read_check retraining_reason write_check",
        },
    )
