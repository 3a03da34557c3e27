"""Fits that a worker process can import."""

from __future__ import annotations

import os

import numpy as np

from quorate.core.errors import ModelError
from quorate.core.settings import ModelSettings
from quorate.evaluation.walk_forward.permutation_importance import PermutationImportance
from quorate.models.trees.xgboost import XGBoost


def fitted(key, given, report):
    X = np.random.default_rng(key).standard_normal((2_000, 4)).astype(np.float32)
    y = np.arange(len(X), dtype=np.int8) % 3
    return XGBoost("class", ModelSettings(), seed=1, threads=2).fit(X, y).output(X[:5])


class Located(PermutationImportance):
    """Keeps the numbers of the processes that measured."""

    def measure(self, fold, name, model):
        return os.getpid(), super().measure(fold, name, model)

    def add(self, name, found):
        process, losses = found
        self.processes = {*getattr(self, "processes", ()), process}
        if losses is not None:
            super().add(name, losses)


class Moody(XGBoost):
    """Fails, and says where."""

    def _fit(self, request):
        raise ModelError("fit it", found=f"process {os.getpid()}")


def steady_and_moody(name):
    kind = Moody if name == "moody" else XGBoost
    return kind("class", ModelSettings(), seed=1, threads=1)
