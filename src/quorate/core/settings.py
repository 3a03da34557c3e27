"""Every number a user may change, with its default, in one place.

Plain frozen dataclasses, so that the live path needs no validation library. `configuration.py` fills them from
quorate.toml and the environment. Code takes the section it needs as an argument; nothing reads a setting twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from quorate.core.errors import SettingsError


def _require(section: str, name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(
            f"use the setting {section}.{name}", found=repr(value), expected=f"a value from {low:g} to {high:g}"
        )


class _Section:
    """Shared by all sections: unknown keys are refused when read from a file."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class VoteSettings(_Section):
    """The consensus vote. Scores and volatility are fractions."""

    weights: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"xgboost": 0.25, "lightgbm": 0.25, "nhits": 0.30, "patchtst": 0.20})
    )
    default_weight: float = 0.25  # a member that the table does not name
    quorum: float = 0.75  # share of the configured models that must agree
    floor: float = 0.69  # least confidence of an action
    lowered_floor: float = 0.65  # the same for an action that only a lowered quorum lets through
    volatility_limit: float = 0.05  # above it, the gate asks for volatility_base
    volatility_base: float = 0.70

    def __post_init__(self) -> None:
        for model, weight in self.weights.items():
            _require("vote.weights", model, weight, 1e-6, 1e6)
        _require("vote", "default_weight", self.default_weight, 1e-6, 1e6)
        for name in ("quorum", "floor", "lowered_floor", "volatility_base"):
            _require("vote", name, getattr(self, name), 0, 1)
        _require("vote", "volatility_limit", self.volatility_limit, 0, 10)

    def weight(self, model: str) -> float:
        """The configured weight of a model."""
        return self.weights.get(model, self.default_weight)


@dataclass(frozen=True, slots=True)
class QualitySettings(_Section):
    """What is reported as a single-candle spike. Reports only: no candle is refused for it."""

    spike: float = 0.10  # a high above both neighbours' highs, or a low below both lows, by this fraction
    spike_moves: float = 20.0  # and by this many of the file's median close-to-close moves

    def __post_init__(self) -> None:
        _require("quality", "spike", self.spike, 1e-6, 1e6)
        _require("quality", "spike_moves", self.spike_moves, 0, 1e6)


@dataclass(frozen=True, slots=True)
class UniverseSettings(_Section):
    """Which perpetuals `--top N` ranks, and over how long."""

    days: int = 30  # of quote volume
    stablecoins: tuple[str, ...] = (
        *("AEUR", "BFUSD", "BUSD", "DAI", "EUR", "EURI", "EURS", "EURT", "FDUSD", "FRAX", "GUSD", "LUSD", "PYUSD"),
        *("RLUSD", "SUSD", "TUSD", "USD1", "USDC", "USDD", "USDE", "USDP", "USDS", "USDT", "UST", "USTC", "XUSD"),
    )

    def __post_init__(self) -> None:
        _require("universe", "days", self.days, 1, 3650)


@dataclass(frozen=True, slots=True)
class TargetSettings(_Section):
    """What is predicted: the return over the next `horizon` bars against +-`band` (a fraction)."""

    horizon: int = 5
    band: float = 0.005
    return_horizon: int = 4  # bars, where the return itself is predicted

    def __post_init__(self) -> None:
        _require("target", "horizon", self.horizon, 1, 10_000)
        _require("target", "return_horizon", self.return_horizon, 1, 10_000)
        _require("target", "band", self.band, 0, 1)


@dataclass(frozen=True, slots=True)
class SplitSettings(_Section):
    """Shares of the training span, in order of time; what train and validation leave is the test part."""

    train: float = 0.70
    validation: float = 0.15
    embargo_bars: int = -1  # kept free after a test part; -1: the label's horizon

    def __post_init__(self) -> None:
        _require("split", "embargo_bars", self.embargo_bars, -1, 10_000)
        _require("split", "train", self.train, 0.05, 1)
        _require("split", "validation", self.validation, 0, 0.95)
        _require("split", "train + validation", self.train + self.validation, 0, 1)


