"""Bundles trained one after the other along time, and which of them decides on which bar."""

from quorate.ensemble.series.series import BEFORE_SERIES, BundleSeries, BundleSpan
from quorate.ensemble.series.series_file import load, load_series, publish
from quorate.ensemble.series.training_windows import TrainingWindow, windows

__all__ = [
    "BEFORE_SERIES",
    "BundleSeries",
    "BundleSpan",
    "TrainingWindow",
    "load",
    "load_series",
    "publish",
    "windows",
]
