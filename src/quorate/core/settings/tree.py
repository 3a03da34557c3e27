"""All sections together, as quorate.toml names them."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.core.settings.calibration import CalibrationSettings, ConformalSettings, PolicySettings
from quorate.core.settings.evaluation import CriteriaSettings, EvaluationSettings
from quorate.core.settings.exchange import ExchangeSettings, FeedSettings
from quorate.core.settings.freqtrade import FreqtradeSettings
from quorate.core.settings.guards import GuardSettings
from quorate.core.settings.journal import JournalSettings
from quorate.core.settings.ladder import LadderSettings
from quorate.core.settings.learning import SeriesSettings, SplitSettings, TargetSettings, TrainSettings
from quorate.core.settings.market import QualitySettings, UniverseSettings
from quorate.core.settings.models import ModelSettings
from quorate.core.settings.notify import NotifySettings
from quorate.core.settings.paper import PaperSettings
from quorate.core.settings.section import Section
from quorate.core.settings.stack import StackSettings
from quorate.core.settings.trading import AccountSettings, CostSettings, ExitSettings
from quorate.core.settings.vote import PredictSettings, VoteSettings


@dataclass(frozen=True, slots=True)
class Settings(Section):
    """All sections, as quorate.toml names them."""

    quality: QualitySettings = field(default_factory=QualitySettings)
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    feed: FeedSettings = field(default_factory=FeedSettings)
    vote: VoteSettings = field(default_factory=VoteSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    stack: StackSettings = field(default_factory=StackSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    series: SeriesSettings = field(default_factory=SeriesSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    conformal: ConformalSettings = field(default_factory=ConformalSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    predict: PredictSettings = field(default_factory=PredictSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    account: AccountSettings = field(default_factory=AccountSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    guards: GuardSettings = field(default_factory=GuardSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    paper: PaperSettings = field(default_factory=PaperSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    criteria: CriteriaSettings = field(default_factory=CriteriaSettings)
    freqtrade: FreqtradeSettings = field(default_factory=FreqtradeSettings)