@dataclass(frozen=True, slots=True)
class XGBoostSettings(_Section):
    trees: int = 200
    depth: int = 6
    learning_rate: float = 0.1
    subsample: float = 0.8
    colsample: float = 0.8

    def __post_init__(self) -> None:
        _require("models.xgboost", "trees", self.trees, 1, 100_000)
        _require("models.xgboost", "depth", self.depth, 1, 64)
        for name in ("learning_rate", "subsample", "colsample"):
            _require("models.xgboost", name, getattr(self, name), 1e-6, 1)


@dataclass(frozen=True, slots=True)
class LightGBMSettings(_Section):
    trees: int = 200
    leaves: int = 31
    depth: int = 6
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        _require("models.lightgbm", "trees", self.trees, 1, 100_000)
        _require("models.lightgbm", "leaves", self.leaves, 2, 131_072)
        _require("models.lightgbm", "depth", self.depth, 1, 64)
        _require("models.lightgbm", "learning_rate", self.learning_rate, 1e-6, 1)


@dataclass(frozen=True, slots=True)
class LogisticSettings(_Section):
    l2: float = 1.0  # on half the squared weights, beside the losses' sum: 1 / C in scikit-learn, alpha for returns
    iterations: int = 500  # at most
    tail: float = 0.001  # share of the training rows beyond which, on each side, a feature counts as its quantile

    def __post_init__(self) -> None:
        _require("models.logistic", "l2", self.l2, 1e-9, 1e9)
        _require("models.logistic", "iterations", self.iterations, 1, 1_000_000)
        _require("models.logistic", "tail", self.tail, 0, 0.25)


@dataclass(frozen=True, slots=True)
class ModelSettings(_Section):
    xgboost: XGBoostSettings = field(default_factory=XGBoostSettings)
    lightgbm: LightGBMSettings = field(default_factory=LightGBMSettings)
    logistic: LogisticSettings = field(default_factory=LogisticSettings)


@dataclass(frozen=True, slots=True)
class TrainSettings(_Section):
    features: str = "core14"
    seed: int = 7
    threads: int = 0  # 0: every core

    def __post_init__(self) -> None:
        _require("train", "seed", self.seed, 0, 2**31 - 1)
        _require("train", "threads", self.threads, 0, 4096)


@dataclass(frozen=True, slots=True)
class PredictSettings(_Section):
    deadline_ms: float = 250.0  # of each member, in live predict only

    def __post_init__(self) -> None:
        _require("predict", "deadline_ms", self.deadline_ms, 0.1, 600_000)


@dataclass(frozen=True, slots=True)
class CostSettings(_Section):
    """Fractions of the order's value, a side."""

    taker_fee: float = 0.0005
    maker_fee: float = 0.0002
    slippage: float = 0.0002
    liquidation_fee: float = 0.015  # charged by the exchange for closing a liquidated position

    def __post_init__(self) -> None:
        for name in ("taker_fee", "maker_fee"):
            _require("costs", name, getattr(self, name), -0.01, 0.1)
        _require("costs", "slippage", self.slippage, 0, 0.1)
        _require("costs", "liquidation_fee", self.liquidation_fee, 0, 0.1)

    @property
    def round_trip(self) -> float:
        """Cost of opening and closing as taker, as a fraction of the position."""
        return 2 * (self.taker_fee + self.slippage)


SIZINGS = ("risk", "fixed", "atr", "half_kelly")


@dataclass(frozen=True, slots=True)
class AccountSettings(_Section):
    equity_usd: float = 1_000.0
    positions: int = 4  # open at once
    risk: float = 0.01  # share of equity lost when the stop is hit
    leverage: float = 5.0  # most, of a position's value over its margin
    sizing: Literal["risk", "fixed", "atr", "half_kelly"] = "risk"
    stake_usd: float = 100.0  # margin of each position, for fixed sizing
    kelly_cap: float = 0.02  # most of equity that half Kelly may put at risk
    minimum_usd: float = 5.0  # least value of an order, where the exchange's own is not known

    def __post_init__(self) -> None:
        if self.sizing not in SIZINGS:
            raise SettingsError("use the setting account.sizing", found=repr(self.sizing), expected=", ".join(SIZINGS))
        _require("account", "equity_usd", self.equity_usd, 1e-6, 1e15)
        _require("account", "positions", self.positions, 1, 10_000)
        _require("account", "risk", self.risk, 1e-6, 1)
        _require("account", "leverage", self.leverage, 1, 125)
        _require("account", "stake_usd", self.stake_usd, 1e-6, 1e15)
        _require("account", "kelly_cap", self.kelly_cap, 1e-6, 1)
        _require("account", "minimum_usd", self.minimum_usd, 0, 1e9)


