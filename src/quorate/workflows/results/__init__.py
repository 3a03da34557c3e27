"""Results of workflows: documents, tables, and a headline for notebooks."""

from quorate.workflows.results.backtest import Backtest
from quorate.workflows.results.bundle_details import BundleDetails
from quorate.workflows.results.bundle_list import BundleList
from quorate.workflows.results.bundle_verification import Verification
from quorate.workflows.results.champion_change import ChampionChange
from quorate.workflows.results.checked_files import CheckResult
from quorate.workflows.results.demo import DemoResult
from quorate.workflows.results.evaluation import Evaluation
from quorate.workflows.results.headline import Headline
from quorate.workflows.results.market_files import DownloadResult, FileList, ImportResult
from quorate.workflows.results.own_columns import OwnColumnsResult
from quorate.workflows.results.signals import MarketSignal, MarketSignals
from quorate.workflows.results.training import TrainResult
from quorate.workflows.results.training_series import SeriesResult

__all__ = [
    "Backtest",
    "BundleDetails",
    "BundleList",
    "ChampionChange",
    "CheckResult",
    "DemoResult",
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
