"""The training loop of the networks: examples, losses, schedules, checkpoints, distributed processes."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.models.networks.training.examples import Examples as Examples
    from quorate.models.networks.training.examples import WindowExamples as WindowExamples
    from quorate.models.networks.training.fit import fit_network as fit_network
    from quorate.models.networks.training.loss_history import LossHistory as LossHistory
    from quorate.models.networks.training.losses import Loss as Loss
    from quorate.models.networks.training.losses import cross_entropy as cross_entropy
    from quorate.models.networks.training.losses import focal as focal
    from quorate.models.networks.training.losses import squared_error as squared_error
    from quorate.models.networks.training.options import TrainingOptions as TrainingOptions
    from quorate.models.networks.training.schedule import Schedule as Schedule
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "examples": "Examples WindowExamples",
            "fit": "fit_network",
            "loss_history": "LossHistory",
            "losses": "Loss cross_entropy focal squared_error",
            "options": "TrainingOptions",
            "schedule": "Schedule",
        },
    )
