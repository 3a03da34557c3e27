"""Every BUY and SELL that the members leaned to, whether the vote let it through or not, and what it came to.

A signal is worth what a position from its bar's close to the label's last close earns, less fee and slippage on both
sides: no stop, no funding, no limit of positions. So kept and removed signals are measured alike, which an account with
its few slots could not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quorate.core.settings import CostSettings, EvaluationSettings, VoteSettings
from quorate.core.types import Action, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, TextArray
from quorate.core.wilson import wilson
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import Target

# The rules of the vote, in the order in which they are applied, and what each asks for.
GATES: Mapping[str, str] = {
    "no_quorum": "fewer members agree than the quorum",
    "volatility_gate": "too volatile for the members' own scores",
    "below_floor": "confidence below the floor",
}
KEPT = "vote"

# Shares of the signals that the coverage curve is drawn at.
_SHARES = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.03, 0.02, 0.01])
_FEWEST = 20  # signals that a point of the curve is drawn for


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Bars whose members had a winner other than HOLD and whose future is known.

    Attributes:
        time: (n,) int64 open times in ms.
        confidence: (n,) float64, the vote's.
        rule: (n,) str, what decided; "vote" for those that were let through.
        net: (n,) float64 return in the winner's direction less the costs of a round trip, a fraction.
        bars: all bars whose future is known, with a winner or without.
        settings: of the intervals.
    """

    time: IntArray
    confidence: FloatArray
    rule: TextArray
    net: FloatArray
    bars: int
    settings: EvaluationSettings

    @classmethod
    def of(
        cls,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        target: Target,
        policy: VoteSettings,
        members: int,
        costs: CostSettings,
        settings: EvaluationSettings,
    ) -> Signals:
        """Those of all frames. The winner is who the vote would follow if it had no quorum, no gate and no floor."""
        open_policy = replace(policy, quorum=0.0, floor=0.0, lowered_floor=0.0)
        round_trip = 2 * (costs.taker_fee + costs.slippage)
        parts: list[tuple[IntArray, FloatArray, TextArray, FloatArray]] = []
        bars = 0
        for symbol, frame in frames.items():
            if not len(frame):
                continue
            calm = np.zeros(len(frame))
            winner = decide_frame(frame.scores, calm, policy=open_policy, members=members).action
            labels = target.label(candles[symbol])
            earned = labels.forward_return[np.searchsorted(candles[symbol].time, frame.time)]
            known = np.isfinite(earned)
            bars += int(known.sum())
            rows = known & (winner != Action.HOLD)
            side = np.where(winner == Action.BUY, 1.0, -1.0)
            net = side[rows] * earned[rows] - round_trip
            parts.append((frame.time[rows], frame.confidence[rows], frame.rule[rows], net))
        if not parts:
            parts.append((np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_), np.empty(0)))
        time, confidence, rule, net = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(time, confidence, rule, net, bars, settings)

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def asked(
        cls,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        target: Target,
        costs: CostSettings,
        settings: EvaluationSettings,
    ) -> Signals:
        """Those that the calibrated policy asked about: the sides that the expected returns pointed to."""
        round_trip = 2 * (costs.taker_fee + costs.slippage)
        parts: list[tuple[IntArray, FloatArray, TextArray, FloatArray]] = []
        bars = 0
        for symbol, frame in frames.items():
            labels = target.label(candles[symbol])
            earned = labels.forward_return[np.searchsorted(candles[symbol].time, frame.time)]
            known = np.isfinite(earned)
            bars += int(known.sum())
            side = np.full(len(frame), Action.HOLD) if frame.side is None else frame.side
            rows = known & (side != Action.HOLD) & (frame.rule != "no_votes")
            net = np.where(side[rows] == Action.BUY, 1.0, -1.0) * earned[rows] - round_trip
            parts.append((frame.time[rows], frame.confidence[rows], frame.rule[rows], net))
        if not parts:
            parts.append((np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_), np.empty(0)))
        time, confidence, rule, net = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(time, confidence, rule, net, bars, settings)

    def gates(self, kept: str = KEPT, gates: Mapping[str, str] = GATES) -> list[dict[str, Any]]:
        """One row for the signals that were kept, and one for each gate: how many it removed and what they were worth.

        A signal counts at the first gate that stops it. Shares are of all signals.

        Args:
            kept: the rule of those that were let through.
            gates: rule -> what it asks for; those of the vote by default.
        """
        blocks = TimeBlocks(self.time, self.settings)
        rows = [self._row(kept, f"let through by the {'vote' if kept == KEPT else 'policy'}", blocks)]
        return rows + [self._row(rule, about, blocks) for rule, about in gates.items()]

    def coverage(self) -> list[dict[str, Any]]:
        """How often signals win if only the most confident are taken, from all of them down to one in a hundred.

        Gates are left out: what is asked is whether confidence means anything. Equal confidences stay together.
        """
        blocks = TimeBlocks(self.time, self.settings)
        ordered = np.sort(self.confidence)[::-1]
        points, seen = [], set()
        for share in _SHARES:
            count = max(1, round(share * len(self)))
            if count < _FEWEST or count > len(self):
                continue
            least = float(ordered[count - 1])
            if least in seen:
                continue
            seen.add(least)
            rows = np.asarray(self.confidence >= least)
            points.append({"confidence": least, "coverage": int(rows.sum()) / self.bars, **self._worth(rows, blocks)})
        return points

    def _row(self, rule: str, about: str, blocks: TimeBlocks) -> dict[str, Any]:
        rows = np.asarray(self.rule == rule)
        share = float(rows.mean()) if len(self) else None
        return {"rule": rule, "about": about, "share": share, **self._worth(rows, blocks)}

    def _worth(self, rows: BoolArray, blocks: TimeBlocks) -> dict[str, Any]:
        net, part = self.net[rows], blocks.select(rows)
        n, wins = len(net), int((net > 0).sum())
        none = "no such signal"
        few = f"{blocks.count} blocks of time are too few" if n else none
        figures = Figures()
        figures.add("n", n)
        figures.add("win_rate", wins / n if n else None, none)
        figures.add_interval("win_rate_ci", wilson(wins, n, self.settings.confidence), none)
        by_day = part.interval(part.means((net > 0).astype(np.float64))) if n else None
        figures.add_interval("win_rate_by_day_ci", by_day, few)
        figures.add("net_bps", 1e4 * float(net.mean()) if n else None, none)
        figures.add_interval("net_bps_ci", part.interval(part.means(1e4 * net)) if n else None, few)
        return figures.to_json()
