"""Candles to what is to be learned, and to the rows it may be learned from."""

from quorate.targets.classes import ForwardClass
from quorate.targets.dataset import Dataset, build_dataset
from quorate.targets.labels import Labels, Target
from quorate.targets.splits import TimeSplit, time_split

__all__ = ["Dataset", "ForwardClass", "Labels", "Target", "TimeSplit", "build_dataset", "time_split"]
