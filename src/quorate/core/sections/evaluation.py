"""How results are judged, and what was promised."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.sections.section import Section, require


@dataclass(frozen=True, slots=True)
class EvaluationSettings(Section):
    """Intervals and bins. A block is a stretch of time over all symbols, resampled as a whole."""

    resamples: int = 500
    block_hours: int = 24
    confidence: float = 0.95  # of every interval
    bins: int = 10  # of the reliability diagram and the calibration error
    folds: int = 5  # of a walk-forward
    draws: int = 50  # accounts that trade at random, each as often as the one that is judged
    plausible_auc: float = 0.60  # a column or model that tells BUY from SELL better than this is taken for a leak
    floors: tuple[float, ...] = (0.50, 0.55, 0.60, 0.65, 0.70, 0.75, 0.80)  # tried beside the policy's own
    importance_rows: int = 1_000  # of each test part, on which columns are shuffled; 0: not at all
    ledger: str = "quorate-trials.jsonl"  # file that every evaluated configuration is recorded in
    reports: str = "reports"  # folder for pages that are given no name
    seed: int = 7

    def __post_init__(self) -> None:
        require("evaluation", "resamples", self.resamples, 20, 100_000)
        require("evaluation", "folds", self.folds, 1, 1_000)
        require("evaluation", "draws", self.draws, 2, 100_000)
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
    """What the vote, and the stack with panel, promised. Shares are of decided bars; both ends of a range are in it."""

    mean_confidence: float = 0.75  # more than this
    win_rate: float = 0.70  # more than this, over at least `trades`
    trades: int = 50
    fallback: float = 0.20  # less than this share of bars
    largest_loss_usd: float = 15.0  # no single trade loses more
    reward_risk: float = 2.5  # mean win over mean loss, more than this
    unanimous: tuple[float, float] = (0.20, 0.30)
    strong: tuple[float, float] = (0.50, 0.60)
    split: tuple[float, float] = (0.15, 0.25)
    stack_win_rate: float = 0.65  # of the stack with panel, at least
    stack_sharpe: float = 2.0  # at least, a year
    stack_drawdown: float = 0.12  # at most
    stack_fewer_losses: float = 0.40  # at least so many fewer losing entries than the rules on the same bars

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
