"""Document of `/performance`: the one of `quorate paper performance --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from quorate.serving.documents.document import Document
from quorate.serving.documents.paper import DecisionsDocument, Missing, Pair


class SkillDocument(Document):
    """Skill over the class prior: 1 is perfect, 0 no better than it."""

    skill_vs_prior: float | None
    skill_vs_prior_ci: Pair | None
    missing: Missing = Field(default_factory=dict)


class ScoresDocument(SkillDocument):
    """Scores of one model on the bars with an outcome."""

    n: int
    abstained: int
    log_loss: float | None
    prior_log_loss: float | None
    accuracy: float | None


class EnsembleScores(ScoresDocument):
    """Those of the ensemble."""

    scores: str = Field(description="What is measured as the ensemble's scores.")


class SymbolScores(ScoresDocument):
    """Those of the ensemble in one market."""

    symbol: str


class PeriodDocument(Document):
    """Skill of the ensemble and of each member in one day or week."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    start: str = Field(alias="from")
    rows: int
    models: dict[str, SkillDocument]


class BinDocument(Document):
    """A bin of the reliability diagram: the winning class's score, and how often it was right (Wilson's interval)."""

    low: float
    high: float
    score: float
    correct: float
    correct_ci: Pair
    rows: int


class ReliabilityDocument(Document):
    """The reliability diagram and its expected calibration error."""

    of: str
    calibrated: bool
    bins: list[BinDocument]
    ece: float | None
    missing: Missing = Field(default_factory=dict)


class AgreementDocument(Document):
    """How often two members vote alike, and how many independent votes all are worth."""

    members: list[str]
    same_vote: list[list[float | None]]
    correlation: list[list[float | None]]
    lean_correlation: list[list[float | None]]
    rows: int
    mean_correlation: float | None
    effective_votes: float | None
    effective_votes_ci: Pair | None
    formula: str
    missing: Missing = Field(default_factory=dict)


class MixDocument(Document):
    """Share of a consensus among decided bars, beside the expected range."""

    consensus: str
    share: float | None
    share_ci: Pair | None
    expected: Pair | None
    ok: bool | None


class CoverageDocument(Document):
    """Win rate of the signals of at least this confidence; `coverage` is their share of the bars."""

    confidence: float
    coverage: float
    n: int
    win_rate: float | None
    win_rate_ci: Pair | None
    win_rate_by_day_ci: Pair | None
    net_bps: float | None
    net_bps_ci: Pair | None
    missing: Missing = Field(default_factory=dict)


class OutcomesDocument(Document):
    """Decided bars by what is known of their outcome."""

    known: int
    waiting: int
    without_candles: int


class IntervalsDocument(Document):
    """How intervals are computed."""

    confidence: float
    resamples: int
    block_hours: int
    blocks: int


class PromisedScores(Document):
    """What training measured of a member on the newest rows, which it was not fitted on."""

    n: int | None
    log_loss: float | None
    prior_log_loss: float | None
    accuracy: float | None
    skill_vs_prior: float | None
    skill_vs_prior_ci: Pair | None


class FloorDocument(Document):
    """Signals of the policy above a floor of confidence, as measured in training."""

    floor: float
    signals: int
    coverage: float | None
    net_bps: float | None
    net_bps_ci: Pair | None
    right_given_move: float | None
    right_given_move_ci: Pair | None
    missing: Missing = Field(default_factory=dict)


class PromisedDocument(Document):
    """What training promised."""

    trained_to: str
    members: dict[str, PromisedScores]
    floors: list[FloorDocument]


class BaselineRow(Document):
    """The account, or a baseline over the same bars; of random entries medians, with their central ranges."""

    name: Literal["account", "buy_and_hold", "momentum", "rules", "random_entries"]
    about: str
    equity_usd: float
    equity_usd_ci: Pair | None
    total_return: float
    total_return_ci: Pair | None
    max_drawdown: float
    max_drawdown_ci: Pair | None
    trades: float | None = Field(description="Null for buy and hold.")
    trades_ci: Pair | None


class BaselinesDocument(Document):
    """The account beside what it could have earned without its model, at the same costs."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    first: str = Field(alias="from")
    last: str = Field(alias="to")
    bars: int
    start_equity_usd: float
    ladder_step: int | None = Field(description="Whose limits the baselines trade within.")
    left_out: list[str] = Field(description="Markets without candles.")
    draws: int | None = Field(description="Accounts with random entries; null if the account did not trade.")
    confidence: float | None = Field(description="Size of their central ranges.")
    worse_draws: float | None = Field(description="Share of them with a lower return than the account.")
    rows: list[BaselineRow]


class Performance(Document):
    """How well the account's model does on the bars whose outcome is known by now."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    account: str
    bundle: str
    timeframe: str
    symbols: list[str]
    synthetic: bool
    as_of: str | None
    by_other_bundles: int
    outcomes: OutcomesDocument
    horizon_bars: int
    decisions: DecisionsDocument
    mix: list[MixDocument]
    first: str | None = Field(alias="from")
    last: str | None = Field(alias="to")
    intervals: IntervalsDocument | None
    prior: dict[str, float] | None
    ensemble: EnsembleScores | None
    members: dict[str, ScoresDocument]
    by_day: list[PeriodDocument]
    by_week: list[PeriodDocument]
    reliability: ReliabilityDocument | None
    agreement: AgreementDocument | None
    coverage: list[CoverageDocument]
    per_symbol: list[SymbolScores]
    promised: PromisedDocument
    baselines: BaselinesDocument | None = Field(description="Null before the first measurement, and without candles.")