@dataclass(frozen=True, slots=True)
class ExitSettings(_Section):
    stop_atr: float = 2.0  # distance of the stop, in ATR(14)
    target_ratio: float = 2.5  # distance of the target, in stops
    time_bars: int = 0  # 0: the target's horizon
    trail_atr: float = 0.0  # distance of a stop that follows the best price, in ATR(14); 0: the stop stays
    maker_target: bool = False  # the target rests in the book: maker fee, and the price must trade through it

    def __post_init__(self) -> None:
        _require("exits", "stop_atr", self.stop_atr, 1e-3, 1e3)
        _require("exits", "target_ratio", self.target_ratio, 1e-3, 1e3)
        _require("exits", "time_bars", self.time_bars, 0, 1_000_000)
        _require("exits", "trail_atr", self.trail_atr, 0, 1e3)


@dataclass(frozen=True, slots=True)
class EvaluationSettings(_Section):
    """Intervals and bins. A block is a stretch of time over all symbols, resampled as a whole."""

    resamples: int = 500
    block_hours: int = 24
    confidence: float = 0.95  # of every interval
    bins: int = 10  # of the reliability diagram and the calibration error
    folds: int = 5  # of a walk-forward
    draws: int = 50  # accounts that trade at random, each as often as the one that is judged
    plausible_auc: float = 0.60  # a column or model that tells BUY from SELL better than this is taken for a leak
    seed: int = 7

    def __post_init__(self) -> None:
        _require("evaluation", "resamples", self.resamples, 20, 100_000)
        _require("evaluation", "folds", self.folds, 1, 1_000)
        _require("evaluation", "draws", self.draws, 2, 100_000)
        _require("evaluation", "plausible_auc", self.plausible_auc, 0.5, 1)
        _require("evaluation", "block_hours", self.block_hours, 1, 24 * 366)
        _require("evaluation", "confidence", self.confidence, 0.5, 0.9999)
        _require("evaluation", "bins", self.bins, 2, 1_000)
        _require("evaluation", "seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class CriteriaSettings(_Section):
    """What the vote promised. Shares are of decided bars; a range is met at both of its ends."""

    mean_confidence: float = 0.75  # more than this
    win_rate: float = 0.70  # more than this, over at least `trades`
    trades: int = 50
    fallback: float = 0.20  # less than this share of bars
    largest_loss_usd: float = 15.0  # no single trade loses more
    reward_risk: float = 2.5  # mean win over mean loss, more than this
    unanimous: tuple[float, float] = (0.20, 0.30)
    strong: tuple[float, float] = (0.50, 0.60)
    split: tuple[float, float] = (0.15, 0.25)

    def __post_init__(self) -> None:
        for name in ("mean_confidence", "win_rate", "fallback"):
            _require("criteria", name, getattr(self, name), 0, 1)
        _require("criteria", "trades", self.trades, 1, 1_000_000)
        _require("criteria", "largest_loss_usd", self.largest_loss_usd, 0, 1e15)
        _require("criteria", "reward_risk", self.reward_risk, 0, 1e6)
        for name in ("unanimous", "strong", "split"):
            low, high = getattr(self, name)
            _require("criteria", name, low, 0, high)
            _require("criteria", name, high, low, 1)


@dataclass(frozen=True, slots=True)
class Settings(_Section):
    """All sections, as quorate.toml names them."""

    quality: QualitySettings = field(default_factory=QualitySettings)
    universe: UniverseSettings = field(default_factory=UniverseSettings)
    vote: VoteSettings = field(default_factory=VoteSettings)
    target: TargetSettings = field(default_factory=TargetSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    models: ModelSettings = field(default_factory=ModelSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    predict: PredictSettings = field(default_factory=PredictSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    account: AccountSettings = field(default_factory=AccountSettings)
    exits: ExitSettings = field(default_factory=ExitSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    criteria: CriteriaSettings = field(default_factory=CriteriaSettings)
