"""Each scheme against its rivals on the tested rows, and whether it is kept.

A scheme is kept only if the interval of its difference in log-loss is below zero against every rival: equal weights,
documented weights, those configured, and for the gate also the fixed ones of the convex scheme, since a gate can gain
by its constant alone. It is judged by the loss that it minimises, on rows that nothing of it has read. Decisions that
earn clearly less than those with documented weights refuse it all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from quorate.core.settings import Settings
from quorate.core.types import Action, ActionArray, FloatArray
from quorate.evaluation.json_values import Figures
from quorate.evaluation.labelled_predictions import LabelledPredictions
from quorate.evaluation.metrics.classification import log_loss
from quorate.evaluation.metrics.paired_difference import log_loss_difference
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.lifecycle.weights.nested import Nested
from quorate.lifecycle.weights.schemes import Scheme, Unfitted
from quorate.lifecycle.weights.weighting import FixedWeights, decisions, pooled, voted_scores

_NO_VOTE = "the vote has the same weights on every bar"
_DOCUMENTED = "documented"


@dataclass(frozen=True, eq=False)
class WeightComparison:
    """Figures of a nested walk-forward.

    Attributes:
        nested: the walk-forward.
        schemes: as it fitted them, the rivals first.
        settings: vote, costs and evaluation.
        horizon: bars that a label spans.
    """

    nested: Nested
    schemes: Sequence[Scheme]
    settings: Settings
    horizon: int

    @cached_property
    def blocks(self) -> TimeBlocks:
        """Blocks of the tested rows."""
        return TimeBlocks(self.nested.tested.time, self.settings.evaluation)

    @cached_property
    def sample(self) -> LabelledPredictions:
        """The tested rows, as paired tests take them."""
        return self.nested.tested.labelled()

    @cached_property
    def scores(self) -> Mapping[str, Mapping[str, FloatArray]]:
        """Loss -> scheme -> (n, 3) scores of the tested rows; the vote's own only of schemes with fixed weights."""
        found: dict[str, dict[str, FloatArray]] = {"pool": {}, "vote": {}}
        tested, vote = self.nested.tested, self.settings.vote
        for scheme in self.schemes:
            pool, own = np.empty((len(tested), len(Action))), np.empty((len(tested), len(Action)))
            fixed = True
            for fold in self.nested.folds:
                rows, weighting = tested.select(fold.rows), fold.fitted[scheme.name].weighting
                pool[fold.rows] = pooled(rows, weighting.table(rows))
                if isinstance(weighting, FixedWeights):
                    own[fold.rows] = voted_scores(rows, weighting.weights, vote, self.nested.prior[fold.rows])
                else:
                    fixed = False
            found["pool"][scheme.name] = pool
            if fixed:
                found["vote"][scheme.name] = own
        return found

    @cached_property
    def actions(self) -> Mapping[str, ActionArray]:
        """Scheme with fixed weights -> (n,) decisions of the classic vote with them."""
        tested, found = self.nested.tested, {}
        for name in self.scores["vote"]:
            action = np.full(len(tested), Action.HOLD, np.int8)
            for fold in self.nested.folds:
                weighting = fold.fitted[name].weighting
                if isinstance(weighting, FixedWeights):
                    action[fold.rows] = decisions(
                        tested.select(fold.rows), weighting.weights, self.settings.vote
                    ).action
            found[name] = action
        return found

    def net_returns(self, name: str) -> FloatArray:
        """(n,) return of each row's decision after costs, a fraction; 0 for HOLD."""
        action, costs = self.actions[name], self.settings.costs
        side = (action == Action.BUY).astype(np.float64) - (action == Action.SELL)
        return np.asarray(
            side * self.nested.tested.forward_return - np.abs(side) * 2 * (costs.taker_fee + costs.slippage)
        )

    def rivals(self, scheme: Scheme) -> tuple[str, ...]:
        """Names of the schemes that a fitted one has to beat."""
        named = tuple(each.name for each in self.schemes if isinstance(each, Unfitted))
        return named if scheme.name in self.scores["vote"] else (*named, "convex")

    @cached_property
    def rows(self) -> tuple[dict[str, Any], ...]:
        """One document for each scheme, JSON-safe."""
        return tuple(self._row(scheme) for scheme in self.schemes)

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the schemes that are kept, that of the smallest loss first."""
        found = [row for row in self.rows if row["kept"]]
        return tuple(row["scheme"] for row in sorted(found, key=lambda row: row["log_loss"]))

    def _row(self, scheme: Scheme) -> dict[str, Any]:
        y, name = self.nested.tested.y, scheme.name
        figures = Figures()
        figures.add("log_loss", log_loss(y, self.scores["pool"][name]))
        own = self.scores["vote"].get(name)
        figures.add("vote_log_loss", None if own is None else log_loss(y, own), _NO_VOTE)
        fitted = not isinstance(scheme, Unfitted)
        against = {rival: self._difference(name, rival, scheme.loss) for rival in self.rivals(scheme)} if fitted else {}
        decided = self._decisions(name)
        better = all(_below_zero(each["log_loss_ci"]) for each in against.values())
        return {
            "scheme": name,
            "judged_by": scheme.loss,
            **figures.to_json(),
            "decisions": decided,
            "against": against,
            "kept": fitted and better and not _below_zero(decided["net_difference_bps_ci"]),
            "strengths": [json_strength(fold.fitted[name].strength) for fold in self.nested.folds],
        }

    def _difference(self, name: str, rival: str, loss: str) -> dict[str, Any]:
        scores = self.scores[loss]
        return log_loss_difference(self.sample, scores[name], scores[rival], self.blocks, self.horizon)

    def _decisions(self, name: str) -> dict[str, Any]:
        """Signals of the classic vote, their mean net return, and both beside those with documented weights."""
        figures = Figures()
        few = f"{self.blocks.count} blocks of time are too few"
        if name not in self.actions:
            for figure in ("signals", "changed", "net_bps", "net_difference_bps"):
                figures.add(figure, None, _NO_VOTE)
            figures.add_interval("net_difference_bps_ci", None, _NO_VOTE)
            return figures.to_json()
        action, net = self.actions[name], self.net_returns(name)
        acted = action != Action.HOLD
        apart = net - self.net_returns(_DOCUMENTED)
        figures.add("signals", int(acted.sum()))
        figures.add("changed", int((action != self.actions[_DOCUMENTED]).sum()))
        figures.add("net_bps", 1e4 * float(net[acted].mean()) if acted.any() else None, "no signal")
        figures.add("net_difference_bps", 1e4 * float(apart.mean()))
        ends = self.blocks.interval(1e4 * self.blocks.means(apart))
        figures.add_interval("net_difference_bps_ci", ends, few)
        return figures.to_json()


def _below_zero(interval: list[float] | None) -> bool:
    """Whether an interval is known and lies below zero."""
    return interval is not None and interval[1] < 0


def json_strength(strength: float) -> float | None:
    """A strength for JSON, which has no infinity; None is the documented weights themselves."""
    return strength if np.isfinite(strength) else None
