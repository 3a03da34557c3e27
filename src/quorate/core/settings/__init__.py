"""Every number a user may change, with its default, in one place.

Plain frozen dataclasses, so that the live path needs no validation library. `configuration.py` fills them from
quorate.toml and the environment. Code takes the section it needs as an argument; nothing reads a setting twice.
"""

from typing import TYPE_CHECKING

from quorate.core.deferred import deferred

if TYPE_CHECKING:
    from quorate.core.settings.calibration import CalibrationSettings as CalibrationSettings
    from quorate.core.settings.calibration import ConformalSettings as ConformalSettings
    from quorate.core.settings.calibration import PolicySettings as PolicySettings
    from quorate.core.settings.evaluation import CriteriaSettings as CriteriaSettings
    from quorate.core.settings.evaluation import EvaluationSettings as EvaluationSettings
    from quorate.core.settings.exchange import ExchangeSettings as ExchangeSettings
    from quorate.core.settings.exchange import FeedSettings as FeedSettings
    from quorate.core.settings.freqtrade import FreqtradeSettings as FreqtradeSettings
    from quorate.core.settings.guards import GuardSettings as GuardSettings
    from quorate.core.settings.journal import JournalSettings as JournalSettings
    from quorate.core.settings.ladder import LadderSettings as LadderSettings
    from quorate.core.settings.learning import SeriesSettings as SeriesSettings
    from quorate.core.settings.learning import SplitSettings as SplitSettings
    from quorate.core.settings.learning import TargetSettings as TargetSettings
    from quorate.core.settings.learning import TrainSettings as TrainSettings
    from quorate.core.settings.market import QualitySettings as QualitySettings
    from quorate.core.settings.market import UniverseSettings as UniverseSettings
    from quorate.core.settings.models import LightGBMSettings as LightGBMSettings
    from quorate.core.settings.models import LogisticSettings as LogisticSettings
    from quorate.core.settings.models import ModelSettings as ModelSettings
    from quorate.core.settings.models import XGBoostSettings as XGBoostSettings
    from quorate.core.settings.networks import LSTMSettings as LSTMSettings
    from quorate.core.settings.networks import NetworkSettings as NetworkSettings
    from quorate.core.settings.networks import NHiTSSettings as NHiTSSettings
    from quorate.core.settings.networks import PatchTSTSettings as PatchTSTSettings
    from quorate.core.settings.notify import NotifySettings as NotifySettings
    from quorate.core.settings.paper import PaperSettings as PaperSettings
    from quorate.core.settings.stack import StackSettings as StackSettings
    from quorate.core.settings.trading import AccountSettings as AccountSettings
    from quorate.core.settings.trading import CostSettings as CostSettings
    from quorate.core.settings.trading import ExitSettings as ExitSettings
    from quorate.core.settings.tree import Settings as Settings
    from quorate.core.settings.vote import PredictSettings as PredictSettings
    from quorate.core.settings.vote import VoteSettings as VoteSettings
else:
    __getattr__, __all__ = deferred(
        __name__,
        {
            "calibration": "CalibrationSettings ConformalSettings PolicySettings",
            "evaluation": "CriteriaSettings EvaluationSettings",
            "exchange": "ExchangeSettings FeedSettings",
            "freqtrade": "FreqtradeSettings",
            "guards": "GuardSettings",
            "journal": "JournalSettings",
            "ladder": "LadderSettings",
            "learning": "SeriesSettings SplitSettings TargetSettings TrainSettings",
            "market": "QualitySettings UniverseSettings",
            "models": "LightGBMSettings LogisticSettings ModelSettings XGBoostSettings",
            "networks": "LSTMSettings NetworkSettings NHiTSSettings PatchTSTSettings",
            "notify": "NotifySettings",
            "paper": "PaperSettings",
            "stack": "StackSettings",
            "trading": "AccountSettings CostSettings ExitSettings",
            "tree": "Settings",
            "vote": "PredictSettings VoteSettings",
        },
    )
