"""Every number a user may change, with its default: what quorate.toml and the environment can set.

This file loads every section. Code that must start fast imports the one it needs from its file in `core/sections/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from quorate.core.arguments import require_type
from quorate.core.sections.access import AccessSettings as AccessSettings
from quorate.core.sections.auto_features import AutoFeatureSettings as AutoFeatureSettings
from quorate.core.sections.bench import BenchSettings as BenchSettings
from quorate.core.sections.book import BookModelSettings as BookModelSettings
from quorate.core.sections.book import BookSettings as BookSettings
from quorate.core.sections.bundle import BundleSettings as BundleSettings
from quorate.core.sections.calibration import CalibrationSettings as CalibrationSettings
from quorate.core.sections.calibration import ConformalSettings as ConformalSettings
from quorate.core.sections.calibration import PolicySettings as PolicySettings
from quorate.core.sections.challenge import ChallengeSettings as ChallengeSettings
from quorate.core.sections.compact_networks import DLinearSettings as DLinearSettings
from quorate.core.sections.compact_networks import GRUSettings as GRUSettings
from quorate.core.sections.compact_networks import InceptionSettings as InceptionSettings
from quorate.core.sections.compact_networks import MiniRocketSettings as MiniRocketSettings
from quorate.core.sections.compact_networks import TCNSettings as TCNSettings
from quorate.core.sections.compact_networks import TFTSettings as TFTSettings
from quorate.core.sections.compact_networks import TiDESettings as TiDESettings
from quorate.core.sections.drift import DriftSettings as DriftSettings
from quorate.core.sections.engine import EngineSettings as EngineSettings
from quorate.core.sections.evaluation import CriteriaSettings as CriteriaSettings
from quorate.core.sections.evaluation import EvaluationSettings as EvaluationSettings
from quorate.core.sections.exchange import ExchangeSettings as ExchangeSettings
from quorate.core.sections.exchange import FeedSettings as FeedSettings
from quorate.core.sections.explain import ExplainSettings as ExplainSettings
from quorate.core.sections.extensible import ExtensibleSection
from quorate.core.sections.features import FeatureSettings as FeatureSettings
from quorate.core.sections.freqtrade import FreqtradeSettings as FreqtradeSettings
from quorate.core.sections.guards import BookGuardSettings as BookGuardSettings
from quorate.core.sections.guards import GuardSettings as GuardSettings
from quorate.core.sections.journal import JournalSettings as JournalSettings
from quorate.core.sections.ladder import LadderSettings as LadderSettings
from quorate.core.sections.learning import SeriesSettings as SeriesSettings
from quorate.core.sections.learning import SplitSettings as SplitSettings
from quorate.core.sections.learning import TargetSettings as TargetSettings
from quorate.core.sections.learning import TrainSettings as TrainSettings
from quorate.core.sections.llm import LLMSettings as LLMSettings
from quorate.core.sections.llm import ProviderSettings as ProviderSettings
from quorate.core.sections.market import QualitySettings as QualitySettings
from quorate.core.sections.market import UniverseSettings as UniverseSettings
from quorate.core.sections.models import CatBoostSettings as CatBoostSettings
from quorate.core.sections.models import ExtraTreesSettings as ExtraTreesSettings
from quorate.core.sections.models import LightGBMSettings as LightGBMSettings
from quorate.core.sections.models import LogHARSettings as LogHARSettings
from quorate.core.sections.models import LogisticSettings as LogisticSettings
from quorate.core.sections.models import ModelSettings as ModelSettings
from quorate.core.sections.models import QDASettings as QDASettings
from quorate.core.sections.models import XGBoostSettings as XGBoostSettings
from quorate.core.sections.networks import DocumentedLSTMSettings as DocumentedLSTMSettings
from quorate.core.sections.networks import DocumentedNHiTSSettings as DocumentedNHiTSSettings
from quorate.core.sections.networks import DocumentedPatchTSTSettings as DocumentedPatchTSTSettings
from quorate.core.sections.networks import LSTMSettings as LSTMSettings
from quorate.core.sections.networks import NetworkSettings as NetworkSettings
from quorate.core.sections.networks import NHiTSSettings as NHiTSSettings
from quorate.core.sections.networks import PatchTSTSettings as PatchTSTSettings
from quorate.core.sections.notify import NotifySettings as NotifySettings
from quorate.core.sections.online import OnlineSettings as OnlineSettings
from quorate.core.sections.paper import PaperSettings as PaperSettings
from quorate.core.sections.pretrained import FracastSettings as FracastSettings
from quorate.core.sections.pretrained import PretrainedSettings as PretrainedSettings
from quorate.core.sections.retrain import RetrainSettings as RetrainSettings
from quorate.core.sections.select import SelectSettings as SelectSettings
from quorate.core.sections.serve import ServeSettings as ServeSettings
from quorate.core.sections.sizing import SizingSettings as SizingSettings
from quorate.core.sections.stack import StackSettings as StackSettings
from quorate.core.sections.tabular_networks import TabMSettings as TabMSettings
from quorate.core.sections.tabular_networks import TabNetSettings as TabNetSettings
from quorate.core.sections.trading import AccountSettings as AccountSettings
from quorate.core.sections.trading import CostSettings as CostSettings
from quorate.core.sections.trading import ExitSettings as ExitSettings
from quorate.core.sections.tune import TuneSettings as TuneSettings
from quorate.core.sections.vote import PredictSettings as PredictSettings
from quorate.core.sections.vote import VoteSettings as VoteSettings
from quorate.core.sections.weights import WeightSettings as WeightSettings


@dataclass(frozen=True, slots=True)
class Settings(ExtensibleSection):
    """All settings, a frozen section for each table of quorate.toml.

    `Settings()` has the defaults, `load_settings` those of a file and of the environment. Settings are changed by
    making new ones; a value out of range is refused with a `SettingsError` that names it. `section` gives a section
    by its name, also one of another package.

    >>> from dataclasses import replace
    >>> settings = replace(Settings(), vote=VoteSettings(floor=0.72))
    >>> settings.vote.floor, settings.section("vote").quorum
    (0.72, 0.75)
    """

    quality: QualitySettings = field(default_factory=QualitySettings)
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    feed: FeedSettings = field(default_factory=FeedSettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    auto_features: AutoFeatureSettings = field(default_factory=AutoFeatureSettings)
    vote: VoteSettings = field(default_factory=VoteSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    stack: StackSettings = field(default_factory=StackSettings)
    book: BookSettings = field(default_factory=BookSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    series: SeriesSettings = field(default_factory=SeriesSettings)
    bundle: BundleSettings = field(default_factory=BundleSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    conformal: ConformalSettings = field(default_factory=ConformalSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    predict: PredictSettings = field(default_factory=PredictSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    account: AccountSettings = field(default_factory=AccountSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    guards: GuardSettings = field(default_factory=GuardSettings)
    book_guards: BookGuardSettings = field(default_factory=BookGuardSettings)
    ladder: LadderSettings = field(default_factory=LadderSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    paper: PaperSettings = field(default_factory=PaperSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    weights: WeightSettings = field(default_factory=WeightSettings)
    sizing: SizingSettings = field(default_factory=SizingSettings)
    llm: LLMSettings = field(default_factory=LLMSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    criteria: CriteriaSettings = field(default_factory=CriteriaSettings)
    explain: ExplainSettings = field(default_factory=ExplainSettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    bench: BenchSettings = field(default_factory=BenchSettings)
    select: SelectSettings = field(default_factory=SelectSettings)
    freqtrade: FreqtradeSettings = field(default_factory=FreqtradeSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    challenge: ChallengeSettings = field(default_factory=ChallengeSettings)
    online: OnlineSettings = field(default_factory=OnlineSettings)
    tune: TuneSettings = field(default_factory=TuneSettings)

    def __post_init__(self) -> None:
        for section in fields(self):
            if isinstance(section.default_factory, type):
                kind = Mapping if section.name == "others" else section.default_factory
                article = "a mapping" if section.name == "others" else f"a {kind.__name__}"
                require_type("make settings", section.name, getattr(self, section.name), kind, article)
