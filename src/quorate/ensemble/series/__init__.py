"""Bundles trained one after the other along time, and who of them speaks on which bar."""

from quorate.ensemble.series.series import BEFORE_SERIES, BundleSeries, Stretch
from quorate.ensemble.series.series_file import Predictor, load, load_series, publish
from quorate.ensemble.series.training_windows import Window, windows

__all__ = [
    "BEFORE_SERIES",
    "BundleSeries",
    "Predictor",
    "Stretch",
    "Window",
    "load",
    "load_series",
    "publish",
    "windows",
]
