"""The result of a check for drift, as a file beside the champion's pointer, and what follows from it."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.evaluation.drift.drift_check import DriftAlarm as DriftAlarm
    from quorate.evaluation.drift.drift_check import DriftCheck as DriftCheck
    from quorate.evaluation.drift.drift_check import FeatureDrift as FeatureDrift
    from quorate.evaluation.drift.stored_check import read_check as read_check
    from quorate.evaluation.drift.stored_check import retraining_reason as retraining_reason
    from quorate.evaluation.drift.stored_check import write_check as write_check
    from quorate.evaluation.drift.stored_drift import StoredDrift as StoredDrift
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "drift_check": "DriftAlarm DriftCheck FeatureDrift",
            "stored_drift": "StoredDrift",
            "stored_check": "read_check retraining_reason write_check",
        },
    )
