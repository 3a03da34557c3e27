"""Outcomes of every BUY and SELL signal, whether it passed the policy's gates or was removed by one.

The outcome of a signal is the return from its bar's close to the label's last close in the signal's direction, less fee
and slippage of a round trip: no stop, no funding, no position limit. So kept and removed signals are measured alike,
which an account with few position slots could not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from quorate.core.settings import CostSettings, EvaluationSettings, VoteSettings
from quorate.core.types import Action, ActionArray, BoolArray, Candles, DecisionFrame, FloatArray, IntArray, TextArray
from quorate.core.wilson import wilson
from quorate.ensemble.voting.any_policy import with_vote
from quorate.ensemble.voting.closed_policy import CLOSED
from quorate.ensemble.voting.consensus_policy import ConsensusPolicy
from quorate.ensemble.voting.vote_frame import decide_frame
from quorate.evaluation.json_values import Figures
from quorate.evaluation.statistics.block_bootstrap import TimeBlocks
from quorate.targets import Target

# Gates of the vote, in the order in which they are applied, and why each removes a signal.
GATES: Mapping[str, str] = {
    "no_quorum": "fewer members agree than the quorum",
    "volatility_gate": "too volatile for the members' own scores",
    "below_floor": "confidence below the floor",
}
KEPT = "vote"

#: What removes the signals of the closed policy.
CLOSED_GATES: Mapping[str, str] = {CLOSED: "the policy is closed: the evidence does not justify acting"}

# Shares of the signals at which the coverage curve is computed.
_SHARES = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1, 0.075, 0.05, 0.03, 0.02, 0.01])
_FEWEST = 20  # signals of a point of the curve


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """Signals with a known outcome: bars on which the policy's input pointed to BUY or SELL.

    Attributes:
        time: (n,) int64 open times in ms.
        confidence: (n,) float64, the decision's.
        rule: (n,) str, the rule that decided; "vote" or "calibrated" for signals that were kept, "closed" where the
            closed policy decided.
        net: (n,) float64 return in the signal's direction less the costs of a round trip, a fraction.
        bars: number of bars with a known outcome, with a signal or without.
        settings: of the intervals.
    """

    time: IntArray
    confidence: FloatArray
    rule: TextArray
    net: FloatArray
    bars: int
    settings: EvaluationSettings

    @classmethod
    def of_vote(
        cls,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        target: Target,
        policy: VoteSettings | ConsensusPolicy,
        members: int,
        costs: CostSettings,
        settings: EvaluationSettings,
    ) -> Signals:
        """Signals of a vote: the side it would take without quorum, volatility gate and floor.

        Args:
            frames: symbol -> decisions with the members' scores.
            candles: symbol -> candles of the frame's bars and after them.
            target: whose horizon a signal is held.
            policy: classic or consensus.
            members: number of members of the ensemble.
            costs: fee and slippage.
            settings: of the intervals.
        """
        ungated = with_vote(policy, quorum=0.0, floor=0.0, lowered_floor=0.0)
        sides = {
            symbol: decide_frame(
                frame.scores, np.zeros(len(frame)), policy=ungated, members=members, calibrated=frame.calibrated
            ).action
            for symbol, frame in frames.items()
            if len(frame)
        }
        return cls._collect({symbol: frames[symbol] for symbol in sides}, sides, candles, target, costs, settings)

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of_calibrated(
        cls,
        frames: Mapping[str, DecisionFrame],
        candles: Mapping[str, Candles],
        target: Target,
        costs: CostSettings,
        settings: EvaluationSettings,
    ) -> Signals:
        """Signals of the calibrated policy: the side of the expected return, before its gates.

        Args:
            frames: symbol -> decisions of the calibrated policy.
            candles: symbol -> candles of the frame's bars and after them.
            target: whose horizon a signal is held.
            costs: fee and slippage.
            settings: of the intervals.
        """
        sides = {}
        for symbol, frame in frames.items():
            side = np.full(len(frame), Action.HOLD, np.int8) if frame.side is None else frame.side
            sides[symbol] = np.where(frame.rule != "no_votes", side, Action.HOLD)
        return cls._collect(frames, sides, candles, target, costs, settings)

    @classmethod
    def _collect(
        cls,
        frames: Mapping[str, DecisionFrame],
        sides: Mapping[str, ActionArray],
        candles: Mapping[str, Candles],
        target: Target,
        costs: CostSettings,
        settings: EvaluationSettings,
    ) -> Signals:
        round_trip = 2 * (costs.taker_fee + costs.slippage)
        parts: list[tuple[IntArray, FloatArray, TextArray, FloatArray]] = []
        bars = 0
        for symbol, frame in frames.items():
            labels, side = target.label(candles[symbol]), sides[symbol]
            earned = labels.forward_return[np.searchsorted(candles[symbol].time, frame.time)]
            known = np.isfinite(earned)
            bars += int(known.sum())
            rows = known & (side != Action.HOLD)
            net = np.where(side[rows] == Action.BUY, 1.0, -1.0) * earned[rows] - round_trip
            parts.append((frame.time[rows], frame.confidence[rows], frame.rule[rows], net))
        if not parts:
            parts.append((np.empty(0, np.int64), np.empty(0), np.empty(0, np.str_), np.empty(0)))
        time, confidence, rule, net = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(time, confidence, rule, net, bars, settings)

    def gates(self, kept: str = KEPT, gates: Mapping[str, str] = GATES) -> list[dict[str, Any]]:
        """One row for the signals that were kept and one for each gate: number removed and their outcomes, JSON-safe.

        A signal counts at the first gate that removes it. Shares are of all signals.

        Args:
            kept: rule of the signals that were kept.
            gates: rule -> why it removes a signal; default: the gates of the vote.
        """
        blocks = TimeBlocks(self.time, self.settings)
        rows = [self._row(kept, f"kept by the {'vote' if kept == KEPT else 'policy'}", blocks)]
        return rows + [self._row(rule, about, blocks) for rule, about in gates.items()]

    def coverage(self) -> list[dict[str, Any]]:
        """Win rate of the most confident signals, for shares from 100 % down to 1 %, JSON-safe.

        Gates are ignored: the curve shows whether confidence is informative. Signals of equal confidence are not split.
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
            points.append({"confidence": least, "coverage": int(rows.sum()) / self.bars, **self._outcome(rows, blocks)})
        return points

    def _row(self, rule: str, about: str, blocks: TimeBlocks) -> dict[str, Any]:
        rows = np.asarray(self.rule == rule)
        share = float(rows.mean()) if len(self) else None
        return {"rule": rule, "about": about, "share": share, **self._outcome(rows, blocks)}

    def _outcome(self, rows: BoolArray, blocks: TimeBlocks) -> dict[str, Any]:
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
