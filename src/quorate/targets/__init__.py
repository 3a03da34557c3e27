"""Candles to what is to be learned, and to the rows it may be learned from."""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.targets.barriers import TripleBarrier as TripleBarrier
    from quorate.targets.classes import ForwardClass as ForwardClass
    from quorate.targets.dataset import Dataset as Dataset
    from quorate.targets.dataset import build_dataset as build_dataset
    from quorate.targets.folds import Fold as Fold
    from quorate.targets.folds import combinatorial as combinatorial
    from quorate.targets.folds import walk_forward as walk_forward
    from quorate.targets.labels import Labels as Labels
    from quorate.targets.labels import Target as Target
    from quorate.targets.returns import ForwardReturn as ForwardReturn
    from quorate.targets.splits import Slices as Slices
    from quorate.targets.splits import TimeSplit as TimeSplit
    from quorate.targets.splits import time_split as time_split
    from quorate.targets.splits import training_slices as training_slices
    from quorate.targets.splits import validation_slices as validation_slices
    from quorate.targets.uniqueness import uniqueness_weights as uniqueness_weights
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "barriers": "TripleBarrier",
            "classes": "ForwardClass",
            "dataset": "Dataset build_dataset",
            "folds": "Fold combinatorial walk_forward",
            "labels": "Labels Target",
            "returns": "ForwardReturn",
            "splits": "Slices TimeSplit time_split training_slices validation_slices",
            "uniqueness": "uniqueness_weights",
        },
    )
