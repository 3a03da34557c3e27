"""Series of bundles trained on successive windows; each bar is decided by the newest bundle trained before it."""

from quorate.ensemble.series.series import BEFORE_SERIES, BundleSeries, BundleSpan
from quorate.ensemble.series.series_file import load, load_series, publish, series_bundles
from quorate.ensemble.series.training_windows import TrainingWindow, windows

__all__ = [
    "BEFORE_SERIES",
    "BundleSeries",
    "BundleSpan",
    "TrainingWindow",
    "load",
    "load_series",
    "publish",
    "series_bundles",
    "windows",
]
