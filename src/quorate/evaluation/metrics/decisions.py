"""Counts of decisions over all bars: actions, consensus mix, coverage, confidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from quorate.core.settings import EvaluationSettings
from quorate.core.types import NO_DECISION, Action, BoolArray, DecisionFrame, FloatArray, TextArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks

FALLBACK = "fallback_rules"
_UNDECIDED = (*NO_DECISION, FALLBACK)
_GATED = "_volatility_hold"


def decision_figures(frames: Iterable[DecisionFrame], settings: EvaluationSettings | None = None) -> dict[str, Any]:
    """Counts and shares over all bars of all frames, JSON-safe.

    A *decided* bar is one on which at least one model voted. `consensus` counts decided bars by the consensus of the
    vote; `mix` is their shares, with volatility-gated bars counted under the consensus before the gate. `coverage` is
    the share of bars with BUY or SELL, `fallback` the share decided by the fallback rules, `mean_confidence` the mean
    confidence of BUY and SELL decided by models.

    Args:
        frames: decisions, one frame a symbol.
        settings: of the intervals, which resample blocks of time over all symbols together; None for the defaults.
    """
    bars = _Bars(list(frames))
    blocks = TimeBlocks(bars.time, settings or EvaluationSettings())
    acted = bars.action != Action.HOLD
    voted = ~np.isin(bars.rule, _UNDECIDED)
    signals = acted & voted
    n, decided = len(bars.time), int(voted.sum())
    consensus = _counted(bars.consensus[voted])
    named: dict[str, list[str]] = {}
    for name in consensus:
        named.setdefault(name.replace(_GATED, ""), []).append(name)
    # In order of names, which decides where two are equally frequent.
    mix = Counter({bare: sum(consensus[name] for name in names) for bare, names in sorted(named.items())})
    few = f"{blocks.count} blocks of time are too few"

    def share(name: str, rows: BoolArray, of: BoolArray, why: str) -> None:
        below = int(of.sum())
        figures.add(name, int((rows & of).sum()) / below if below else None, why)
        ratios = blocks.ratios(_ones(rows & of), _ones(of))
        figures.add_interval(f"{name}_ci", blocks.interval(ratios), few if below else why)

    figures = Figures()
    figures.add("bars", n)
    figures.add("decided", decided)
    everywhere = np.ones(n, np.bool_)
    share("coverage", acted, everywhere, "no bars")
    share("fallback", np.asarray(bars.rule == FALLBACK), everywhere, "no bars")
    certain = np.where(signals, bars.confidence, np.nan)
    none = "no BUY or SELL"
    figures.add("mean_confidence", float(bars.confidence[signals].mean()) if signals.any() else None, none)
    mean = blocks.interval(blocks.means(certain))
    figures.add_interval("mean_confidence_ci", mean, few if signals.any() else none)
    within = {
        name: blocks.interval(blocks.ratios(_ones(np.isin(bars.consensus, named[name]) & voted), _ones(voted)))
        for name in mix
    }
    return {
        **figures.to_json(),
        "actions": {action.name: int((bars.action == action).sum()) for action in Action},
        "consensus": dict(Counter(consensus).most_common()),
        "mix": {name: count / decided for name, count in mix.most_common()},
        "mix_ci": {name: None if within[name] is None else list(within[name] or ()) for name, _ in mix.most_common()},
        "rules": dict(Counter(_counted(bars.rule)).most_common()),
    }


class _Bars:
    """Columns of all frames, concatenated."""

    def __init__(self, frames: list[DecisionFrame]) -> None:
        def column(name: str, kind: type) -> Any:
            parts = [getattr(frame, name) for frame in frames]
            return np.concatenate(parts) if parts else np.empty(0, kind)

        self.time = column("time", np.int64)
        self.action = column("action", np.int8)
        self.confidence = column("confidence", np.float64)
        self.consensus: TextArray = column("consensus", np.str_)
        self.rule: TextArray = column("rule", np.str_)


def _ones(rows: BoolArray) -> FloatArray:
    return rows.astype(np.float64)


def _counted(names: TextArray) -> dict[str, int]:
    """Name -> how often it occurs, by name; for a handful of names, which are found one by one without a sort."""
    found = {}
    while len(names):
        same = names == names[0]
        found[str(names[0])] = int(np.count_nonzero(same))
        names = names[~same]
    return dict(sorted(found.items()))
