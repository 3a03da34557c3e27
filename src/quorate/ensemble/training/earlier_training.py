"""Bundles trained on older rows, at whose networks' weights a training may begin.

Reference: López de Prado (2018), Advances in Financial Machine Learning, chapter 7: purge and embargo.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quorate.core.errors import QuorateError
from quorate.ensemble.bundle.bundle_files import read_file
from quorate.ensemble.bundle.manifest import Manifest
from quorate.ensemble.training.training_data import Maker, TrainingData
from quorate.models import Model
from quorate.models.model_files import load_bytes


@dataclass(frozen=True, slots=True)
class EarlierTraining:
    """A published bundle.

    Attributes:
        path, manifest: of the bundle.
    """

    path: Path
    manifest: Manifest

    def model(self, name: str, make: Maker) -> Model | None:
        """The bundle's member of that name; None where it has none, or this one begins anew."""
        native = next((each.native for each in self.manifest.members if each.model == name), None)
        model = make()
        if native is None or not model.starts_warm:
            return None
        return load_bytes(model, read_file(self.path, self.manifest, native))


def newest_start(earlier: Sequence[EarlierTraining], data: TrainingData) -> EarlierTraining | None:
    """The newest earlier training that leaks nothing into this one; None to begin anew.

    Every label that its members were fitted on, or stopped by, ends an embargo before the first row that stops,
    calibrates, chooses or tests here.

    Args:
        earlier: trainings of the same members on other spans.
        data: of this training.
    """
    if not any(_starts_warm(make) for make in data.makers.values()):
        return None
    later = np.concatenate([data.split.validation, data.split.test])
    if not len(later):
        return None
    begins = int(data.dataset.time[later].min())
    able = [each for each in earlier if each.manifest.fitted_until + data.embargo_ms < begins]
    return max(able, key=lambda each: each.manifest.fitted_until, default=None)


def fingerprint(data: TrainingData, start: EarlierTraining | None) -> str:
    """Hash of everything that a training depends on, the bundle at whose weights it begins included."""
    own = data.fingerprint()
    return own if start is None else hashlib.sha256(f"{own} {start.manifest.id}".encode()).hexdigest()[: len(own)]


def _starts_warm(make: Maker) -> bool:
    try:
        return make().starts_warm
    except QuorateError:
        return False  # it cannot be trained, and its result says why
