"""Options of one training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quorate.core.settings import NetworkSettings
from quorate.models.base import Progress
from quorate.models.networks.training.schedule import Schedule


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Hyperparameters of a training run, and where it reports and keeps its state.

    Attributes:
        settings: optimizer, learning rate, batches and early stopping; settings of the network's shape are not read.
        name: of the network, for error messages.
        seed: of the order of examples, dropout and masks; not negative.
        threads: 0 for every core.
        steps: total; None for `settings.epochs` epochs.
        validate_every: steps between validations; None for once an epoch.
        schedule: of the learning rate; None for `settings.schedule`.
        progress: called with (steps done, total steps) after each step; after early stopping the last call is
            (done, done).
        checkpoint: file to resume from after an interruption; removed at the end.
        identity: what the run depends on beside settings, seed and shapes, such as a digest of the data. A checkpoint
            with another identity is not resumed.
    """

    settings: NetworkSettings
    name: str
    seed: int
    threads: int = 0
    steps: int | None = None
    validate_every: int | None = None
    schedule: Schedule | None = None
    progress: Progress | None = None
    checkpoint: Path | None = None
    identity: Mapping[str, str] = field(default_factory=dict)
