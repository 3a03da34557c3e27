"""Labels of candles, and the rows that may be learned from: data sets, splits and folds."""

from quorate.targets.barriers import TripleBarrier
from quorate.targets.classes import ForwardClass
from quorate.targets.dataset import Dataset, build_dataset
from quorate.targets.folds import Fold, combinatorial, walk_forward
from quorate.targets.labels import Labels, Target
from quorate.targets.returns import ForwardReturn
from quorate.targets.splits import Slices, TimeSplit, time_split, training_slices, validation_slices
from quorate.targets.uniqueness import uniqueness_weights

__all__ = [
    "Dataset",
    "Fold",
    "ForwardClass",
    "ForwardReturn",
    "Labels",
    "Slices",
    "Target",
    "TimeSplit",
    "TripleBarrier",
    "build_dataset",
    "combinatorial",
    "time_split",
    "training_slices",
    "uniqueness_weights",
    "validation_slices",
    "walk_forward",
]
