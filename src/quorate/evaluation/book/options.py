"""How a book is judged: intervals, placebos and the assumed losses of markets that end."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.core.errors import EvaluationError


@dataclass(frozen=True, slots=True)
class JudgementOptions:
    """Options of a judgement.

    Attributes:
        block_days: length of a block of the bootstrap, and lags of the standard errors of a beta.
        resamples: of the bootstrap.
        confidence: level of all intervals.
        shifts: days by which the weights are moved in time, each a placebo.
        shuffles: placebos whose weights are passed on to other markets.
        best_markets: removed in one of the variants.
        lost_share: of the markets held long that end each year, of which the candles know nothing: an assumption.
        lost_part: of such a position that is lost.
        seed: of all random numbers.

    Raises:
        EvaluationError: a value out of its range.
    """

    block_days: int = 10
    resamples: int = 2_000
    confidence: float = 0.95
    shifts: tuple[int, ...] = tuple(range(30, 301, 30))
    shuffles: int = 40
    best_markets: int = 3
    lost_share: float = 0.05
    lost_part: float = 0.8
    seed: int = 7

    def __post_init__(self) -> None:
        ranges: dict[str, tuple[float, float]] = {
            "block_days": (1, 366),
            "resamples": (20, 100_000),
            "confidence": (0.5, 0.9999),
            "shuffles": (0, 10_000),
            "best_markets": (0, 1_000),
            "lost_share": (0, 1),
            "lost_part": (0, 1),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise EvaluationError(
                    f"use the option {name} of a judgement",
                    found=repr(getattr(self, name)),
                    expected=f"{low} to {high}",
                )
        if any(shift < 1 for shift in self.shifts):
            raise EvaluationError(
                "use the option shifts of a judgement", found=repr(self.shifts), expected="whole days of at least 1"
            )
