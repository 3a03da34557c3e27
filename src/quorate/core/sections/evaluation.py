"""Settings of evaluations, and the criteria that results are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class EvaluationSettings(Section):
    """Intervals, folds and baselines. Bootstrap blocks are spans of time, resampled with all their symbols."""

    resamples: int = 500  # of the block bootstrap
    block_hours: int = 24  # length of a block
    confidence: float = 0.95  # level of all intervals
    bins: int = 10  # of the reliability diagram and the calibration error
    folds: int = 5  # of a walk-forward evaluation
    draws: int = 50  # random accounts of the baseline, with as many trades as the evaluated one
    market_paths: int = 50  # resampled markets of the report's Monte Carlo, 20 at most over many bars; 0 leaves it out
    plausible_auc: float = 0.60  # a column or model that separates BUY from SELL better than this is reported as a leak
    floors: tuple[float, ...] = (0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80)  # also evaluated beside the policy's floor
    importance_rows: int = 1_000  # rows of each test part for permutation importance; 0 disables it
    pretrained: Literal["refuse", "mark"] = "refuse"  # walk-forwards over bars that pretrained weights may know
    ledger: str = "quorate-trials.jsonl"  # trial log: file in which every evaluated configuration is recorded
    reports: str = "reports"  # folder of reports without a name
    seed: int = 7  # of all random numbers

    def __post_init__(self) -> None:
        require("evaluation", "resamples", self.resamples, 20, 100_000)
        require("evaluation", "folds", self.folds, 1, 1_000)
        require("evaluation", "draws", self.draws, 2, 100_000)
        require("evaluation", "market_paths", self.market_paths, 0, 100_000)
        require("evaluation", "plausible_auc", self.plausible_auc, 0.5, 1)
        require("evaluation", "block_hours", self.block_hours, 1, 24 * 366)
        require("evaluation", "confidence", self.confidence, 0.5, 0.9999)
        require("evaluation", "bins", self.bins, 2, 1_000)
        for floor in self.floors:
            require("evaluation", "floors", floor, 0, 1)
        require("evaluation", "importance_rows", self.importance_rows, 0, 1_000_000)
        require("evaluation", "seed", self.seed, 0, 2**31 - 1)


@dataclass(frozen=True, slots=True)
class CriteriaSettings(Section):
    """Targets of the vote and of the stack with panel. Shares are of decided bars; ranges include both ends."""

    mean_confidence: float = 0.75  # minimum, exclusive
    win_rate: float = 0.70  # minimum, exclusive, over at least `trades`
    trades: int = 50  # fewest trades for the win rate
    fallback: float = 0.20  # maximum share of bars, exclusive
    largest_loss_usd: float = 15.0  # largest loss of a single trade
    reward_risk: float = 2.5  # mean win over mean loss, minimum, exclusive
    unanimous: tuple[float, float] = (0.20, 0.30)  # share of unanimous decisions
    strong: tuple[float, float] = (0.50, 0.60)  # share of strong decisions
    split: tuple[float, float] = (0.15, 0.25)  # share of split decisions
    stack_win_rate: float = 0.65  # minimum of the stack with panel
    stack_sharpe: float = 2.0  # minimum, annualised
    stack_drawdown: float = 0.12  # maximum
    stack_fewer_losses: float = 0.40  # minimum share of losing entries avoided, against the rules on the same bars

    def __post_init__(self) -> None:
        for name in (
            "mean_confidence",
            "win_rate",
            "fallback",
            "stack_win_rate",
            "stack_drawdown",
            "stack_fewer_losses",
        ):
            require("criteria", name, getattr(self, name), 0, 1)
        require("criteria", "trades", self.trades, 1, 1_000_000)
        require("criteria", "largest_loss_usd", self.largest_loss_usd, 0, 1e15)
        require("criteria", "reward_risk", self.reward_risk, 0, 1e6)
        require("criteria", "stack_sharpe", self.stack_sharpe, -100, 100)
        for name in ("unanimous", "strong", "split"):
            low, high = getattr(self, name)
            require("criteria", name, low, 0, high)
            require("criteria", name, high, low, 1)
