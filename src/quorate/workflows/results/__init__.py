"""What workflows return: documents, tables and a headline for notebooks."""

from quorate.workflows.results.bundles import BundleDetails, BundleList, ChampionChange, Verification
from quorate.workflows.results.evaluation import Evaluation
from quorate.workflows.results.headline import Headline
from quorate.workflows.results.market_files import CheckResult, DownloadResult, FileList, ImportResult
from quorate.workflows.results.own_columns import OwnColumnsResult
from quorate.workflows.results.signals import MarketSignal, MarketSignals
from quorate.workflows.results.training import SeriesResult, TrainResult

__all__ = [
    "BundleDetails",
    "BundleList",
    "ChampionChange",
    "CheckResult",
    "DownloadResult",
    "Evaluation",
    "FileList",
    "Headline",
    "ImportResult",
    "MarketSignal",
    "MarketSignals",
    "OwnColumnsResult",
    "SeriesResult",
    "TrainResult",
    "Verification",
]
