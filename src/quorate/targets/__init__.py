"""Candles to what is to be learned, and to the rows it may be learned from."""

from quorate.targets.barriers import TripleBarrier
from quorate.targets.classes import ForwardClass
from quorate.targets.dataset import Dataset, build_dataset
from quorate.targets.folds import Fold, combinatorial, walk_forward
from quorate.targets.labels import Labels, Target
from quorate.targets.returns import ForwardReturn
from quorate.targets.splits import TimeSplit, time_split
from quorate.targets.weights import uniqueness_weights

__all__ = [
    "Dataset",
    "Fold",
    "ForwardClass",
    "ForwardReturn",
    "Labels",
    "Target",
    "TimeSplit",
    "TripleBarrier",
    "build_dataset",
    "combinatorial",
    "time_split",
    "uniqueness_weights",
    "walk_forward",
]
