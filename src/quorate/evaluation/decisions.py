"""What the ensemble decided: actions, consensus mix, coverage and confidence, counted over every bar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from quorate.core.types import Action, DecisionFrame, TextArray
from quorate.evaluation.figures import Figures

FALLBACK = "fallback_rules"
_UNDECIDED = ("no_votes", "training_span", FALLBACK)
_GATED = "_volatility_hold"


def decision_figures(frames: Iterable[DecisionFrame]) -> dict[str, Any]:
    """Counts and shares over all bars of all frames, JSON-safe.

    A *decided* bar is one on which at least one model voted. `consensus` counts decided bars under the vote's own
    names, `mix` gives their shares with the volatility-gated ones under the consensus they had. `coverage` is the share
    of bars with BUY or SELL, `fallback` the share on which only the fallback rules spoke, `mean_confidence` the mean
    over the models' BUY and SELL.
    """
    bars, decided, covered, signals, confidence = 0, 0, 0, 0, 0.0
    actions: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    consensus: Counter[str] = Counter()
    for frame in frames:
        bars += len(frame)
        actions.update({action.name: int((frame.action == action).sum()) for action in Action})
        rules.update(_counted(frame.rule))
        voted = ~np.isin(frame.rule, _UNDECIDED)
        decided += int(voted.sum())
        consensus.update(_counted(frame.consensus[voted]))
        acted = frame.action != Action.HOLD
        covered += int(acted.sum())
        signals += int((acted & voted).sum())
        confidence += float(frame.confidence[acted & voted].sum())
    mix: Counter[str] = Counter()
    for name, count in consensus.items():
        mix[name.removesuffix(_GATED)] += count
    figures = Figures()
    figures.add("bars", bars)
    figures.add("decided", decided)
    figures.add("coverage", covered / bars if bars else None, "no bars")
    figures.add("fallback", rules[FALLBACK] / bars if bars else None, "no bars")
    figures.add("mean_confidence", confidence / signals if signals else None, "no BUY or SELL")
    return {
        **figures.to_json(),
        "actions": {action.name: actions[action.name] for action in Action},
        "consensus": dict(consensus.most_common()),
        "mix": {name: count / decided for name, count in mix.most_common()},
        "rules": dict(rules.most_common()),
    }


def _counted(names: TextArray) -> dict[str, int]:
    values, counts = np.unique(names, return_counts=True)
    return {str(value): int(count) for value, count in zip(values, counts, strict=True)}
