"""Retraining on a schedule: train on the newest span, judge against the champion, promote or keep."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.lifecycle.retrain.result import RetrainResult as RetrainResult
    from quorate.lifecycle.retrain.result import RetrainStatus as RetrainStatus
    from quorate.lifecycle.retrain.retrain_champion import retrain as retrain
    from quorate.lifecycle.retrain.scheduler import RetrainScheduler as RetrainScheduler
    from quorate.lifecycle.retrain.status import retraining_status as retraining_status
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "result": "RetrainResult RetrainStatus",
            "retrain_champion": "retrain",
            "scheduler": "RetrainScheduler",
            "status": "retraining_status",
        },
    )
