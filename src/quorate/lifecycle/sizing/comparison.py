"""A learner out of fold against constant sizes, by accounts that trade the same decisions.

The span is cut into `folds` + 1 stretches. At the beginning of each but the first a policy is fitted on what was known
by then, and sizes the entries up to the next. Four accounts begin with the second stretch:

    overlay    the learner's shares
    ordinary   the whole stake
    constant   for each stretch, the share with the highest mean reward of the trades before it
    even       the mean share of the overlay on every entry: the same exposure, and no choice

The figure is growth: the logarithm of the account's return of a day. Differences are of the same days, and their
intervals resample blocks of days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.clock import DAY_MS, YEAR_DAYS
from quorate.core.errors import EvaluationError
from quorate.core.progress import Progress, silent
from quorate.core.sections.sizing import SizingSettings
from quorate.core.settings import EvaluationSettings
from quorate.core.types import FloatArray, IntArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.metrics.trades import account_curve
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.lifecycle.sizing.learners import Learner, learn
from quorate.lifecycle.sizing.sized_market import SizedMarket
from quorate.trading.backtest.backtest_result import BacktestResult
from quorate.trading.sizing import SHARES, Overlay, SizingPolicy

#: What the overlay is compared with.
RIVALS = ("ordinary", "constant", "even")

# The logarithm of an account that lost everything is taken of this share of its start.
_WIPED_OUT = 1e-6
# Markets of one comparison are this many days apart, so that no block has days of two.
_APART_DAYS = 100_000


@dataclass(frozen=True, slots=True)
class EvenShare:
    """The same share, any number from 0 to 1, in every context."""

    value: float

    @property
    def digest(self) -> str:
        return repr(self.value)

    def share(self, context: FloatArray) -> float:
        """The share; the context is not read."""
        del context
        return self.value


@dataclass(frozen=True, slots=True, eq=False)
class SizedRuns:
    """The four accounts over the tested stretches of one market, by name; overlay, and then `RIVALS`.

    Attributes:
        results: name -> run.
        constants: share of each stretch of the account `constant`.
    """

    results: Mapping[str, BacktestResult]
    constants: tuple[float, ...]

    def growth(self, name: str) -> tuple[IntArray, FloatArray]:
        """(days,) UTC days, and the logarithm of the return of each."""
        curve = account_curve(self.results[name]).daily()
        floor = _WIPED_OUT * curve.start_usd
        equity = np.maximum(np.append(curve.start_usd, curve.equity), floor)
        return curve.time // DAY_MS, np.diff(np.log(equity))


def stretches(market: SizedMarket, folds: int) -> list[int]:
    """Open times in ms of the first bar of each tested stretch.

    Raises:
        EvaluationError: stretches of less than two bars.
    """
    start, end = market.span
    length = market.length_ms
    bars = (end - start) // length
    if bars < 2 * (folds + 1):
        raise EvaluationError(
            "compare sizes out of fold",
            found=f"{bars} bars for {folds + 1} stretches",
            expected="two bars a stretch or more",
            remedy="Take a longer span, or lower `sizing.folds`.",
        )
    return [start + length * (bars * number // (folds + 1)) for number in range(1, folds + 1)]


def walk_sizes(
    learner: Learner, market: SizedMarket, settings: SizingSettings, progress: Progress = silent
) -> SizedRuns:
    """Fit and trade along the span of a market.

    Raises:
        EvaluationError: see `stretches`.
    """
    bounds = stretches(market, settings.folds)
    fitted: list[tuple[int, SizingPolicy]] = []
    for number, time in enumerate(bounds):
        progress("fitting sizes", number, len(bounds))
        fitted.append((time, learn(learner, market, time, settings)))
    progress("fitting sizes", len(bounds), len(bounds))
    constants = tuple(best_constant(market, time, settings) for time in bounds)
    setup = replace(market.setup, start=bounds[0])
    named = {
        "overlay": Overlay(tuple(fitted)),
        "ordinary": None,
        "constant": Overlay(tuple(zip(bounds, map(SizingPolicy.constant, constants), strict=True))),
    }
    results = {name: setup.with_overlay(overlay).trade(market.frames) for name, overlay in named.items()}
    even = EvenShare(float(np.mean(results["overlay"].shares or (1.0,))))
    results["even"] = setup.with_overlay(Overlay(((bounds[0], even),))).trade(market.frames)
    return SizedRuns(results, constants)


def best_constant(market: SizedMarket, time: int, settings: SizingSettings) -> float:
    """The share with the highest mean reward of the trades closed by a time; the whole stake with too few of them."""
    trades = market.trades.closed_by(time)
    if len(trades) < settings.fewest:
        return 1.0
    return SHARES[int(np.argmax(trades.rewards(settings.aversion).mean(axis=0)))]


def compare(runs: Sequence[SizedRuns], settings: EvaluationSettings) -> dict[str, Any]:
    """Figures of each account and of the overlay's differences from its rivals, JSON-safe; growth in bps a day.

    Args:
        runs: of one learner on one or more markets.
        settings: of the intervals.
    """
    days = [each.growth("overlay")[0] + _APART_DAYS * number for number, each in enumerate(runs)]
    blocks = TimeBlocks(np.concatenate(days) * DAY_MS, settings)
    growth = {name: 1e4 * np.concatenate([each.growth(name)[1] for each in runs]) for name in ("overlay", *RIVALS)}
    sized = np.concatenate([each.results["overlay"].shares for each in runs])
    accounts = {}
    for name, values in growth.items():
        figures = Figures()
        figures.add("trades", sum(len(each.results[name].trades) for each in runs))
        figures.add("growth_bps", float(values.mean()))
        spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
        sharpe = float(values.mean()) / spread * YEAR_DAYS**0.5 if spread > 0 else None
        figures.add("sharpe", sharpe, "no variation")
        figures.add("max_drawdown", max(account_curve(each.results[name]).max_drawdown for each in runs))
        accounts[name] = figures.to_json()
    against = {}
    for rival in RIVALS:
        apart = growth["overlay"] - growth[rival]
        figures = Figures()
        figures.add("growth_bps", float(apart.mean()))
        few = f"{blocks.count} blocks of days are too few"
        figures.add_interval("growth_bps_ci", blocks.interval(blocks.means(apart)), few)
        against[rival] = figures.to_json()
    return {
        "days": len(growth["overlay"]),
        "entries": len(sized),
        "shares": {f"{share:g}": float(np.mean(sized == share)) if len(sized) else None for share in SHARES},
        "mean_share": float(sized.mean()) if len(sized) else None,
        "constants": [list(each.constants) for each in runs],
        "accounts": accounts,
        "against": against,
    }


def above_zero(figures: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference is known and lies above 0."""
    ends = figures["growth_bps_ci"]
    return ends is not None and ends[0] > 0


def below_zero(figures: Mapping[str, Any]) -> bool:
    """Whether the interval of a difference is unknown or lies below 0."""
    ends = figures["growth_bps_ci"]
    return ends is None or ends[1] < 0
