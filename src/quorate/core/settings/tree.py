"""All sections together, as quorate.toml names them."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.core.settings.calibration import CalibrationSettings, ConformalSettings, PolicySettings
from quorate.core.settings.evaluation import CriteriaSettings, EvaluationSettings
from quorate.core.settings.learning import SplitSettings, TargetSettings, TrainSettings
from quorate.core.settings.market import QualitySettings, UniverseSettings
from quorate.core.settings.models import ModelSettings
from quorate.core.settings.section import Section
from quorate.core.settings.stack import StackSettings
from quorate.core.settings.trading import AccountSettings, CostSettings, ExitSettings
from quorate.core.settings.vote import PredictSettings, VoteSettings


@dataclass(frozen=True, slots=True)
class Settings(Section):
    """All sections, as quorate.toml names them."""

    quality: QualitySettings = field(default_factory=QualitySettings)
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    vote: VoteSettings = field(default_factory=VoteSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    stack: StackSettings = field(default_factory=StackSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    calibration: CalibrationSettings = field(default_factory=CalibrationSettings)
    conformal: ConformalSettings = field(default_factory=ConformalSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    predict: PredictSettings = field(default_factory=PredictSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    account: AccountSettings = field(default_factory=AccountSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    criteria: CriteriaSettings = field(default_factory=CriteriaSettings)
