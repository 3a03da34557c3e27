"""Every number a user may change, with its default, in one place.

Plain frozen dataclasses, so that the live path needs no validation library. `configuration.py` fills them from
quorate.toml and the environment. Code takes the section it needs as an argument; nothing reads a setting twice.
"""

from quorate.core.settings.calibration import CalibrationSettings, ConformalSettings, PolicySettings
from quorate.core.settings.evaluation import CriteriaSettings, EvaluationSettings
from quorate.core.settings.exchange import ExchangeSettings, FeedSettings
from quorate.core.settings.freqtrade import FreqtradeSettings
from quorate.core.settings.guards import GuardSettings
from quorate.core.settings.journal import JournalSettings
from quorate.core.settings.ladder import LadderSettings
from quorate.core.settings.learning import SeriesSettings, SplitSettings, TargetSettings, TrainSettings
from quorate.core.settings.market import QualitySettings, UniverseSettings
from quorate.core.settings.models import LightGBMSettings, LogisticSettings, ModelSettings, XGBoostSettings
from quorate.core.settings.networks import LSTMSettings, NetworkSettings, NHiTSSettings, PatchTSTSettings
from quorate.core.settings.stack import StackSettings
from quorate.core.settings.trading import AccountSettings, CostSettings, ExitSettings
from quorate.core.settings.tree import Settings
from quorate.core.settings.vote import PredictSettings, VoteSettings

__all__ = [
    "AccountSettings",
    "CalibrationSettings",
    "ConformalSettings",
    "CostSettings",
    "CriteriaSettings",
    "EvaluationSettings",
    "ExchangeSettings",
    "ExitSettings",
    "FeedSettings",
    "FreqtradeSettings",
    "GuardSettings",
    "JournalSettings",
    "LSTMSettings",
    "LadderSettings",
    "LightGBMSettings",
    "LogisticSettings",
    "ModelSettings",
    "NHiTSSettings",
    "NetworkSettings",
    "PatchTSTSettings",
    "PolicySettings",
    "PredictSettings",
    "QualitySettings",
    "SeriesSettings",
    "Settings",
    "SplitSettings",
    "StackSettings",
    "TargetSettings",
    "TrainSettings",
    "UniverseSettings",
    "VoteSettings",
    "XGBoostSettings",
]
