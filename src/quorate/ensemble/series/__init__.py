"""Bundles trained one after the other along time, and who of them speaks on which bar."""

from quorate.ensemble.series.series import BEFORE_SERIES, BundleSeries, BundleSpan
from quorate.ensemble.series.series_file import Predictor, load, load_series, publish
from quorate.ensemble.series.training_windows import TrainingWindow, windows

__all__ = [
    "BEFORE_SERIES",
    "BundleSeries",
    "BundleSpan",
    "Predictor",
    "TrainingWindow",
    "load",
    "load_series",
    "publish",
    "windows",
]
